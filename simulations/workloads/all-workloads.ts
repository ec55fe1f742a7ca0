/** @module The workloads there are, by name, how often a client turns to each, and which of them a run has. */
import type { Prng } from '../prng.ts';
import { Appends } from './appends.ts';
import { Churn } from './churn.ts';
import { Files } from './files.ts';
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
  | 'shared-names';

interface Kind {
  /** Of so many steps together, as many are of this one. */
  readonly weight: number;
  /** Its files have blocks. */
  readonly needsDatanodes: boolean;
  /** Feature level of the cluster; the first when absent. */
  readonly level?: number;
  readonly make: (components: WorkloadComponents, options: WorkloadOptions) => Workload;
}

export const WORKLOADS: Readonly<Record<WorkloadName, Kind>> = {
  registers: {
    weight: 6,
    needsDatanodes: false,
    make: (components, options) => new Registers(components, options),
  },
  names: { weight: 2, needsDatanodes: false, make: (components, options) => new Names(components, options) },
  leases: { weight: 1, needsDatanodes: false, make: (components) => new Leases(components) },
  'rename-ring': { weight: 2, needsDatanodes: false, make: (components) => new RenameRing(components) },
  transfers: { weight: 2, needsDatanodes: false, make: (components) => new Transfers(components) },
  files: { weight: 6, needsDatanodes: true, make: (components) => new Files(components) },
  appends: { weight: 3, needsDatanodes: true, level: 2, make: (components) => new Appends(components) },
  churn: { weight: 4, needsDatanodes: true, make: (components, options) => new Churn(components, options) },
  // A directory replaces an empty one from the second level on.
  'shared-names': {
    weight: 4,
    needsDatanodes: false,
    level: 2,
    make: (components) => new SharedNames(components),
  },
};

/** Each seed its own mix; never none. */
export function drawWorkloads(
  random: Prng,
  { datanodes, level }: { readonly datanodes: number; readonly level: number },
): readonly WorkloadName[] {
  const drawn = (Object.keys(WORKLOADS) as WorkloadName[]).filter(() => random.chance(0.6));
  const isPossible = (name: WorkloadName): boolean =>
    (datanodes > 0 || !WORKLOADS[name].needsDatanodes) && (WORKLOADS[name].level ?? 0) <= level;
  const possible = drawn.filter(isPossible);
  return possible.length > 0 ? possible : ['registers'];
}
