import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runScenario } from '../../simulations/cluster/run-scenario.ts';
import { cutScenario, type ScenarioCut } from '../../simulations/cluster/scenario-cut.ts';
import { loadScenario } from '../../simulations/cluster/scenario-file.ts';
import { replayCommand } from '../../simulations/run-cluster-seeds.ts';

/** Of the phase with faults, in milliseconds: a few of them. */
const SHORT_MS = 2_000;
/** A busy machine is no failure, in milliseconds. */
const LIMIT_MS = 300_000;

/** Small enough to be run twice. */
function short(seed: number): ScenarioCut {
  return { seed, profile: 'rough', clients: 1, nodes: 3, datanodes: 2 };
}

/** What once found a bug; each file is named after it. */
const KEPT = readdirSync(new URL('scenarios', import.meta.url)).toSorted();

describe('a simulated cluster of real metadata nodes', () => {
  it(
    'keeps every promise under faults, and serves again, each of 20 seeds twice the same bit for bit',
    async () => {
      for (let seed = 1; seed <= 20; seed += 1) {
        const cut = short(seed);
        const scenario = { ...cutScenario(cut), faultyMs: SHORT_MS };
        const run = await runScenario(scenario);
        expect(run.failure, replayCommand(undefined, cut.seed, cut.profile)).toBeUndefined();
        const again = await runScenario(scenario);
        expect(again, `seed ${seed}`).toEqual(run);
      }
    },
    LIMIT_MS,
  );

  it.each(KEPT)(
    'passes the kept scenario %s',
    async (file) => {
      const scenario = loadScenario(fileURLToPath(new URL(`scenarios/${file}`, import.meta.url)));
      expect((await runScenario(scenario)).failure).toBeUndefined();
    },
    LIMIT_MS,
  );

  it(
    'is another run for another seed',
    async () => {
      const [first, second] = [
        await runScenario({ ...cutScenario(short(1)), faultyMs: SHORT_MS }),
        await runScenario({ ...cutScenario(short(2)), faultyMs: SHORT_MS }),
      ];
      expect(first.hash).not.toBe(second.hash);
    },
    LIMIT_MS,
  );
});
