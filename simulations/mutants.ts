/** @module Bugs that real consensus systems shipped, put back one at a time: what the simulation is worth is how soon it finds them. */

export interface Mutant {
  readonly name: string;
  /** Where such a bug shipped. */
  readonly shipped: string;
  readonly file: string;
  /** Once in the file, and what stands there instead. */
  readonly find: string;
  readonly replace: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'vote-forgotten-at-restart',
    shipped: 'eliben/raft#27, akka-raft#47: two leaders in one term',
    file: 'src/metadata/core-storage.ts',
    find: 'hardState: { ...hardState, commit:',
    replace: 'hardState: { ...hardState, vote: 0, commit:',
  },
  {
    name: 'read-before-own-term-commit',
    shipped: 'etcd#7331, tikv#6340: stale reads from a new leader',
    file: 'raft/leader-reads.ts',
    find: 'if (!raft.hasCommittedInTerm()) {\n    if (raft.postponedReads',
    replace: 'if (raft.term < 0) {\n    if (raft.postponedReads',
  },
  {
    name: 'acknowledged-before-fsync',
    shipped: 'dragonboat#201, etcd#14370: acknowledged entries lost with the power',
    file: 'src/metadata/ready-handler.ts',
    find: 'await this.#persist(ready);\n    this.#send(ready.messages.filter(({ type }) => !LEADER_MESSAGES.has(type)));',
    replace:
      'this.#send(ready.messages.filter(({ type }) => !LEADER_MESSAGES.has(type)));\n    await this.#persist(ready);',
  },
  {
    name: 'failed-fsync-ignored',
    shipped: 'cockroach#37102: fsyncgate',
    file: 'src/metadata/ready-handler.ts',
    find: 'await this.#persist(ready);',
    replace: 'await this.#persist(ready).catch(() => {});',
  },
  {
    name: 'answers-left-out-of-snapshots',
    shipped: 'thesis 6.3, openraft#2095: a retry after a snapshot is done twice',
    file: 'src/storage/memory-row-store.ts',
    find: 'for (const [table, values] of this.#tables)\n',
    replace: "for (const [table, values] of this.#tables) if (table !== 'result')\n",
  },
  {
    name: 'retries-done-again',
    shipped: 'curvine#676: a retried mkdir after a failover',
    file: 'src/namespace/run-command.ts',
    find: 'if (stored !== undefined) return stored;',
    replace: '',
  },
  {
    name: 'heartbeat-commits-past-match',
    shipped: 'atomix/copycat#265: a divergent entry is committed',
    file: 'raft/replication.ts',
    find: 'Math.min(progress.match, raft.log.committed)',
    replace: 'raft.log.committed',
  },
  {
    name: 'quorum-of-unsorted-indices',
    shipped: 'openraft#1802: committed without a quorum',
    file: 'raft/quorum.ts',
    find: 'indexes.sort((a, b) => a - b);',
    replace: 'indexes.sort();',
  },
  {
    name: 'vote-for-shorter-logs',
    shipped: 'Raft 5.4.1: a leader without committed entries',
    file: 'raft/log.ts',
    find: 'return candidate.term > last.term || (candidate.term === last.term && candidate.index >= last.index);',
    replace: 'return candidate.term >= last.term || candidate.index >= 0;',
  },
  {
    name: 'applied-index-before-rows',
    shipped: 'etcd#13766: the 3.5 data inconsistency',
    file: 'src/namespace/write-behind.ts',
    find: 'await this.#store.write(taken.changes);',
    replace:
      'await this.#store.write(taken.changes.slice(-2));\n      await this.#store.write(taken.changes);',
  },
  {
    name: 'reads-without-barrier',
    shipped: 'redisraft#18: stale reads in a healthy cluster',
    file: 'src/metadata/namespace-service.ts',
    find: 'if (!stale) await barrier.wait(signal);\n      return { stat',
    replace: 'return { stat',
  },
  {
    name: 'leader-never-heard-of',
    shipped:
      'our own, until seed 43 (hell): a node that was away never follows a leader that joined meanwhile',
    file: 'src/metadata/member-authorizer.ts',
    find: 'Promise.any(others.map(',
    replace: 'Promise.any(others.slice(others.length).map(',
  },
];
