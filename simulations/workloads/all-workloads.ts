/** @module The workloads there are, by name, and how often a client turns to each. */
import { Leases } from './leases.ts';
import { Names } from './names.ts';
import { Registers } from './registers.ts';
import type { Workload, WorkloadComponents, WorkloadOptions } from './workload.ts';

export type WorkloadName = 'registers' | 'names' | 'leases';

interface Kind {
  /** Of so many steps together, as many are of this one. */
  readonly weight: number;
  readonly make: (components: WorkloadComponents, options: WorkloadOptions) => Workload;
}

export const WORKLOADS: Readonly<Record<WorkloadName, Kind>> = {
  registers: { weight: 6, make: (components, options) => new Registers(components, options) },
  names: { weight: 2, make: (components, options) => new Names(components, options) },
  leases: { weight: 1, make: (components) => new Leases(components) },
};
