/** @module One node of a simulated cluster: the real core, a disk that keeps only what was synced, a toy state machine. */
import { decodeConfChange } from '../raft/conf-change-codec.ts';
import { describeReady } from '../raft/describe.ts';
import { isRaftError } from '../raft/errors.ts';
import { EMPTY_CONF_STATE } from '../raft/memory-storage.ts';
import { RawNode, type Status } from '../raft/raw-node.ts';
import type { ConfState, Entry, Index, Message, NodeId, RaftLogger, Snapshot, Term } from '../raft/types.ts';
import { DigestMachine, digestBytes } from './digest-machine.ts';
import type { Prng } from './prng.ts';
import type { RaftOracle } from './raft-oracle.ts';
import type { RaftSwarmOptions } from './raft-swarm-options.ts';
import { ReadyWork } from './ready-work.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import type { Trace } from './trace.ts';

export interface SimulatedRaftNodeComponents {
  readonly oracle: RaftOracle;
  readonly random: Prng;
  readonly trace: Trace;
  readonly send: (message: Message) => void;
  /** Whether the disk of `node` holds entry (term, index), or a snapshot over it. */
  readonly hasDurable: (node: NodeId, index: Index, term: Term) => boolean;
}

/** Of the entries applied: the state after them survives a crash. */
const PERSISTED_SHARE = 0.1;
const silent: RaftLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Crash keeps the disk and loses everything else. */
export class SimulatedRaftNode {
  readonly id: NodeId;
  readonly #components: SimulatedRaftNodeComponents;
  readonly #options: RaftSwarmOptions;
  readonly #disk: SimulatedDisk;
  readonly #machine = new DigestMachine();
  #core: RawNode | undefined;
  readonly #work: ReadyWork;
  #reads = new Map<string, Index>();
  #readCounter = 0;

  /** `voters` is the configuration that the first nodes are born with; empty for those added later. */
  constructor(
    id: NodeId,
    voters: readonly NodeId[],
    components: SimulatedRaftNodeComponents,
    options: RaftSwarmOptions,
  ) {
    this.id = id;
    this.#components = components;
    this.#options = options;
    const onSnapshot = (snapshot: Snapshot): void => this.#installed(snapshot);
    this.#disk = new SimulatedDisk({ random: components.random, onSnapshot });
    this.#work = new ReadyWork(
      {
        ...components,
        disk: this.#disk,
        receive: (message) => this.receive(message),
        apply: (entry) => this.#apply(entry),
        advance: () => this.#event((core) => core.advance()),
        applied: () => this.#maybeSnapshot(),
      },
      { ...options, id },
    );
    if (voters.length > 0) this.#found(voters);
    this.start();
  }

  get isRunning(): boolean {
    return this.#core !== undefined;
  }

  get isLeader(): boolean {
    return this.#core?.status().raftState === 'StateLeader';
  }

  get applied(): Index {
    return this.#machine.state.index;
  }

  get confState(): ConfState {
    return this.#machine.state.confState;
  }

  status(): Status | undefined {
    return this.#core?.status();
  }

  start(): void {
    this.#machine.restart();
    this.#disk.recover();
    this.#disk.storage.setConfState(this.confState);
    const { random } = this.#components;
    const { preVote, mixedPreVote } = this.#options;
    this.#core = new RawNode({
      ...this.#options,
      preVote: mixedPreVote && this.id % 2 === 1 ? !preVote : preVote,
      id: this.id,
      storage: this.#disk.storage,
      applied: this.applied,
      maxInflightBytes: 0,
      readOnlyOption: 'ReadOnlySafe',
      disableProposalForwarding: false,
      rand: (n) => random.int(n),
      logger: silent,
    });
  }

  crash(): void {
    this.#disk.crash();
    this.#core = undefined;
    this.#work.crash();
    this.#reads = new Map();
  }

  tick(): void {
    this.#event((core) => core.tick());
  }

  receive(message: Message): void {
    this.#event((core) => core.step(message));
  }

  propose(data: Uint8Array): void {
    this.#event((core) => core.propose(data));
  }

  /** Any call that a shell may make. */
  ask(call: (core: RawNode) => void): void {
    this.#event(call);
  }

  /** Each attempt has a context of its own, across crashes too. */
  read(): void {
    this.#readCounter += 1;
    const context = Uint8Array.of(this.id, ...digestBytes(this.#readCounter));
    this.#reads.set(context.join(','), this.#components.oracle.lastCommitted);
    this.#event((core) => core.readIndex(context));
  }

  /** Finishes what is due and starts what is next, until nothing is left for this tick. */
  work(now: number): void {
    while (this.#disk.work(now) || this.#work.applyNext(now) || this.#handleReady(now));
  }

  termAt(index: Index): Term | 'compacted' | undefined {
    return this.#disk.termAt(index);
  }

  /** Whether the disk alone holds the entry. */
  isDurable(index: Index, term: Term): boolean {
    return this.#disk.isDurable(index, term);
  }

  /** The first configuration is a snapshot, so that who joins later gets it too. */
  #found(voters: readonly NodeId[]): void {
    const confState = { ...EMPTY_CONF_STATE, voters };
    const snapshot = { metadata: { index: 1, term: 1, confState }, data: digestBytes(0) };
    this.#disk.format({
      snapshot,
      entries: [],
      hardState: { term: 1, vote: 0, commit: 1 },
      mustSync: true,
    });
  }

  #event(call: (core: RawNode) => void): void {
    const core = this.#core;
    if (core === undefined) return;
    const before = core.status();
    try {
      call(core);
    } catch (error) {
      if (!isRaftError(error) || error.code === 'RAFT_INVARIANT') throw error;
      this.#components.trace.add(`${this.id} refused: ${error.code}`);
    }
    this.#checkCommit(core, before);
  }

  #checkCommit(core: RawNode, before: Status): void {
    const after = core.status();
    if (after.raftState !== 'StateLeader' || after.commit === before.commit) return;
    const { oracle, hasDurable } = this.#components;
    const term = this.termAt(after.commit);
    // Replicated by others and not written here yet: the oracle sees it when it is applied.
    if (term === undefined || term === 'compacted') return;
    oracle.sawCommit(this.id, after.commit, term, [before.confState, after.confState], (node) =>
      hasDurable(node, after.commit, term),
    );
  }

  #handleReady(now: number): boolean {
    const core = this.#core;
    if (core === undefined || !this.#work.takesMore || !core.hasReady()) return false;
    const ready = core.ready();
    this.#components.trace.add(`${now} ${this.id} ${describeReady(ready)}`);
    this.#work.begin(ready, now);
    const { oracle } = this.#components;
    for (const entry of ready.entries) oracle.sawAppend(this.id, this.termAt(entry.index - 1), entry);
    const { raftState, term } = core.status();
    if (raftState === 'StateLeader') oracle.sawLeader(this.id, term, (index) => this.termAt(index));
    for (const { index, requestCtx } of ready.readStates) {
      const asked = this.#reads.get(requestCtx.join(','));
      if (asked !== undefined) oracle.sawRead(this.id, index, asked);
    }
    return true;
  }

  #installed(snapshot: Snapshot): void {
    const { index, digest } = this.#machine.install(snapshot);
    this.#components.oracle.sawHistory(this.id, index, digest);
  }

  #apply(entry: Entry): void {
    const { oracle, random } = this.#components;
    this.#machine.checkNext(entry);
    let { confState } = this.#machine.state;
    // A change that cannot follow is refused, on every node alike: the configuration is part of the history.
    if (entry.type !== 'EntryNormal')
      this.#event((core) => {
        confState = core.applyConfChange(decodeConfChange(entry.data));
      });
    const digest = oracle.sawApply(this.id, this.#machine.state.digest, entry, confState);
    this.#machine.advance({ index: entry.index, digest, confState });
    if (random.chance(PERSISTED_SHARE)) this.#machine.persist();
  }

  #maybeSnapshot(): void {
    const { snapshotEveryEntries, trailingEntries } = this.#options;
    const state = this.#machine.maybeSnapshot(snapshotEveryEntries);
    if (state === undefined) return;
    const { index, digest, confState } = state;
    const { storage } = this.#disk;
    storage.createSnapshot(index, confState, digestBytes(digest));
    const keepFrom = index - trailingEntries;
    if (keepFrom >= storage.firstIndex()) storage.compact(keepFrom);
  }
}
