/** @module The bytes of a Raft log on a simulated disk: records with checksums, which tear, rot and land where they should not. */
import { fromUtf8, utf8 } from '../../src/common/bytes.ts';
import { crc32c } from '../../src/common/hashing.ts';
import type { Prng } from '../prng.ts';

/** What drives write whole, in bytes; of a write that is cut short, any of these may be missing. */
const SECTOR_SIZES: readonly number[] = [512, 4096];
/** Length and checksum. */
const HEADER_BYTES = 8;
const BITS = 8;

export interface JournalContent {
  readonly payloads: readonly string[];
  /** Something follows that is no whole record, and so ends the journal. */
  readonly isTorn: boolean;
}

/** Text that never changes, made when somebody wants it: most records are never read. */
export type Payload = () => string;

export class LogJournal {
  /** As bytes once something has happened to them. */
  #records: (Payload | Uint8Array)[] = [];

  append(payload: Payload): void {
    this.#records.push(payload);
  }

  /** All that was there before is replaced, at once. */
  rewrite(payload: Payload): void {
    this.#records = [payload];
  }

  /** Up to the first record that is not whole. Nothing behind it is believed, as with SQLite's WAL. */
  read(): JournalContent {
    const payloads: string[] = [];
    for (const record of this.#records) {
      const payload = record instanceof Uint8Array ? decode(record) : record();
      if (payload === undefined) return { payloads, isTorn: true };
      payloads.push(payload);
    }
    return { payloads, isTorn: false };
  }

  /** What follows the last whole record is overwritten by what is written next. */
  cutTail(wholeRecords: number): void {
    this.#records.length = wholeRecords;
  }

  /** The power fails in the middle of this write. */
  tear(payload: Payload, random: Prng): void {
    const record = encode(payload());
    const sectorBytes = random.pick(SECTOR_SIZES);
    for (let at = 0; at < record.length; at += sectorBytes)
      if (random.chance(0.5)) record.fill(0, at, at + sectorBytes);
    this.#records.push(record);
  }

  /** One bit is not what it was. Says whether there was one. */
  rot(random: Prng): boolean {
    if (this.#records.length === 0) return false;
    const place = random.int(this.#records.length);
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

  clone(): LogJournal {
    const twin = new LogJournal();
    // Records are replaced, never changed.
    twin.#records = [...this.#records];
    return twin;
  }

  #at(place: number): Uint8Array {
    const record = this.#records[place];
    if (record === undefined) throw new RangeError(`The journal has no record ${place}.`);
    return record instanceof Uint8Array ? record : encode(record());
  }
}

function encode(payload: string): Uint8Array {
  const bytes = utf8(payload);
  const record = new Uint8Array(HEADER_BYTES + bytes.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, bytes.length);
  view.setUint32(4, crc32c(bytes));
  record.set(bytes, HEADER_BYTES);
  return record;
}

/** Undefined when it is not what was written. */
function decode(record: Uint8Array): string | undefined {
  if (record.length < HEADER_BYTES) return undefined;
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const bytes = record.subarray(HEADER_BYTES);
  const isWhole = view.getUint32(0) === bytes.length && view.getUint32(4) === crc32c(bytes);
  return isWhole ? fromUtf8(bytes) : undefined;
}
