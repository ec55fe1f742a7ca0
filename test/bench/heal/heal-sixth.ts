/** @module An empty sixth datanode beside five filled ones: until it holds about what each holds, while clients work. */
import { MIB } from '../../../src/common/bytes.ts';
import type { Client } from '../../../src/index.ts';
import { DEFAULT_BALANCE_BYTES_PER_SECOND } from '../../../src/namespace/limits.ts';
import { startFileLoad } from '../file-load.ts';
import type { Reported } from '../part-contender.ts';
import { round } from '../statistics.ts';
import { secondsSince } from '../stopwatch.ts';
import type { HealRun } from './heal-run.ts';
import { pause, poll } from './heal-watch.ts';

const UNDISTURBED_MS = 10_000;
/** How far from the mean it may be in the end, as a share of the mean. */
const NEAR = 0.1;

export async function sixth({ cluster, client }: HealRun): Promise<Reported<{ readonly evenS: number }>> {
  const load = startFileLoad(client);
  const undisturbed = await load.during(() => pause(UNDISTURBED_MS));
  const filling = await load.during(async () => {
    const { number } = (await cluster.join('d6')).ready;
    const startMs = performance.now();
    const before = (await fills(client)).get(number) ?? 0;
    let share = 0;
    await poll(async () => {
      const used = await fills(client);
      const mean = [...used.values()].reduce((sum, bytes) => sum + bytes, 0) / used.size;
      share = (used.get(number) ?? 0) / mean;
      process.stderr.write(`\r${secondsSince(startMs)} s: ${round(share * 100)}% of the mean  `);
      return share >= 1 - NEAR;
    });
    const movedBytes = ((await fills(client)).get(number) ?? 0) - before;
    const evenS = secondsSince(startMs);
    return { evenS, share: round(share, 2), mibPerS: round(movedBytes / MIB / evenS, 1) };
  });
  await load.stop();
  return {
    ...filling.result,
    statedMibPerS: await statedRate(client),
    undisturbed,
    filling: { ...filling, result: undefined },
    clientShare: round(filling.perSecond / undisturbed.perSecond, 2),
  };
}

/** What is in service on each datanode, in bytes. */
async function fills(client: Client): Promise<ReadonlyMap<number, number>> {
  const { dataNodes } = await client.status();
  return new Map(
    dataNodes.map(({ member, usedBytes, quarantinedBytes = 0 }) => [
      member?.number ?? 0,
      usedBytes - quarantinedBytes,
    ]),
  );
}

async function statedRate(client: Client): Promise<number> {
  const { cluster } = await client.status();
  return round((cluster?.balanceBytesPerSecond ?? DEFAULT_BALANCE_BYTES_PER_SECOND) / MIB, 1);
}
