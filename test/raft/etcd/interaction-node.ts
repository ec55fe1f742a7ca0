/** @module One node of an interaction transcript: a core, its disk, its two storage threads, a toy state machine. */
import { decodeConfChange } from '../../../raft/conf-change-codec.ts';
import { EMPTY_SNAPSHOT, MemoryStorage } from '../../../raft/memory-storage.ts';
import { hardStateOf } from '../../../raft/messages.ts';
import { RawNode } from '../../../raft/raw-node.ts';
import type { Config, Entry, HardState, Message, Snapshot } from '../../../raft/types.ts';

/** All of a node's set-up but its id, its disk and its luck. */
export type NodeOptions = Omit<Config, 'id' | 'storage' | 'applied' | 'rand'>;

/** Gives out the newest state of the machine as the snapshot, wherever the log was compacted. */
class MachineStorage extends MemoryStorage {
  readonly #newest: () => Snapshot;

  constructor(newest: () => Snapshot) {
    super();
    this.#newest = newest;
  }

  override snapshot(): Snapshot {
    return this.#newest();
  }
}

export class InteractionNode {
  readonly id: number;
  readonly options: NodeOptions;
  readonly raw: RawNode;
  readonly storage: MemoryStorage;
  /** MsgStorageAppends and MsgStorageApplys that wait for their thread. */
  readonly appendWork: Message[] = [];
  readonly applyWork: Message[] = [];
  /** The state machine: all data ever applied, one after the other. */
  #machine: Snapshot;
  /** What every draw of an election time-out adds to electionTick. */
  #drawnTicks = 0;

  /** `start` is what its log and state begin behind; without an index, the node begins empty. */
  constructor(id: number, options: NodeOptions, start: Snapshot) {
    this.id = id;
    this.options = options;
    this.#machine = start;
    this.storage = new MachineStorage(() => this.#machine);
    if (start.metadata.index > EMPTY_SNAPSHOT.metadata.index) this.storage.applySnapshot(start);
    this.raw = new RawNode({
      ...options,
      id,
      storage: this.storage,
      applied: start.metadata.index,
      rand: () => this.#drawnTicks,
    });
  }

  /** From now on, whenever it is drawn again. */
  setElectionTimeout(ticks: number): void {
    this.#drawnTicks = ticks - this.options.electionTick;
    this.raw.setElectionTimeout(ticks);
  }

  /** Durably, as one write. */
  append(hardState: HardState | undefined, entries: readonly Entry[], snapshot: Snapshot | undefined): void {
    if (hardState !== undefined) this.storage.setHardState(hardState);
    if (snapshot !== undefined) this.storage.applySnapshot(snapshot);
    this.storage.append(entries);
  }

  /** Does the oldest MsgStorageAppend. */
  runAppendThread(): Message | undefined {
    const work = this.appendWork.shift();
    if (work !== undefined) this.append(hardStateOf(work), work.entries, work.snapshot);
    return work;
  }

  /** Does the oldest MsgStorageApply. */
  runApplyThread(): Message | undefined {
    const work = this.applyWork.shift();
    if (work !== undefined) this.apply(work.entries);
    return work;
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const change = entry.type === 'EntryNormal' ? undefined : decodeConfChange(entry.data);
      const added = change === undefined ? entry.data : change.context;
      const { data, metadata } = this.#machine;
      const confState = change === undefined ? metadata.confState : this.raw.applyConfChange(change);
      this.#machine = {
        metadata: { index: entry.index, term: entry.term, confState },
        data: Uint8Array.of(...data, ...added),
      };
    }
  }
}
