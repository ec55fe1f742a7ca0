/** @module The Raft log on a simulated disk: what a crash leaves is what was synced, and some part of what was being written. */
import type { ConfState, Entry, HardState, Index, Snapshot, Term } from '../../raft/types.ts';
import { logNotEmpty, storageClosed } from '../../src/storage/errors.ts';
import { type LogChange, LogWindow } from '../../src/storage/log-window.ts';
import { bootstrapChange } from '../../src/storage/memory-raft-log.ts';
import type { LogWrite, RaftLogStore } from '../../src/storage/raft-log-store.ts';
import type { DiskQueue } from './disk-queue.ts';
import { WindowedRaftLog } from '../../src/storage/windowed-raft-log.ts';

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
export class SimulatedRaftLog extends WindowedRaftLog implements RaftLogStore {
  readonly isCopy = false;
  readonly #components: SimulatedRaftLogComponents;
  #sequence: number;
  /** Writes that are not durable yet. */
  #underWay = 0;
  #isClosed = false;

  constructor(components: SimulatedRaftLogComponents) {
    super(new LogWindow(components.file.window.state()));
    this.#components = components;
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
    const mustWait = mustSync || entries.length > 0 || snapshot !== undefined || this.#underWay > 0;
    if (mustWait) return this.#persist({ kind: 'append', ...write });
    // A bare commit index: goes to the disk with the next write.
    if (hardState !== undefined) this.window.apply({ kind: 'append', entries, hardState });
  }

  async compact(snapshot: Snapshot, upTo: Index): Promise<void> {
    await this.#persist({ kind: 'compact', snapshot, upTo });
  }

  async bootstrap(confState: ConfState, hardState: HardState, entries: readonly Entry[]): Promise<void> {
    if (!this.isEmpty()) throw logNotEmpty(NAME);
    await this.#persist(bootstrapChange(confState, hardState, entries));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#persist({ kind: 'append', entries: [] });
    this.#isClosed = true;
  }

  /** Reads see the change once it is durable. */
  async #persist(change: LogChange): Promise<void> {
    if (this.#isClosed) throw storageClosed(NAME);
    const { file, queue } = this.#components;
    // A snapshot that a newer one has overtaken meanwhile is none.
    const isStale = (): boolean =>
      change.kind === 'compact' && change.snapshot.metadata.index < file.window.storedSnapshot.metadata.index;
    this.#underWay += 1;
    try {
      await queue.write(() => {
        if (isStale()) return;
        file.persist(change);
        this.window.apply(change);
        // What was only remembered goes along.
        const { hardState } = this.window.initialState();
        file.window.apply({ kind: 'append', entries: [], hardState });
        this.#sequence = file.sequence;
      });
    } finally {
      this.#underWay -= 1;
    }
  }
}
