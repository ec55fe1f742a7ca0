/** @module Files of more blocks than one command takes, under faults and without: each copy is all of its source. */
import { expect, it } from 'vitest';
import { runScenario } from '../../simulations/cluster/run-scenario.ts';
import { drawScenario } from '../../simulations/cluster/scenario.ts';

/** A busy machine is no failure, in milliseconds. */
const LIMIT_MS = 120_000;

it.each([0, 5_000])(
  'copies of large files are whole, and kept as often as was asked for, faults for %i ms',
  async (faultsForMs) => {
    const drawn = drawScenario(1, 'rough');
    const scenario = {
      ...drawn,
      nodes: 3,
      datanodes: 2,
      clients: 2,
      thinkMs: 50,
      workloads: ['large-files'] as const,
      faultyMs: 5_000,
      faults: drawn.faults.filter(({ atMs }) => atMs < faultsForMs),
    };
    const { failure, operations } = await runScenario(scenario);
    expect(failure).toBeUndefined();
    expect(operations.done).toBeGreaterThan(5);
  },
  LIMIT_MS,
);
