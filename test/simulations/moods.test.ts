/** @module What seeds of a mood, and watching for promises that were forgotten, are for: bugs that no mixture meets. */
import { describe, expect, it } from 'vitest';
import { drawScenario, type Profile } from '../../simulations/cluster/scenario.ts';
import { mutantNamed } from '../../simulations/mutants/all-mutants.ts';
import { hunt } from '../../simulations/mutants/hunt.ts';

const SEEDS = 500;
/** A busy machine is no failure, in milliseconds. */
const LIMIT_MS = 300_000;

function drawn(profile: Profile) {
  return Array.from({ length: SEEDS }, (_, seed) => drawScenario(seed, profile));
}

describe('the moods of seeds', () => {
  it.each(['rough', 'hell'] as const)('are each drawn in a few of a hundred seeds, %s', (profile) => {
    const scenarios = drawn(profile);
    const shares = ['cut-power-at-compaction', 'bit-rot'].map(
      (kind) =>
        scenarios.filter(({ faults }) =>
          faults.some((fault) => fault.kind === kind && (kind !== 'bit-rot' || 'afterWriteMs' in fault)),
        ).length / SEEDS,
    );
    for (const share of shares) {
      expect(share).toBeGreaterThan(0.02);
      expect(share).toBeLessThan(0.12);
    }
    for (const { faults } of scenarios) expect(faults).toEqual(faults.toSorted((a, b) => a.atMs - b.atMs));
  });

  // Which of these seeds it is changes with the code that ships, so there are some more than one.
  it.each([
    ['a log that has lost its end goes on with the rest', 'rot-taken-for-torn-tail', 88, 113],
    ['entries are dropped that no row holds yet', 'compacted-beyond-durable', 93, 114],
    ['a node is heard that has forgotten what it told others', 'rolled-back-node-heard', 2, 40],
  ])(
    'show when %s',
    async (_, mutant, firstSeed, lastSeed) => {
      const order = { mutant, firstSeed, lastSeed, countAll: false, swarm: 'cluster' } as const;
      const { found, broken } = await hunt({ ...order, scenarios: [mutantNamed(mutant).scenario] });
      expect(broken).toBeUndefined();
      expect(found).toHaveLength(1);
    },
    LIMIT_MS,
  );
});
