/** @module A datanode dies while clients read and write: all copies back, and what the clients noticed. */
import { type LoadFigures, startFileLoad } from '../file-load.ts';
import { round } from '../statistics.ts';
import type { HealRun } from './heal-run.ts';
import { pause, untilHealed, type Watch } from './heal-watch.ts';

const DEAD_AFTER_MS = 3_000;
/** Until all have heard of it, in milliseconds. */
const TOLD_MS = 8_000;
const UNDISTURBED_MS = 10_000;

export interface BusyReport extends Watch {
  readonly undisturbed: LoadFigures<void>;
  readonly healing: Omit<LoadFigures<Watch>, 'result'>;
  /** Of the operations a second that clients did undisturbed. */
  readonly share: number;
}

export async function busy({ cluster, client }: HealRun): Promise<BusyReport> {
  await client.configure({ deadAfterMs: DEAD_AFTER_MS });
  await pause(TOLD_MS);
  const load = startFileLoad(client);
  const undisturbed = await load.during(() => pause(UNDISTURBED_MS));
  const { result, ...healing } = await load.during(async () => {
    await cluster.node('d1').kill('SIGKILL');
    return untilHealed(client);
  });
  await load.stop();
  const share = round(healing.perSecond / undisturbed.perSecond, 2);
  return { ...result, undisturbed, healing, share };
}
