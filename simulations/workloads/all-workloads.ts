/** @module The workloads there are, by name, how often a client turns to each, and which of them a run has. */
import type { Prng } from '../prng.ts';
import { Appends } from './appends.ts';
import { Churn } from './churn.ts';
import { Collected } from './collected.ts';
import { ComingAndGoing } from './coming-and-going.ts';
import { Files } from './files.ts';
import { FullDatanode } from './full-datanode.ts';
import { LargeFiles } from './large-files.ts';
import { Leases } from './leases.ts';
import { Names } from './names.ts';
import { Registers } from './registers.ts';
import { RenameRing } from './rename-ring.ts';
import { SharedNames } from './shared-names.ts';
import { Transfers } from './transfers.ts';
import type { Workload, WorkloadComponents, WorkloadOptions } from './workload.ts';

export type WorkloadName =
  | 'registers'
  | 'names'
  | 'leases'
  | 'rename-ring'
  | 'transfers'
  | 'files'
  | 'appends'
  | 'churn'
  | 'full-datanode'
  | 'coming-and-going'
  | 'shared-names'
  | 'collected'
  | 'large-files';

interface ClusterKind {
  readonly datanodes: number;
  readonly level: number;
}

interface Kind {
  /** Of so many steps together, as many are of this one. */
  readonly weight: number;
  /** Datanodes that it makes sense with, at least: files have blocks. */
  readonly datanodes: number;
  /** Feature level of the cluster; the first when absent. */
  readonly level?: number;
  /** Never drawn with the others: a mood brings it (cluster/moods.ts). */
  readonly isOfMood?: true;
  readonly make: (components: WorkloadComponents, options: WorkloadOptions) => Workload;
}

export const WORKLOADS: Readonly<Record<WorkloadName, Kind>> = {
  registers: {
    weight: 6,
    datanodes: 0,
    make: (components, options) => new Registers(components, options),
  },
  names: { weight: 2, datanodes: 0, make: (components, options) => new Names(components, options) },
  leases: { weight: 1, datanodes: 0, make: (components) => new Leases(components) },
  'rename-ring': { weight: 2, datanodes: 0, make: (components) => new RenameRing(components) },
  transfers: { weight: 2, datanodes: 0, make: (components) => new Transfers(components) },
  files: { weight: 6, datanodes: 1, make: (components, options) => new Files(components, options) },
  appends: { weight: 3, datanodes: 1, level: 2, make: (components) => new Appends(components) },
  churn: { weight: 4, datanodes: 1, make: (components, options) => new Churn(components, options) },
  'full-datanode': { weight: 1, datanodes: 3, make: (components) => new FullDatanode(components) },
  'coming-and-going': { weight: 1, datanodes: 2, make: (components) => new ComingAndGoing(components) },
  // A directory replaces an empty one from the second level on.
  'shared-names': {
    weight: 4,
    datanodes: 0,
    level: 2,
    make: (components) => new SharedNames(components),
  },
  collected: { weight: 4, datanodes: 1, level: 2, make: (components) => new Collected(components) },
  // They are copied and replicated in parts from the third level on.
  'large-files': {
    weight: 4,
    datanodes: 1,
    level: 3,
    isOfMood: true,
    make: (components) => new LargeFiles(components),
  },
};

/** Those that seeds are drawn from. */
export const DRAWN_WORKLOADS: readonly WorkloadName[] = (Object.keys(WORKLOADS) as WorkloadName[]).filter(
  (name) => !WORKLOADS[name].isOfMood,
);

/** Each seed its own mix; never none. */
export function drawWorkloads(random: Prng, cluster: ClusterKind): readonly WorkloadName[] {
  const drawn = DRAWN_WORKLOADS.filter(() => random.chance(0.6));
  const possible = drawn.filter((name) => isPossible(name, cluster));
  return possible.length > 0 ? possible : ['registers'];
}

/** Whether it makes sense in such a cluster. */
export function isPossible(name: WorkloadName, { datanodes, level }: ClusterKind): boolean {
  return datanodes >= WORKLOADS[name].datanodes && (WORKLOADS[name].level ?? 0) <= level;
}
