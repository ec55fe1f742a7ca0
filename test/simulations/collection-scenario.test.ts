import { describe, expect, it } from 'vitest';
import { collectionScenario } from '../../simulations/cluster/collection-scenario.ts';
import { runScenario } from '../../simulations/cluster/run-scenario.ts';

describe('garbage collection in a simulated cluster', () => {
  it('loses nothing that is referred to and leaves nothing else, through listing errors, dead leaders and undo', async () => {
    const scenario = collectionScenario(1);
    const small = { ...scenario, faultyMs: 7_000, clients: 1, workloads: scenario.workloads.slice(0, 1) };
    const { failure, exercised } = await runScenario(small);
    expect(failure).toBeUndefined();
    for (const sight of ['collection rounds', 'listing errors', 'copies deleted'])
      expect(exercised[sight], sight).toBeGreaterThan(0);
  });
});
