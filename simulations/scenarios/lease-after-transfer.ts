/** @module S05: only for leases, which Holdfast does not use: ReadOnlyLeaseBased is an option of the core (thesis §6.4.1). */
import { equal } from 'node:assert/strict';
import { ManualCluster, bytes } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a lease is void once a transfer was tried, since a late MsgTimeoutNow may elect another leader',
  run() {
    const cluster = ManualCluster.of(3, { checkQuorum: true, readOnlyOption: 'ReadOnlyLeaseBased' });
    const leader = cluster.elect(1);
    cluster.drops = () => true;
    leader.raw.readIndex(bytes('in the lease'));
    cluster.settle();
    equal(leader.reads.length, 1);
    leader.raw.transferLeader(2);
    cluster.settle();
    leader.raw.transferLeader(1);
    leader.raw.readIndex(bytes('after it'));
    cluster.settle();
    equal(leader.reads.length, 1);
  },
};
