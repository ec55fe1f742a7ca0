/** @module The records of one shard that is on disk: a sorted run, and in memory what changed since, and what was read of it. */
import { NOBODY } from './holder-registry.ts';
import type { RecordRun } from './record-run.ts';
import { type HashKey, type Records, ShardRecords } from './shard-records.ts';

const NOBODY_ELSE = Uint16Array.of(NOBODY);
const NO_HOLDERS = new Uint16Array(0);

/** Pages of the run in memory for the work of one moment. */
interface LoadedPages {
  readonly bytes: Uint8Array;
  readonly first: number;
}

/**
 * Synchronous like the records in memory: rows must have been read beforehand (`knows`, `note`), and for forEach the pages it
 * shall visit (`load`). To touch another row is a mistake of the caller, and throws.
 */
export class SpilledRecords implements Records {
  readonly run: RecordRun;
  readonly #key: HashKey;
  /** Whole rows that replace those of the run; NOBODY alone stands for a row that is gone. */
  #changes: ShardRecords | undefined;
  /** Rows as the run has them, read lately; NOBODY alone stands for one that it does not have. */
  #read: ShardRecords | undefined;
  #loaded: LoadedPages | undefined;
  #blocks: number;

  constructor(run: RecordRun, key: HashKey) {
    this.run = run;
    this.#key = key;
    this.#blocks = run.rows;
  }

  get size(): number {
    return this.#blocks;
  }

  get sizeBytes(): number {
    return this.run.sizeBytes + this.changedBytes + (this.#read?.sizeBytes ?? 0);
  }

  /** Memory of what changed since the run was written. */
  get changedBytes(): number {
    return this.#changes?.sizeBytes ?? 0;
  }

  /** Rows of the run kept in memory; forgetRead() lets them go. */
  get rowsRead(): number {
    return this.#read?.size ?? 0;
  }

  /** Whether the row of a hash, or that there is none, is in memory. */
  knows(packed: DataView, offset: number): boolean {
    return this.#row(packed, offset) !== undefined;
  }

  /** The run has these holders for a hash. */
  note(packed: DataView, offset: number, holders: Uint16Array): void {
    if (this.knows(packed, offset)) return;
    this.#read ??= new ShardRecords(this.#key);
    for (const holder of orNobody(holders)) this.#read.add(packed, offset, holder);
  }

  forgetRead(): void {
    this.#read = undefined;
  }

  /** `work` with pages of the run at hand; forEach visits the rows of these, and every row that changed. */
  withPages<T>(bytes: Uint8Array, first: number, work: () => T): T {
    this.#loaded = { bytes, first };
    try {
      return work();
    } finally {
      this.#loaded = undefined;
    }
  }

  add(packed: DataView, offset: number, holder: number): boolean {
    const before = this.holdersOf(packed, offset);
    if (before.includes(holder)) return false;
    const changes = this.#takeOver(packed, offset, before);
    changes.add(packed, offset, holder);
    if (before.length > 0) return true;
    changes.remove(packed, offset, NOBODY);
    this.#blocks++;
    return true;
  }

  remove(packed: DataView, offset: number, holder: number): boolean {
    const before = this.holdersOf(packed, offset);
    if (!before.includes(holder)) return false;
    const isLast = before.length === 1;
    const changes = this.#takeOver(packed, offset, before);
    if (isLast) changes.add(packed, offset, NOBODY);
    changes.remove(packed, offset, holder);
    if (isLast) this.#blocks--;
    return true;
  }

  has(packed: DataView, offset: number, holder: number): boolean {
    return this.holdersOf(packed, offset).includes(holder);
  }

  holdersOf(packed: DataView, offset: number): Uint16Array {
    const row = this.#row(packed, offset);
    if (row === undefined)
      throw new Error('Invariant broken: a location record on disk was touched before it was read');
    return row[0] === NOBODY ? NO_HOLDERS : row;
  }

  forEach(visit: (hash: Uint8Array, holders: Uint16Array) => void): void {
    if (this.#loaded === undefined)
      throw new Error('Invariant broken: location records on disk were listed before they were read');
    const { bytes, first } = this.#loaded;
    const changes = this.#changes;
    this.run.forEach(bytes, first, (hash, holders) => {
      if (changes === undefined || changes.holdersOf(viewOf(hash), 0).length === 0) visit(hash, holders);
    });
    changes?.forEach((hash, holders) => {
      if (holders[0] !== NOBODY) visit(hash, holders);
    });
  }

  #row(packed: DataView, offset: number): Uint16Array | undefined {
    const changed = this.#changes?.holdersOf(packed, offset);
    if (changed !== undefined && changed.length > 0) return changed;
    const read = this.#read?.holdersOf(packed, offset);
    if (read !== undefined && read.length > 0) return read;
    return this.run.mayHave(packed, offset) ? this.#loadedRow(packed, offset) : NOBODY_ELSE;
  }

  #loadedRow(packed: DataView, offset: number): Uint16Array | undefined {
    if (this.#loaded === undefined) return undefined;
    const { bytes, first } = this.#loaded;
    const page = this.run.pageOf(packed, offset);
    const loaded = this.run.pageIn(bytes, page - first);
    return loaded.length === 0 ? undefined : orNobody(this.run.holdersIn(loaded, page, packed, offset));
  }

  /** From here on the row is what the changes say it is: as it was, to begin with. */
  #takeOver(packed: DataView, offset: number, holders: Uint16Array): ShardRecords {
    const changes = (this.#changes ??= new ShardRecords(this.#key));
    if (changes.holdersOf(packed, offset).length === 0)
      for (const holder of orNobody(holders)) changes.add(packed, offset, holder);
    return changes;
  }
}

function orNobody(holders: Uint16Array): Uint16Array {
  return holders.length === 0 ? NOBODY_ELSE : holders;
}

function viewOf(hash: Uint8Array): DataView {
  return new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
}
