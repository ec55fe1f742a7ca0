/**
 * @module Garbage collection against everything that races with it: `node simulations/collection.ts [--seeds A..B]
 * [--rounds N]`. Exit status 1 when a block that a file refers to was out of service, or garbage stayed.
 */
import { parseArgs } from 'node:util';
import { CollectionWorld } from './collection/collection-world.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1..10' },
    /** Of each seed's collectors together. */
    rounds: { type: 'string', default: '1000' },
  },
});
const [from = '1', to = from] = values.seeds.split('..');
for (let seed = Number(from); seed <= Number(to); seed += 1) {
  const world = await CollectionWorld.open(seed);
  const { violation, ...counts } = await world.run(Number(values.rounds));
  process.stdout.write(`seed ${seed}: ${violation ?? 'sound'} ${JSON.stringify(counts)}\n`);
  if (violation !== undefined) process.exitCode = 1;
}
