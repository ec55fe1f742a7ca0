/** @module What every Raft log answers from memory: the part of RaftLogStore that reads. */
import type { ConfState, Entry, HardState, Index, Snapshot, Term } from '../../raft/types.ts';
import type { LogWindow } from './log-window.ts';

/** A log that keeps its tail in a window; how a change becomes durable, and when the window shows it, is each log's own. */
export abstract class WindowedRaftLog {
  protected readonly window: LogWindow;

  constructor(window: LogWindow) {
    this.window = window;
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return this.window.initialState();
  }

  entries(lo: Index, hi: Index, maxSizeBytes: number): Entry[] {
    return this.window.entries(lo, hi, maxSizeBytes);
  }

  term(i: Index): Term {
    return this.window.term(i);
  }

  firstIndex(): Index {
    return this.window.firstIndex();
  }

  lastIndex(): Index {
    return this.window.lastIndex();
  }

  snapshot(): Snapshot {
    return this.window.snapshot();
  }

  retainedBytes(): number {
    return this.window.retainedBytes;
  }

  isEmpty(): boolean {
    return this.window.isEmpty;
  }
}
