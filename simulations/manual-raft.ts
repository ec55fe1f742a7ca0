/** @module A few cores driven by hand, for scenarios and tests: every step is asked for, nothing is lost unless somebody says so. */
import { decodeConfChange } from '../raft/conf-change-codec.ts';
import { isRaftError } from '../raft/errors.ts';
import { EMPTY_CONF_STATE, MemoryStorage } from '../raft/memory-storage.ts';
import { message, type MessageDraft } from '../raft/messages.ts';
import { RawNode } from '../raft/raw-node.ts';
import type {
  Config,
  Entry,
  HardState,
  Index,
  Message,
  NodeId,
  ReadState,
  Ready,
  Snapshot,
  Term,
} from '../raft/types.ts';

export const ELECTION_TICKS = 10;
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function entry(term: number, index: number, text = ''): Entry {
  return { term, index, type: 'EntryNormal', data: bytes(text) };
}

/** A log from index 1 on, by the terms of its entries. */
export function logOf(...terms: readonly Term[]): Entry[] {
  return terms.map((term, position) => entry(term, position + 1));
}

/** One that a leader with the configuration of `node` may send. */
export function snapshotAt(node: ManualNode, index: Index, term: Term): Snapshot {
  return { metadata: { index, term, confState: node.raw.status().confState }, data: bytes('') };
}

/** What a node starts from. Its log begins behind a snapshot at index 0 that names the voters. */
export interface Start {
  readonly id: NodeId;
  readonly voters: readonly NodeId[];
  readonly learners?: readonly NodeId[];
  readonly log?: readonly Entry[];
  readonly hardState?: HardState;
  readonly config?: Partial<Config>;
  /** A disk that is there already, or a special one; an empty one by default. */
  readonly storage?: MemoryStorage;
}

export class ManualNode {
  readonly storage: MemoryStorage;
  readonly raw: RawNode;
  readonly applied: Entry[] = [];
  readonly reads: ReadState[] = [];

  constructor({ id, voters, learners = [], log = [], hardState, config, storage }: Start) {
    this.storage = storage ?? new MemoryStorage();
    if (voters.length > 0) this.storage.setConfState({ ...EMPTY_CONF_STATE, voters, learners });
    this.storage.append(log);
    if (storage === undefined || hardState !== undefined || log.length > 0)
      this.storage.setHardState(hardState ?? { term: log.at(-1)?.term ?? 0, vote: 0, commit: 0 });
    this.raw = new RawNode({
      id,
      electionTick: ELECTION_TICKS,
      heartbeatTick: 1,
      storage: this.storage,
      maxSizePerMsgBytes: 1024 * 1024,
      maxCommittedSizePerReadyBytes: 1024 * 1024,
      maxUncommittedSizeBytes: 0,
      maxInflightMsgs: 256,
      maxInflightBytes: 0,
      checkQuorum: false,
      preVote: false,
      readOnlyOption: 'ReadOnlySafe',
      disableProposalForwarding: false,
      stepDownOnRemoval: false,
      rand: () => 0,
      logger: SILENT,
      ...config,
    });
  }

  /** Does what all Readys ask for and returns what is to be sent. */
  flush(): Message[] {
    const sent: Message[] = [];
    while (this.raw.hasReady()) {
      const ready = this.raw.ready();
      this.persist(ready);
      sent.push(...ready.messages);
      this.reads.push(...ready.readStates);
      for (const committed of ready.committedEntries) this.#apply(committed);
      this.raw.advance();
    }
    return sent;
  }

  persist(ready: Ready): void {
    if (ready.snapshot !== undefined) this.storage.applySnapshot(ready.snapshot);
    this.storage.append(ready.entries);
    if (ready.hardState !== undefined) this.storage.setHardState(ready.hardState);
  }

  /** Steps a message as if from the network, and flushes. */
  receive(draft: MessageDraft): Message[] {
    this.raw.step(message(draft));
    return this.flush();
  }

  tick(times: number): Message[] {
    for (let i = 0; i < times; i++) this.raw.tick();
    return this.flush();
  }

  log(): string[] {
    const { storage } = this;
    return storage
      .entries(storage.firstIndex(), storage.lastIndex() + 1, Infinity)
      .map(({ term, index }) => `${term}/${index}`);
  }

  #apply(committed: Entry): void {
    this.applied.push(committed);
    if (committed.type === 'EntryNormal') return;
    this.storage.setConfState(this.raw.applyConfChange(decodeConfChange(committed.data)));
  }
}

export class ManualCluster {
  readonly nodes: Map<NodeId, ManualNode> = new Map();
  /** Messages for which this says true are lost. */
  drops: (m: Message) => boolean = () => false;

  constructor(starts: readonly Start[]) {
    for (const start of starts) this.nodes.set(start.id, new ManualNode(start));
  }

  /** `count` voters with empty logs. */
  static of(count: number, config: Partial<Config> = {}): ManualCluster {
    const voters = Array.from({ length: count }, (_, i) => i + 1);
    return new ManualCluster(voters.map((id) => ({ id, voters, config })));
  }

  node(id: NodeId): ManualNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`There is no node ${id}`);
    return node;
  }

  elect(id: NodeId): ManualNode {
    this.node(id).raw.campaign();
    this.settle();
    return this.node(id);
  }

  /** Delivers messages until nobody has anything to say. */
  settle(): void {
    for (let sent = this.#flushAll(); sent.length > 0; sent = this.#flushAll())
      for (const m of sent) if (!this.drops(m)) this.#deliver(m);
  }

  #flushAll(): Message[] {
    return [...this.nodes.values()].flatMap((node) => node.flush());
  }

  #deliver(m: Message): void {
    try {
      this.nodes.get(m.to)?.raw.step(m);
    } catch (error) {
      if (!isRaftError(error) || error.code === 'RAFT_INVARIANT') throw error;
    }
  }
}
