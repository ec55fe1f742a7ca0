/** @module The Raft log on a simulated disk: what a crash leaves is what was synced, and some part of what was being written. */
import type { ConfState, Entry, HardState, Index, Snapshot, Term } from '../../raft/types.ts';
import { logNotEmpty } from '../../src/storage/errors.ts';
import { type LogChange, LogWindow } from '../../src/storage/log-window.ts';
import { bootstrapChange } from '../../src/storage/memory-raft-log.ts';
import type { LogWrite, RaftLogStore } from '../../src/storage/raft-log-store.ts';
import type { DiskQueue } from './disk-queue.ts';

const NAME = 'raft.log';

/** What is on the disk; outlives the processes. */
export class RaftLogFile {
  readonly window: LogWindow = new LogWindow();
  sequence = 0;
  boot = 0;

  persist(change: LogChange): void {
    this.window.apply(change);
    this.sequence += 1;
  }

  /** Term of an entry here; 'compacted' where a snapshot stands for it, undefined where there is none. */
  termAt(index: Index): Term | 'compacted' | undefined {
    if (index < this.window.firstIndex() - 1) return 'compacted';
    return index > this.window.lastIndex() ? undefined : this.window.term(index);
  }
}

export interface SimulatedRaftLogComponents {
  readonly file: RaftLogFile;
  readonly queue: DiskQueue;
  /** Told of each write that the node orders, before it is durable. */
  readonly observe: (write: LogWrite, log: SimulatedRaftLog) => void;
}

/** The log as one run of a process has it open. Behaves as SqliteRaftLog does. */
export class SimulatedRaftLog implements RaftLogStore {
  readonly isCopy = false;
  readonly #components: SimulatedRaftLogComponents;
  readonly #window: LogWindow;
  #sequence: number;

  constructor(components: SimulatedRaftLogComponents) {
    this.#components = components;
    this.#window = new LogWindow(components.file.window.state());
    this.#sequence = components.file.sequence;
  }

  get sequence(): number {
    return this.#sequence;
  }

  async adopt(): Promise<void> {}

  async beginBoot(): Promise<number> {
    const { file, queue } = this.#components;
    await queue.write(() => {
      file.boot += 1;
    });
    return file.boot;
  }

  async append(write: LogWrite): Promise<void> {
    this.#components.observe(write, this);
    const { hardState, entries, snapshot, mustSync } = write;
    if (mustSync || entries.length > 0 || snapshot !== undefined)
      return this.#persist({ kind: 'append', ...write });
    // A bare commit index: goes to the disk with the next write.
    if (hardState !== undefined) this.#window.apply({ kind: 'append', entries, hardState });
  }

  async compact(snapshot: Snapshot, upTo: Index): Promise<void> {
    if (snapshot.metadata.index < this.#window.storedSnapshot.metadata.index) return;
    await this.#persist({ kind: 'compact', snapshot, upTo });
  }

  async bootstrap(confState: ConfState, hardState: HardState, entries: readonly Entry[]): Promise<void> {
    if (!this.isEmpty()) throw logNotEmpty(NAME);
    await this.#persist(bootstrapChange(confState, hardState, entries));
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return this.#window.initialState();
  }

  entries(lo: Index, hi: Index, maxSizeBytes: number): Entry[] {
    return this.#window.entries(lo, hi, maxSizeBytes);
  }

  term(i: Index): Term {
    return this.#window.term(i);
  }

  firstIndex(): Index {
    return this.#window.firstIndex();
  }

  lastIndex(): Index {
    return this.#window.lastIndex();
  }

  snapshot(): Snapshot {
    return this.#window.snapshot();
  }

  retainedBytes(): number {
    return this.#window.retainedBytes;
  }

  isEmpty(): boolean {
    return this.#window.isEmpty;
  }

  async close(): Promise<void> {
    await this.#persist({ kind: 'append', entries: [] });
  }

  /** Reads see the change once it is durable. */
  async #persist(change: LogChange): Promise<void> {
    const { file, queue } = this.#components;
    const remembered = this.#window.initialState().hardState;
    const whole: LogChange =
      change.kind === 'append' ? { ...change, hardState: change.hardState ?? remembered } : change;
    await queue.write(() => file.persist(whole));
    this.#window.apply(change);
    this.#sequence = file.sequence;
  }
}
