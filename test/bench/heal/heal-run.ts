/** @module What a case of the healing benchmark works on. */
import type { LocalCluster } from '../../../cli/demo/local-cluster.ts';
import type { Client } from '../../../src/index.ts';

export interface HealRun {
  /** `m1` to `m3` and `d1` to `d5`; each logs to its directory's name and LOG_SUFFIX. */
  readonly cluster: LocalCluster;
  readonly client: Client;
  /** Stored already, numbered from 0. */
  readonly files: number;
}

export const LOG_SUFFIX = '.log';
