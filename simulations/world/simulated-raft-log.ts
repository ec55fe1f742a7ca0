/** @module The Raft log as one run of a process has it open, on a simulated disk. Behaves as SqliteRaftLog does. */
import type { ConfState, Entry, HardState, Index, Snapshot } from '../../raft/types.ts';
import { logNotEmpty, storageClosed } from '../../src/storage/errors.ts';
import type { LogChange } from '../../src/storage/log-window.ts';
import { bootstrapChange } from '../../src/storage/memory-raft-log.ts';
import type { LogWrite, RaftLogStore } from '../../src/storage/raft-log-store.ts';
import { WindowedRaftLog } from '../../src/storage/windowed-raft-log.ts';
import type { Prng } from '../prng.ts';
import type { DiskQueue } from './disk-queue.ts';
import { SimulatedMarker } from './marker-file.ts';
import { LOG_NAME, type OpenedLog, type RaftLogFile, standingOf } from './raft-log-file.ts';

export interface SimulatedRaftLogComponents {
  readonly file: RaftLogFile;
  readonly queue: DiskQueue;
  readonly random: Prng;
  readonly observer: LogObserver;
}

export interface LogObserver {
  /** Of each write that the node orders, before it is durable. */
  ordered(write: LogWrite, log: SimulatedRaftLog): void;
  /** Entries are gone from the disk. */
  compacted(): void;
}

export class SimulatedRaftLog extends WindowedRaftLog implements RaftLogStore {
  /** A write that was cut short was thrown away when it was opened. */
  readonly wasTorn: boolean;
  readonly #components: SimulatedRaftLogComponents;
  readonly #marker: SimulatedMarker;
  #sequence: number;
  /** Writes that are not durable yet. */
  #underWay = 0;
  #isClosed = false;

  private constructor(components: SimulatedRaftLogComponents, opened: OpenedLog) {
    super(opened.window);
    this.#components = components;
    this.#marker = new SimulatedMarker(opened.marker, components.queue, opened.mark);
    this.#sequence = opened.sequence;
    this.wasTorn = opened.wasTorn;
  }

  /** Errors: those of RaftLogFile.open. */
  static open(components: SimulatedRaftLogComponents): SimulatedRaftLog {
    return new SimulatedRaftLog(components, components.file.open());
  }

  get sequence(): number {
    return this.#sequence;
  }

  get isCopy(): boolean {
    return this.#marker.isCopy;
  }

  adopt(): Promise<void> {
    return this.#marker.adopt();
  }

  async beginBoot(): Promise<number> {
    const boot = await this.#marker.beginBoot(standingOf(this.window, this.#sequence));
    this.#components.file.acknowledge(this.window.initialState().hardState);
    return boot;
  }

  async append(write: LogWrite): Promise<void> {
    this.#components.observer.ordered(write, this);
    const { hardState, entries, snapshot, mustSync } = write;
    const mustWait = mustSync || entries.length > 0 || snapshot !== undefined || this.#underWay > 0;
    if (mustWait) return this.#persist({ kind: 'append', ...write });
    // A bare commit index: goes to the disk with the next write.
    if (hardState !== undefined) this.window.apply({ kind: 'append', entries, hardState });
  }

  async compact(snapshot: Snapshot, upTo: Index): Promise<void> {
    await this.#persist({ kind: 'compact', snapshot, upTo });
    this.#components.observer.compacted();
  }

  async bootstrap(confState: ConfState, hardState: HardState, entries: readonly Entry[]): Promise<void> {
    if (!this.isEmpty()) throw logNotEmpty(LOG_NAME);
    await this.#persist(bootstrapChange(confState, hardState, entries));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#persist({ kind: 'append', entries: [] });
    this.#isClosed = true;
    await this.#marker.close();
  }

  /** Reads see the change once it is durable; the caller hears of it once it is marked, too. */
  async #persist(change: LogChange): Promise<void> {
    if (this.#isClosed) throw storageClosed(LOG_NAME);
    const { file, queue, random } = this.#components;
    this.#underWay += 1;
    file.order(change);
    try {
      await queue.write(
        () => this.#write(change),
        () => file.tear(change, this.window.initialState().hardState, random),
      );
    } finally {
      this.#underWay -= 1;
      file.settle(change);
    }
    await this.#marker.mark(standingOf(this.window, this.#sequence));
    file.acknowledge(this.window.initialState().hardState);
  }

  #write(change: LogChange): void {
    // A compaction that a newer snapshot has overtaken meanwhile is none.
    if (
      change.kind === 'compact' &&
      change.snapshot.metadata.index < this.window.storedSnapshot.metadata.index
    )
      return;
    this.window.apply(change);
    this.#components.file.persist(change, this.window.initialState().hardState);
    this.#sequence += 1;
  }
}
