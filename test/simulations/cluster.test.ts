import { describe, expect, it } from 'vitest';
import { runScenario } from '../../simulations/cluster/run-scenario.ts';
import { cutScenario, type ScenarioCut } from '../../simulations/cluster/scenario-cut.ts';
import { replayCommand } from '../../simulations/run-cluster-seeds.ts';

/** Of the phase with faults, in milliseconds: a few of them. */
const SHORT_MS = 5_000;

/** Small enough to be run twice. */
function short(seed: number): ScenarioCut {
  return { seed, profile: 'rough', clients: 1, nodes: 3 };
}

/** Seeds that once found a bug; each names it. */
const REGRESSIONS: readonly (readonly [ScenarioCut, string])[] = [
  [{ seed: 254, profile: 'rough' }, 'a node that was away never follows a leader that joined meanwhile'],
  [{ seed: 1115, profile: 'hell' }, 'a write that may have been done is called refused by a node far behind'],
];

describe('a simulated cluster of real metadata nodes', () => {
  it('keeps every promise under faults, and serves again, each of 20 seeds twice the same bit for bit', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const cut = short(seed);
      const scenario = { ...cutScenario(cut), faultyMs: SHORT_MS };
      const run = await runScenario(scenario);
      expect(run.failure, replayCommand(undefined, cut.seed, cut.profile)).toBeUndefined();
      const again = await runScenario(scenario);
      expect(again, `seed ${seed}`).toEqual(run);
    }
  }, 120_000);

  for (const [cut, bug] of REGRESSIONS)
    it(`passes seed ${cut.seed}, which found: ${bug}`, async () => {
      expect((await runScenario(cutScenario(cut))).failure, replayCommand(undefined, cut.seed, cut.profile)).toBeUndefined();
    });

  it('is another run for another seed', async () => {
    const [first, second] = [
      await runScenario(cutScenario(short(1))),
      await runScenario(cutScenario(short(2))),
    ];
    expect(first.hash).not.toBe(second.hash);
  });
});
