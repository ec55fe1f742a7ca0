import { describe, expect, it } from 'vitest';
import { runRaftCluster } from '../../simulations/raft-cluster.ts';

/** Seeds that once found a bug; each names it. */
const REGRESSIONS = new Map<number, string>([
  [130, 'a leader that removed itself blocks every election'],
  [132, 'a snapshot takes effect while a membership change is applied'],
  [338, 'a leader that demoted itself counts as a quorum of one'],
]);
const SEEDS = 50;

describe('a simulated raft cluster', () => {
  it(`keeps every promise of figure 3 under faults, and recovers, on ${SEEDS} seeds`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { failure } = runRaftCluster(seed);
      expect(failure, `replay: node simulations/main.ts --kind raft --seed ${seed}`).toBeUndefined();
    }
  });

  for (const [seed, bug] of REGRESSIONS)
    it(`passes seed ${seed}, which found: ${bug}`, () => {
      expect(runRaftCluster(seed).failure).toBeUndefined();
    });

  it('is the same run for the same seed, and another for another', () => {
    const first = runRaftCluster(7);
    expect(runRaftCluster(7)).toEqual(first);
    expect(runRaftCluster(8).hash).not.toBe(first.hash);
  });
});
