/**
 * @module Garbage collection in whole simulated clusters: `npm run test:collection -- [--rounds 1000] [--from SEED]` runs seeds
 * of datanodes, eras of seconds, failing listings, leaders that die or are cut off, renames, leases and undo until their
 * collectors have ended so many rounds. Exit status 1 when a block that a file refers to was lost, or garbage stayed.
 */
import { parseArgs } from 'node:util';
import { runScenario } from './cluster/run-scenario.ts';
import { collectionScenario } from './cluster/collection-scenario.ts';
import { COLLECTION_SIGHTS } from './cluster/coverage.ts';

const { values } = parseArgs({
  options: {
    /** Of all datanodes together, given up or not. */
    rounds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
  },
});

const totals = new Map<string, number>();
let seed = Number(values.from);
const roundsSoFar = (): number => totals.get('collection rounds') ?? 0;
while (roundsSoFar() < Number(values.rounds) && process.exitCode === undefined) {
  const { failure, exercised, tail } = await runScenario(collectionScenario(seed));
  for (const name of COLLECTION_SIGHTS) totals.set(name, (totals.get(name) ?? 0) + (exercised[name] ?? 0));
  if (failure !== undefined) {
    for (const line of tail) console.error(`  ${line}`);
    process.exitCode = 1;
  }
  console.log(`seed ${seed}: ${failure?.message ?? 'sound'}, ${roundsSoFar()} rounds`);
  seed += 1;
}
for (const [name, count] of totals) console.log(`${name}: ${count}`);
