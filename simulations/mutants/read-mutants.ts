/** @module Bugs of linearizable reads. */
import type { Mutant } from './mutant.ts';

export const READ_MUTANTS: readonly Mutant[] = [
  {
    name: 'read-before-own-term',
    bug: 'S03',
    scenario: 'read-before-own-term',
    swarm: 'raft',
    file: 'raft/leader-reads.ts',
    find: 'if (!raft.hasCommittedInTerm()) {\n    if (raft.postponedReads',
    replace: 'if (raft.term < 0) {\n    if (raft.postponedReads',
  },
  {
    name: 'read-without-barrier',
    bug: 'S03',
    scenario: 'read-waits-for-barrier',
    swarm: 'cluster',
    file: 'src/metadata/namespace-service.ts',
    find: 'if (!stale) await barrier.wait(signal);\n      return { stat',
    replace: 'return { stat',
  },
  {
    name: 'read-proof-of-earlier-term',
    bug: 'S04',
    scenario: 'read-proof-of-earlier-term',
    swarm: { none: 'the simulated shells never use a name twice, and without that the bug does nothing' },
    file: 'raft/term-check.ts',
    find: 'if (m.term < raft.term) {',
    replace: "if (m.term < raft.term && m.type !== 'MsgHeartbeatResp') {",
  },
  {
    name: 'any-heartbeat-proves-reads',
    bug: 'S04',
    scenario: 'read-with-old-proof',
    swarm: 'raft',
    file: 'raft/leader-reads.ts',
    find: 'const { context } = m;',
    replace: 'const context = m.term === raft.term ? raft.readOnly.lastPendingContext() : m.context;',
  },
  {
    name: 'read-name-used-again',
    bug: 'S04',
    scenario: 'read-asked-under-a-new-name',
    swarm: {
      none: 'not met in 162 seeds of whole clusters: clients read from the leader by now, and a name must come back while an answer to its first use is on its way to a follower',
    },
    file: 'src/metadata/read-barrier.ts',
    find: 'this.#context = this.#random.bytes(CONTEXT_BYTES);',
    replace: 'if (this.#context.length === 0) this.#context = this.#random.bytes(CONTEXT_BYTES);',
  },
  {
    name: 'lease-outlives-transfer',
    bug: 'S05',
    scenario: 'lease-after-transfer',
    swarm: { none: 'Holdfast uses no leases, and the simulation none either' },
    file: 'raft/leadership.ts',
    find: 'raft.leaseVoid = true;',
    replace: 'raft.leaseVoid = false;',
  },
];
