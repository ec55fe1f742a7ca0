/** @module `node simulations/main.ts [--seeds N] [--seed N]`: runs seeds, and prints how to replay those that fail. */
import { parseArgs } from 'node:util';
import { runRaftCluster } from './raft-cluster.ts';

const DEFAULT_SEEDS = '100';

const { values } = parseArgs({
  options: {
    /** How many seeds to run, from `from` on. */
    seeds: { type: 'string', default: DEFAULT_SEEDS },
    from: { type: 'string', default: '1' },
    /** One seed alone, with the end of its trace when it fails. */
    seed: { type: 'string' },
  },
});

const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1)
  throw new RangeError('--seeds, --from and --seed take whole numbers.');

let failures = 0;
let committed = 0;
for (let seed = first; seed < first + count; seed++) {
  const run = runRaftCluster(seed);
  committed += run.committed;
  if (run.failure === undefined) {
    if (values.seed !== undefined)
      console.log(`seed ${seed}: ok, ${run.committed} entries, trace ${run.hash}`);
    continue;
  }
  failures += 1;
  if (values.seed !== undefined) console.error(run.tail.join('\n'));
  console.error(`seed ${seed}: ${run.failure.stack ?? run.failure.message}`);
  console.error(`  replay: node simulations/main.ts --seed ${seed}`);
}
console.log(`${count} seeds, ${failures} failures, ${committed} entries committed`);
process.exitCode = failures === 0 ? 0 : 1;
