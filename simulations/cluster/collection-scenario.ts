/** @module The scenario of a seed made one of garbage collection: enough datanodes, the workloads that race with it, failing listings. */
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import type { WorkloadName } from '../workloads/all-workloads.ts';
import { drawDatanodeFaults } from './datanode-faults.ts';
import { drawScenario, type Scenario } from './scenario.ts';

const SIZE = { nodes: 3, voters: 3, datanodes: 4, clients: 3 };
const WORKLOADS: readonly WorkloadName[] = ['collected', 'churn', 'appends', 'leases', 'files'];
/** Between two faults of datanodes, as in the profile rough, in milliseconds. */
const PERIOD_MS = 2_500;
/** Between two leaders that die or are cut off, in milliseconds. */
const LEADER_PERIOD_MS = 4_000;
const LISTING_ERRORS_MS = 1_500;

export function collectionScenario(seed: number): Scenario {
  const drawn = drawScenario(seed, 'rough');
  const { faultyMs } = drawn;
  const deadLeaders = Array.from({ length: Math.floor(faultyMs / LEADER_PERIOD_MS) }, (_, count) => ({
    atMs: (count + 1) * LEADER_PERIOD_MS - 1,
    ...(count % 2 === 0
      ? { kind: 'crash-leader' as const, mode: 'silent' as const, forMs: 1_000 }
      : { kind: 'isolate-leader' as const, mode: 'silent' as const, oneWay: false, forMs: 1_000 }),
  }));
  const failingListings = deadLeaders.map(({ atMs }) => ({
    atMs: atMs + LEADER_PERIOD_MS / 2,
    kind: 'data-listing-errors' as const,
    forMs: LISTING_ERRORS_MS,
  }));
  return {
    ...drawn,
    ...SIZE,
    workloads: WORKLOADS,
    firstLevel: SUPPORTED_FEATURE_LEVEL,
    isBeyondBudget: false,
    faults: [
      ...drawn.faults.filter(({ kind }) => !kind.startsWith('data-')),
      ...drawDatanodeFaults(seed, { ...SIZE, faultyMs, periodMs: PERIOD_MS }),
      ...deadLeaders,
      ...failingListings,
    ].toSorted((a, b) => a.atMs - b.atMs),
  };
}
