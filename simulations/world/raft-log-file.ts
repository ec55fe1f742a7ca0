/** @module A Raft log with its marker on a simulated disk: outlives the processes, and is judged when one opens it. */
import type { HardState, Index, Term } from '../../raft/types.ts';
import { corruptLog, lostLog, lostMarker } from '../../src/storage/errors.ts';
import { checkAgainst } from '../../src/storage/log-judgement.ts';
import type { LogStanding, Mark } from '../../src/storage/log-mark.ts';
import { EMPTY_LOG, type LogChange, type LogState, LogWindow } from '../../src/storage/log-window.ts';
import type { Prng } from '../prng.ts';
import { LogJournal } from './log-journal.ts';
import { MarkerFile } from './marker-file.ts';

export const LOG_NAME = 'raft.db';

/** One transaction; `state` is what a compaction leaves. */
type JournalRecord =
  | { readonly sequence: number; readonly change: LogChange; readonly hardState: HardState }
  | { readonly sequence: number; readonly state: LogState };

export interface OpenedLog {
  readonly window: LogWindow;
  readonly sequence: number;
  readonly marker: MarkerFile;
  readonly mark: Mark;
  /** A write that was cut short was thrown away. */
  readonly wasTorn: boolean;
}

export class RaftLogFile {
  #journal: LogJournal<JournalRecord> | undefined = new LogJournal({ encode, decode });
  #marker: MarkerFile | undefined = new MarkerFile(standingOf(new LogWindow(), 0));
  /** What reads of the disk would find; for the oracle, who counts disks. */
  #window: LogWindow = new LogWindow();
  #sequence = 0;
  #acknowledged: HardState = EMPTY_LOG.hardState;
  /** By the run that has it open, in their order, and not durable yet. */
  readonly #ordered = new Set<LogChange>();

  /** First write of a cluster's first log. */
  found(change: LogChange, hardState: HardState): void {
    this.persist(change, hardState);
    this.acknowledge(hardState);
    this.#marker = new MarkerFile(standingOf(this.#window, this.#sequence));
  }

  /** The run that has it open wants this written: a crash may keep it. */
  order(change: LogChange): void {
    this.#ordered.add(change);
  }

  /** It was written, or cannot be. */
  settle(change: LogChange): void {
    this.#ordered.delete(change);
  }

  /** What reads would find if all that was ordered were there. */
  prospect(): LogWindow {
    const window = new LogWindow(this.#window.state());
    // A compaction takes nothing away that is not in its snapshot.
    for (const change of this.#ordered) if (change.kind === 'append') window.apply(change);
    return window;
  }

  /** Done once it returns. `hardState`: as the process remembers it, which goes along. */
  persist(change: LogChange, hardState: HardState): void {
    this.settle(change);
    this.#window.apply(change);
    if (change.kind === 'compact' || change.hardState === undefined)
      this.#window.apply({ kind: 'append', entries: [], hardState });
    this.#sequence += 1;
    const sequence = this.#sequence;
    if (change.kind === 'compact') this.#journal?.rewrite({ sequence, state: this.#window.state() });
    else this.#journal?.append({ sequence, change, hardState });
  }

  /** It is on the disk and marked: the process hears of it, and may tell others. */
  acknowledge(hardState: HardState): void {
    this.#acknowledged = hardState;
  }

  /** The power fails in the middle of this write. */
  tear(change: LogChange, hardState: HardState, random: Prng): void {
    const sequence = this.#sequence + 1;
    if (change.kind === 'append') this.#journal?.tear({ sequence, change, hardState }, random);
  }

  /** Term of an entry here; 'compacted' where a snapshot stands for it, undefined where there is none. */
  termAt(index: Index): Term | 'compacted' | undefined {
    if (this.#journal === undefined) return undefined;
    if (index < this.#window.firstIndex() - 1) return 'compacted';
    return index > this.#window.lastIndex() ? undefined : this.#window.term(index);
  }

  /** What was promised to others is no more than this; the disk may hold more, or have lost what was more. */
  get acknowledged(): HardState {
    return this.#acknowledged;
  }

  /**
   * As openRaftLog does for a node that has had a log. Errors: STORAGE_LOST_LOG, STORAGE_LOST_MARKER, STORAGE_LOG_BEHIND,
   * STORAGE_CORRUPT_LOG.
   */
  open(): OpenedLog {
    const journal = this.#journal;
    if (journal === undefined) throw lostLog(LOG_NAME);
    const { entries, isTorn } = journal.read();
    const { window, sequence } = replay(entries);
    const marker = this.#marker;
    if (marker === undefined) throw lostMarker(LOG_NAME);
    const mark = marker.newest(`${LOG_NAME}.mark`);
    checkAgainst(LOG_NAME, standingOf(window, sequence), mark.standing);
    journal.cutTail(entries.length);
    this.#ordered.clear();
    this.#window = new LogWindow(window.state());
    this.#sequence = sequence;
    return { window, sequence, marker, mark, wasTorn: isTorn };
  }

  losePower(random: Prng): void {
    this.#marker?.losePower(random);
  }

  /** Says whether there was anything to rot. */
  rot(where: 'log' | 'log-end' | 'marker', random: Prng): boolean {
    if (where !== 'marker') return this.#journal?.rot(where === 'log' ? 'anywhere' : 'end', random) ?? false;
    this.#marker?.rot(random);
    return this.#marker !== undefined;
  }

  misdirect(random: Prng): boolean {
    return this.#journal?.misdirect(random) ?? false;
  }

  wipe(): void {
    this.#journal = undefined;
    this.#marker = undefined;
    this.#ordered.clear();
    this.#window = new LogWindow();
    this.#acknowledged = EMPTY_LOG.hardState;
  }

  clone(options: { readonly asCopy: boolean }): RaftLogFile {
    const twin = new RaftLogFile();
    twin.#journal = this.#journal?.clone();
    twin.#marker = this.#marker?.clone(options);
    twin.#window = new LogWindow(this.#window.state());
    twin.#sequence = this.#sequence;
    twin.#acknowledged = this.#acknowledged;
    return twin;
  }
}

export function standingOf(window: LogWindow, sequence: number): LogStanding {
  const { term, vote } = window.initialState().hardState;
  const lastIndex = window.lastIndex();
  return { sequence, term, vote, lastIndex, lastTerm: window.term(lastIndex) };
}

function replay(records: readonly JournalRecord[]): {
  readonly window: LogWindow;
  readonly sequence: number;
} {
  let window = new LogWindow(EMPTY_LOG);
  let sequence = 0;
  for (const record of records) {
    if ('state' in record) window = new LogWindow(record.state);
    else if (record.sequence !== sequence + 1)
      throw corruptLog(LOG_NAME, `write ${sequence + 1} is missing before write ${record.sequence}`);
    else {
      window.apply(record.change);
      window.apply({ kind: 'append', entries: [], hardState: record.hardState });
    }
    ({ sequence } = record);
  }
  return { window, sequence };
}

function encode(record: JournalRecord): string {
  return JSON.stringify(record, (_key, value: unknown) =>
    value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value,
  );
}

function decode(payload: string): JournalRecord {
  return JSON.parse(payload, (_key, value: unknown) =>
    isBytes(value) ? new Uint8Array(Buffer.from(value.base64, 'base64')) : value,
  ) as JournalRecord;
}

function isBytes(value: unknown): value is { readonly base64: string } {
  return typeof value === 'object' && value !== null && 'base64' in value;
}
