/**
 * @module A recovery that is killed at a given point, in a process of its own: DIRECTORY POINT, where a point is
 * "before" or "after" and one of the steps that make something durable.
 */
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { systemRandom } from '../../../src/common/random.ts';
import { DataDirectory } from '../../../src/node/data-directory.ts';
import { Recovery } from '../../../src/node/recover-cluster.ts';
import { SqliteRaftLog } from '../../../src/storage/sqlite-raft-log.ts';

type Step = (...values: unknown[]) => Promise<unknown>;

const STEPS: Readonly<Record<string, object>> = {
  beginRecovery: DataDirectory.prototype,
  append: SqliteRaftLog.prototype,
  saveConfig: DataDirectory.prototype,
  endRecovery: DataDirectory.prototype,
};

const [directory = '', when = '', name = ''] = process.argv.slice(2);
const home = STEPS[name] as Record<string, Step>;
const step = home[name] as Step;
home[name] = async function killed(this: unknown, ...values: unknown[]): Promise<unknown> {
  if (when === 'after') await step.apply(this, values);
  process.kill(process.pid, 'SIGKILL');
  // The signal comes before anything else does.
  return new Promise(() => {});
};
const components = { clock: systemClock, random: systemRandom, logger: silentLogger };
await using recovery = await Recovery.prepare(components, directory, { force: true });
await recovery.carryOut(systemClock.wallMs());
