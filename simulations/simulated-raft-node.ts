/** @module One node of a simulated cluster: the real core, a disk that keeps only what was synced, a toy state machine. */
import { decodeConfChange } from '../raft/conf-change-codec.ts';
import { describeReady } from '../raft/describe.ts';
import { isRaftError } from '../raft/errors.ts';
import { EMPTY_CONF_STATE, MemoryStorage } from '../raft/memory-storage.ts';
import { maySendBeforePersisting } from '../raft/messages.ts';
import { RawNode } from '../raft/raw-node.ts';
import type { Status } from '../raft/raw-node.ts';
import type {
  ConfState,
  Entry,
  HardState,
  Index,
  Message,
  NodeId,
  RaftLogger,
  Ready,
  Snapshot,
  Term,
} from '../raft/types.ts';
import type { Prng } from './prng.ts';
import type { RaftOracle } from './raft-oracle.ts';
import type { RaftSwarmOptions } from './raft-options.ts';
import type { Trace } from './trace.ts';

/** The state machine: a digest of all it has applied. */
interface MachineState {
  readonly index: Index;
  readonly digest: number;
  readonly confState: ConfState;
}

interface PendingWrite {
  readonly ready: Ready;
  readonly doneAt: number;
}

export interface SimulatedRaftNodeComponents {
  readonly oracle: RaftOracle;
  readonly random: Prng;
  readonly trace: Trace;
  readonly send: (message: Message) => void;
  /** Whether the disk of `node` holds entry (term, index), or a snapshot over it. */
  readonly hasDurable: (node: NodeId, index: Index, term: Term) => boolean;
}

const silent: RaftLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const DIGEST_BYTES = 4;

/** Crash keeps the disk and loses everything else. */
export class SimulatedRaftNode {
  readonly id: NodeId;
  readonly #components: SimulatedRaftNodeComponents;
  readonly #options: RaftSwarmOptions;
  readonly #storage = new MemoryStorage();
  /** What a crash leaves of the hard state: the last one that was synced. */
  #syncedHardState: HardState = { term: 0, vote: 0, commit: 0 };
  #machine: MachineState;
  #durableMachine: MachineState;
  #core: RawNode | undefined;
  #write: PendingWrite | undefined;
  #lastSnapshot: Index = 0;
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
    this.#machine = { index: 0, digest: 0, confState: EMPTY_CONF_STATE };
    this.#durableMachine = this.#machine;
    if (voters.length > 0) this.#found(voters);
    this.start();
  }

  get isRunning(): boolean {
    return this.#core !== undefined;
  }

  get applied(): Index {
    return this.#machine.index;
  }

  get confState(): ConfState {
    return this.#machine.confState;
  }

  status(): Status | undefined {
    return this.#core?.status();
  }

  start(): void {
    this.#machine = this.#durableMachine;
    this.#storage.setHardState(this.#syncedHardState);
    this.#storage.setConfState(this.#machine.confState);
    const { random } = this.#components;
    this.#core = new RawNode({
      ...this.#options,
      id: this.id,
      storage: this.#storage,
      applied: this.#machine.index,
      maxInflightBytes: 0,
      readOnlyOption: 'ReadOnlySafe',
      disableProposalForwarding: false,
      rand: (n) => random.int(n),
      logger: silent,
    });
  }

  /** A write under way is all on disk or not at all, as with a transactional store. */
  crash(): void {
    if (this.#write !== undefined && this.#components.random.chance(0.5)) this.#persist(this.#write.ready);
    this.#core = undefined;
    this.#write = undefined;
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

  /** Finishes a due write and starts the next. */
  work(now: number): void {
    for (;;) {
      if (this.#write !== undefined) {
        if (this.#write.doneAt > now) return;
        this.#finish(this.#write.ready);
      }
      if (this.#core?.hasReady() !== true) return;
      this.#begin(this.#core, now);
    }
  }

  /** The first configuration is a snapshot, so that who joins later gets it too. */
  #found(voters: readonly NodeId[]): void {
    const confState = { ...EMPTY_CONF_STATE, voters };
    this.#install({ metadata: { index: 1, term: 1, confState }, data: digestBytes(0) });
    this.#syncedHardState = { term: 1, vote: 0, commit: 1 };
  }

  termAt(index: Index): Term | 'compacted' | undefined {
    const snapshot = this.#write?.ready.snapshot?.metadata;
    if (snapshot !== undefined && index <= snapshot.index)
      return index === snapshot.index ? snapshot.term : 'compacted';
    return this.#termWith(this.#write?.ready.entries ?? [], index);
  }

  /** Whether the disk alone holds the entry. */
  isDurable(index: Index, term: Term): boolean {
    const found = this.#termWith([], index);
    return found === 'compacted' || found === term;
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

  #begin(core: RawNode, now: number): void {
    const { oracle, random, send, trace } = this.#components;
    const ready = core.ready();
    trace.add(`${now} ${this.id} ${describeReady(ready)}`);
    this.#write = { ready, doneAt: now + random.int(this.#options.maxWriteTicks + 1) };
    for (const entry of ready.entries) oracle.sawAppend(this.id, this.termAt(entry.index - 1), entry);
    const { raftState, term } = core.status();
    if (raftState === 'StateLeader') oracle.sawLeader(this.id, term, (index) => this.termAt(index));
    for (const { index, requestCtx } of ready.readStates) {
      const asked = this.#reads.get(requestCtx.join(','));
      if (asked !== undefined) oracle.sawRead(this.id, index, asked);
    }
    for (const message of ready.messages) if (maySendBeforePersisting(message.type)) send(message);
  }

  #finish(ready: Ready): void {
    const core = this.#core;
    this.#write = undefined;
    if (core === undefined) return;
    this.#persist(ready);
    for (const message of ready.messages)
      if (!maySendBeforePersisting(message.type)) this.#components.send(message);
    if (ready.snapshot !== undefined) this.#machine = this.#durableMachine;
    for (const entry of ready.committedEntries) this.#apply(entry);
    this.#event((running) => running.advance());
    this.#maybeSnapshot();
  }

  #persist(ready: Ready): void {
    if (ready.snapshot !== undefined) this.#install(ready.snapshot);
    this.#storage.append(ready.entries);
    if (ready.hardState !== undefined) this.#storage.setHardState(ready.hardState);
    // A commit index written without sync may or may not survive a crash.
    if (ready.mustSync || this.#components.random.chance(0.5))
      this.#syncedHardState = this.#storage.initialState().hardState;
  }

  #install(snapshot: Snapshot): void {
    const { index, confState } = snapshot.metadata;
    this.#storage.applySnapshot(snapshot);
    const digest = new DataView(snapshot.data.buffer).getUint32(0);
    this.#components.oracle.sawHistory(this.id, index, digest);
    this.#durableMachine = { index, digest, confState };
    this.#lastSnapshot = index;
  }

  #apply(entry: Entry): void {
    const { oracle, random } = this.#components;
    if (entry.index !== this.#machine.index + 1)
      throw new Error(`${this.id} is given entry ${entry.index} to apply after ${this.#machine.index}`);
    let { confState } = this.#machine;
    // A change that cannot follow is refused, on every node alike: the configuration is part of the history.
    if (entry.type !== 'EntryNormal')
      this.#event((core) => {
        confState = core.applyConfChange(decodeConfChange(entry.data));
      });
    const digest = oracle.sawApply(this.id, this.#machine.digest, entry, confState);
    this.#machine = { index: entry.index, digest, confState };
    if (random.chance(0.1)) this.#durableMachine = this.#machine;
  }

  #maybeSnapshot(): void {
    const { index, digest, confState } = this.#machine;
    const { snapshotEveryEntries, trailingEntries } = this.#options;
    if (index < this.#lastSnapshot + snapshotEveryEntries) return;
    this.#durableMachine = this.#machine;
    this.#lastSnapshot = index;
    this.#storage.createSnapshot(index, confState, digestBytes(digest));
    const keepFrom = index - trailingEntries;
    if (keepFrom >= this.#storage.firstIndex()) this.#storage.compact(keepFrom);
  }

  /** As the log will be once `unwritten` is on disk. */
  #termWith(unwritten: readonly Entry[], index: Index): Term | 'compacted' | undefined {
    const first = unwritten[0];
    if (first !== undefined && index >= first.index) return unwritten[index - first.index]?.term;
    if (index < this.#storage.firstIndex() - 1) return 'compacted';
    return index > this.#storage.lastIndex() ? undefined : this.#storage.term(index);
  }
}

function digestBytes(digest: number): Uint8Array {
  const bytes = new Uint8Array(DIGEST_BYTES);
  new DataView(bytes.buffer).setUint32(0, digest);
  return bytes;
}
