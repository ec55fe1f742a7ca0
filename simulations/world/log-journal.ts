/** @module The bytes of a Raft log on a simulated disk: records with checksums, which tear, rot and land where they should not. */
import { fromUtf8, utf8 } from '../../src/common/bytes.ts';
import { crc32c } from '../../src/common/hashing.ts';
import type { Prng } from '../prng.ts';

/** What drives write whole, in bytes; of a write that is cut short, any of these may be missing. */
const SECTOR_SIZES: readonly number[] = [512, 4096];
/** Length and checksum. */
const HEADER_BYTES = 8;
const BITS = 8;

export interface JournalContent<T> {
  readonly entries: readonly T[];
  /** Something follows that is no whole record, and so ends the journal. */
  readonly isTorn: boolean;
}

/** What entries are on the disk. */
export interface EntryText<T> {
  readonly encode: (entry: T) => string;
  readonly decode: (text: string) => T;
}

/** Entries never change, and become bytes only when something happens to them: hardly any record of a run is touched. */
export class LogJournal<T extends object> {
  readonly #text: EntryText<T>;
  #records: (T | Uint8Array)[] = [];

  constructor(text: EntryText<T>) {
    this.#text = text;
  }

  append(entry: T): void {
    this.#records.push(entry);
  }

  /** All that was there before is replaced, at once. */
  rewrite(entry: T): void {
    this.#records = [entry];
  }

  /** Up to the first record that is not whole. Nothing behind it is believed, as with SQLite's WAL. */
  read(): JournalContent<T> {
    const entries: T[] = [];
    for (const record of this.#records) {
      const entry = record instanceof Uint8Array ? this.#decode(record) : record;
      if (entry === undefined) return { entries, isTorn: true };
      entries.push(entry);
    }
    return { entries, isTorn: false };
  }

  /** What follows the last whole record is overwritten by what is written next. */
  cutTail(wholeRecords: number): void {
    this.#records.length = wholeRecords;
  }

  /** The power fails in the middle of this write. */
  tear(entry: T, random: Prng): void {
    const record = recordOf(this.#text.encode(entry));
    const sectorBytes = random.pick(SECTOR_SIZES);
    for (let at = 0; at < record.length; at += sectorBytes)
      if (random.chance(0.5)) record.fill(0, at, at + sectorBytes);
    this.#records.push(record);
  }

  /** One bit is not what it was, of any record or of the last. Says whether there was one. */
  rot(where: 'anywhere' | 'end', random: Prng): boolean {
    const { length } = this.#records;
    if (length === 0) return false;
    const place = where === 'end' ? length - 1 : random.int(length);
    const record = Uint8Array.from(this.#at(place));
    const at = random.int(record.length);
    record[at] = (record[at] ?? 0) ^ (1 << random.int(BITS));
    this.#records[place] = record;
    return true;
  }

  /** The last write went to another place than it was meant for. Says whether there was one. */
  misdirect(random: Prng): boolean {
    if (this.#records.length === 0) return false;
    const last = this.#at(this.#records.length - 1);
    this.#records.pop();
    const sectorBytes = random.pick(SECTOR_SIZES);
    if (this.#records.length > 0) {
      const place = random.int(this.#records.length);
      const hit = Uint8Array.from(this.#at(place));
      hit.set(last.subarray(0, Math.min(sectorBytes, last.length, hit.length)));
      this.#records[place] = hit;
    }
    this.#records.push(new Uint8Array(last.length));
    return true;
  }

  clone(): LogJournal<T> {
    const twin = new LogJournal(this.#text);
    // Records are replaced, never changed.
    twin.#records = [...this.#records];
    return twin;
  }

  #decode(record: Uint8Array): T | undefined {
    const text = textOf(record);
    return text === undefined ? undefined : this.#text.decode(text);
  }

  #at(place: number): Uint8Array {
    const record = this.#records[place];
    if (record === undefined) throw new RangeError(`The journal has no record ${place}.`);
    return record instanceof Uint8Array ? record : recordOf(this.#text.encode(record));
  }
}

function recordOf(text: string): Uint8Array {
  const bytes = utf8(text);
  const record = new Uint8Array(HEADER_BYTES + bytes.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, bytes.length);
  view.setUint32(4, crc32c(bytes));
  record.set(bytes, HEADER_BYTES);
  return record;
}

/** Undefined when it is not what was written. */
function textOf(record: Uint8Array): string | undefined {
  if (record.length < HEADER_BYTES) return undefined;
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const bytes = record.subarray(HEADER_BYTES);
  const isWhole = view.getUint32(0) === bytes.length && view.getUint32(4) === crc32c(bytes);
  return isWhole ? fromUtf8(bytes) : undefined;
}
