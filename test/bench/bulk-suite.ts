/** @module One big file and one of 100 MB, `npm run bench -- bulk [--mib 1024] [--copies 3] [--data-nodes 3]`: put, got cold, warm, and on a datanode's own machine. */
import { MIB } from '../../src/common/bytes.ts';
import { HoldfastBulk } from './holdfast-bulk.ts';
import { MountedBulk } from './mounted-bulk.ts';
import type { Case, Suite } from './suite.ts';

/** What both sides must measure; the order is that of each run. */
export interface BulkCase extends Case {
  readonly name: 'put' | 'get cold' | 'get warm' | 'get on a datanode' | 'put 100 MB' | 'get 100 MB warm';
}

export interface BulkLoad {
  readonly sizeBytes: number;
  readonly copies: number;
  readonly dataNodes: number;
}

/** Of the second file. */
export const SMALLER_BYTES = 100_000_000;

const cases: readonly BulkCase[] = [
  { name: 'put', unit: 'MB/s', per: 'GiB' },
  { name: 'get cold', unit: 'MB/s', per: 'GiB' },
  { name: 'get warm', unit: 'MB/s', per: 'GiB' },
  { name: 'get on a datanode', unit: 'MB/s', per: 'GiB' },
  { name: 'put 100 MB', unit: 'ms', per: 'GiB' },
  { name: 'get 100 MB warm', unit: 'ms', per: 'GiB' },
];

// As many datanodes as copies: then each of them has the whole file, and can give it to a client on its machine.
const defaults = { mib: 1024, copies: 3, 'data-nodes': 3 };

export const suite: Suite<BulkCase, typeof defaults> = {
  options: defaults,
  runs: 3,
  plan({ mib, copies, 'data-nodes': dataNodes }) {
    const load: BulkLoad = { sizeBytes: mib * MIB, copies, dataNodes };
    return {
      cases,
      holdfast: () => HoldfastBulk.start(load),
      peers: {
        moosefs: (peers) => MountedBulk.start(peers, 'moosefs', load),
        gluster: (peers) => MountedBulk.start(peers, 'gluster', load),
      },
    };
  },
};
