/** @module The Raft log without a disk, for tests and simulations. */
import type { ConfState, Entry, HardState, Index, Snapshot } from '../../raft/types.ts';
import { assert } from '../common/errors.ts';
import { logNotEmpty, storageClosed } from './errors.ts';
import { type LogChange, LogWindow } from './log-window.ts';
import type { LogWrite, RaftLogStore } from './raft-log-store.ts';
import { WindowedRaftLog } from './windowed-raft-log.ts';

const NAME = 'memory';

/** Behaves as SqliteRaftLog does, except that a write is "durable" at once and lost with the process. */
export class MemoryRaftLog extends WindowedRaftLog implements RaftLogStore {
  #closed = false;
  #sequence = 0;
  #boot = 0;
  #isCopy = false;

  constructor(window: LogWindow = new LogWindow()) {
    super(window);
  }

  get sequence(): number {
    return this.#sequence;
  }

  get isCopy(): boolean {
    return this.#isCopy;
  }

  async adopt(): Promise<void> {
    this.#isCopy = false;
  }

  async beginBoot(): Promise<number> {
    this.#boot += 1;
    return this.#boot;
  }

  /** What a backup of the disk would hold. `isCopy`: and the files were copied, not the volume with all it says of them. */
  copy({ isCopy }: { readonly isCopy: boolean }): MemoryRaftLog {
    const copy = new MemoryRaftLog(new LogWindow(this.window.state()));
    copy.#sequence = this.#sequence;
    copy.#boot = this.#boot;
    copy.#isCopy = isCopy;
    return copy;
  }

  async append(write: LogWrite): Promise<void> {
    this.#apply({ kind: 'append', ...write });
  }

  async compact(snapshot: Snapshot, upTo: Index): Promise<void> {
    assert(upTo <= snapshot.metadata.index, `compaction to ${upTo} is covered by the snapshot`);
    if (snapshot.metadata.index < this.window.storedSnapshot.metadata.index) return;
    this.#apply({ kind: 'compact', snapshot, upTo });
  }

  async bootstrap(confState: ConfState, hardState: HardState, entries: readonly Entry[]): Promise<void> {
    if (!this.isEmpty()) throw logNotEmpty(NAME);
    this.#apply(bootstrapChange(confState, hardState, entries));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #apply(change: LogChange): void {
    if (this.#closed) throw storageClosed(NAME);
    this.window.apply(change);
    this.#sequence += 1;
  }
}

/** The first write of a log: a snapshot of index 0 carries the configuration. */
export function bootstrapChange(
  confState: ConfState,
  hardState: HardState,
  entries: readonly Entry[],
): LogChange {
  const snapshot = { metadata: { index: 0, term: 0, confState }, data: new Uint8Array() };
  return { kind: 'append', snapshot, hardState, entries };
}
