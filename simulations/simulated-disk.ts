/** @module The disk of a simulated node: writes queue up, take their time, and a crash keeps a prefix of them. */
import { MemoryStorage } from '../raft/memory-storage.ts';
import type { Entry, HardState, Index, Snapshot, Term } from '../raft/types.ts';
import type { Prng } from './prng.ts';

/** All on disk or not at all, as with a transactional store. */
export interface DiskWrite {
  readonly hardState?: HardState | undefined;
  readonly entries: readonly Entry[];
  readonly snapshot?: Snapshot | undefined;
  readonly mustSync: boolean;
}

interface QueuedWrite {
  readonly write: DiskWrite;
  readonly doneAt: number;
  readonly onDone: () => void;
}

export interface SimulatedDiskComponents {
  readonly random: Prng;
  /** A snapshot from the leader is on disk: the state machine is what it says. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
}

/** Done in the order given, each not before its tick. */
export class SimulatedDisk {
  readonly storage: MemoryStorage = new MemoryStorage();
  readonly #components: SimulatedDiskComponents;
  /** What a crash leaves of the hard state: the last one that was synced. */
  #syncedHardState: HardState = { term: 0, vote: 0, commit: 0 };
  #queue: QueuedWrite[] = [];

  constructor(components: SimulatedDiskComponents) {
    this.#components = components;
  }

  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  /** Durable at once, before the node first starts. */
  format(write: DiskWrite): void {
    this.#persist({ ...write, mustSync: true });
  }

  enqueue(write: DiskWrite, earliest: number, onDone: () => void): void {
    const doneAt = Math.max(earliest, this.#queue.at(-1)?.doneAt ?? 0);
    this.#queue.push({ write, doneAt, onDone });
  }

  /** Does the first write if it is due. Says whether it was. */
  work(now: number): boolean {
    const first = this.#queue[0];
    if (first === undefined || first.doneAt > now) return false;
    this.#queue.shift();
    this.#persist(first.write);
    first.onDone();
    return true;
  }

  /** Of the writes under way, the first few may have made it. Nobody hears of it. */
  crash(): void {
    for (const { write } of this.#queue) {
      if (!this.#components.random.chance(0.5)) break;
      this.#persist(write);
    }
    this.#queue = [];
  }

  /** As it is found after a crash. */
  recover(): void {
    this.storage.setHardState(this.#syncedHardState);
  }

  /** As the log will be once all writes under way are done. */
  termAt(index: Index): Term | 'compacted' | undefined {
    for (const { write } of this.#queue.toReversed()) {
      const first = write.entries[0]?.index;
      if (first !== undefined && index >= first) return write.entries[index - first]?.term;
      const snapshot = write.snapshot?.metadata;
      if (snapshot !== undefined && index <= snapshot.index)
        return index === snapshot.index ? snapshot.term : 'compacted';
    }
    return this.#durableTermAt(index);
  }

  /** Whether entry (term, index), or a snapshot over it, is on disk already. */
  isDurable(index: Index, term: Term): boolean {
    const found = this.#durableTermAt(index);
    return found === 'compacted' || found === term;
  }

  #persist({ snapshot, entries, hardState, mustSync }: DiskWrite): void {
    if (snapshot !== undefined) {
      this.storage.applySnapshot(snapshot);
      this.#components.onSnapshot(snapshot);
    }
    this.storage.append(entries);
    if (hardState !== undefined) this.storage.setHardState(hardState);
    // A commit index written without sync may or may not survive a crash.
    if (mustSync || this.#components.random.chance(0.5))
      this.#syncedHardState = this.storage.initialState().hardState;
  }

  #durableTermAt(index: Index): Term | 'compacted' | undefined {
    if (index < this.storage.firstIndex() - 1) return 'compacted';
    return index > this.storage.lastIndex() ? undefined : this.storage.term(index);
  }
}
