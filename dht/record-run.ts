/** @module A shard's records as they lie on disk: rows of one size in the order of their hashes, in pages. */
import { HashFilter } from './hash-filter.ts';
import { NO_HOLDER } from './shard-records.ts';
import { type PageRun, PAGE_SIZE_BYTES, PAGE_TRAILER_BYTES } from './ports.ts';
import { HASH_SIZE_BYTES } from './shard.ts';

const HOLDER_SIZE_BYTES = 2;
const ROOM_IN_PAGE: number = PAGE_SIZE_BYTES - PAGE_TRAILER_BYTES;
/** A block with more holders than fit into one page with it keeps its shard in memory. */
export const MAX_RUN_WIDTH: number = (ROOM_IN_PAGE - HASH_SIZE_BYTES) / HOLDER_SIZE_BYTES;
/** Rows are sorted by 32 bits of their hash and their number, as one number of 53 bits. */
export const MAX_RUN_ROWS: number = 2 ** 21;

const WORDS_PER_HASH: number = HASH_SIZE_BYTES / 4;

/** Gives each block once, with its holders; twice the same. */
export type RowSource = (visit: (hash: Uint8Array, holders: Uint16Array) => void) => void;

export interface RunShape {
  readonly rows: number;
  /** Holders that a row has place for. */
  readonly width: number;
  /** (block, holder) pairs. */
  readonly records: number;
  /** The first hash of each page: what stays in memory. */
  readonly fences: Uint8Array;
  /** Of all hashes; stays in memory, too: what is new needs no look at the disk. */
  readonly filter: HashFilter;
}

export interface EncodedRun {
  readonly shape: RunShape;
  readonly pages: Uint8Array;
}

/** Undefined when there are no rows, too many, or one that does not fit into a page. */
export function encodeRun(source: RowSource): EncodedRun | undefined {
  let rows = 0;
  let width = 0;
  let records = 0;
  source((_, holders) => {
    rows++;
    records += holders.length;
    width = Math.max(width, holders.length);
  });
  if (rows === 0 || rows > MAX_RUN_ROWS || width > MAX_RUN_WIDTH) return undefined;
  const hashes = new Uint8Array(rows * HASH_SIZE_BYTES);
  const holdersOf = new Uint16Array(rows * width);
  let next = 0;
  source((hash, holders) => {
    hashes.set(hash, next * HASH_SIZE_BYTES);
    holdersOf.set(holders, next * width);
    next++;
  });
  const rowsPerPage = rowsIn(width);
  const pageCount = Math.ceil(rows / rowsPerPage);
  const pages = new Uint8Array(pageCount * PAGE_SIZE_BYTES);
  const fences = new Uint8Array(pageCount * HASH_SIZE_BYTES);
  sortedRows(hashes, rows).forEach((row, place) => {
    const page = Math.floor(place / rowsPerPage);
    const inPage = place % rowsPerPage;
    const hash = hashes.subarray(row * HASH_SIZE_BYTES, (row + 1) * HASH_SIZE_BYTES);
    if (inPage === 0) fences.set(hash, page * HASH_SIZE_BYTES);
    pages.set(hash, page * PAGE_SIZE_BYTES + inPage * HASH_SIZE_BYTES);
    const holders = holdersOf.subarray(row * width, (row + 1) * width);
    holdersIn(pages, page * PAGE_SIZE_BYTES, rowsPerPage, width).set(holders, inPage * width);
  });
  return { shape: { rows, width, records, fences, filter: new HashFilter(hashes) }, pages };
}

/** What is kept in memory of a run: enough to know the one page that a hash can be in. */
export class RecordRun {
  readonly place: PageRun;
  readonly #shape: RunShape;
  readonly #fences: DataView;
  readonly #rowsPerPage: number;

  constructor(shape: RunShape, place: PageRun) {
    this.place = place;
    this.#shape = shape;
    this.#fences = new DataView(shape.fences.buffer, shape.fences.byteOffset, shape.fences.byteLength);
    this.#rowsPerPage = rowsIn(shape.width);
  }

  get rows(): number {
    return this.#shape.rows;
  }

  get records(): number {
    return this.#shape.records;
  }

  /** Memory of fences and filter, in bytes. */
  get sizeBytes(): number {
    return this.#shape.fences.byteLength + this.#shape.filter.sizeBytes;
  }

  /** False of most hashes that are not in it. */
  mayHave(packed: DataView, offset: number): boolean {
    return this.#shape.filter.mayHave(packed, offset);
  }

  /** The page whose rows are from before to after this hash. */
  pageOf(packed: DataView, offset: number): number {
    return Math.max(0, countUpTo(this.#fences, 0, this.place.pages, packed, offset) - 1);
  }

  /** The pages that hashes with these leading hex digits can be in. */
  pagesBelow(prefix: string): { readonly first: number; readonly count: number } {
    const first = this.pageOf(edgeOf(prefix, '0'), 0);
    return { first, count: this.pageOf(edgeOf(prefix, 'f'), 0) + 1 - first };
  }

  /** One of several pages; empty when it is not among them. */
  pageIn(pages: Uint8Array, page: number): Uint8Array {
    if (page < 0) return pages.subarray(0, 0);
    return pages.subarray(page * PAGE_SIZE_BYTES, (page + 1) * PAGE_SIZE_BYTES);
  }

  /** The holders of a hash, none when the run does not have it. `bytes` is the page that pageOf names. */
  holdersIn(bytes: Uint8Array, page: number, packed: DataView, offset: number): Uint16Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const row = countUpTo(view, 0, this.#rowsOf(page), packed, offset) - 1;
    if (row < 0 || compareHashes(view, row * HASH_SIZE_BYTES, packed, offset) !== 0)
      return new Uint16Array(0);
    return this.#holdersAt(bytes, 0, row);
  }

  /** Visits every row of `pages`, which begin with page `first` of the run. */
  forEach(pages: Uint8Array, first: number, visit: (hash: Uint8Array, holders: Uint16Array) => void): void {
    for (let from = 0, page = first; from < pages.byteLength; from += PAGE_SIZE_BYTES, page++)
      for (let row = 0; row < this.#rowsOf(page); row++) {
        const at = from + row * HASH_SIZE_BYTES;
        visit(pages.subarray(at, at + HASH_SIZE_BYTES), this.#holdersAt(pages, from, row));
      }
  }

  #rowsOf(page: number): number {
    return Math.min(this.#rowsPerPage, this.#shape.rows - page * this.#rowsPerPage);
  }

  #holdersAt(bytes: Uint8Array, from: number, row: number): Uint16Array {
    const { width } = this.#shape;
    const holders = holdersIn(bytes, from, this.#rowsPerPage, width).subarray(row * width, (row + 1) * width);
    const end = holders.indexOf(NO_HOLDER);
    return end === -1 ? holders : holders.subarray(0, end);
  }
}

/** The first or the last of all hashes with these leading hex digits. */
function edgeOf(prefix: string, digit: '0' | 'f'): DataView {
  const hash = Uint8Array.from(Buffer.from(prefix.padEnd(HASH_SIZE_BYTES * 2, digit), 'hex'));
  return new DataView(hash.buffer);
}

/** Below zero when the first comes first, zero only when they are equal. */
function compareHashes(one: DataView, oneAt: number, other: DataView, otherAt: number): number {
  for (let word = 0; word < WORDS_PER_HASH; word++) {
    const difference = one.getUint32(oneAt + word * 4) - other.getUint32(otherAt + word * 4);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** How many of the sorted hashes in [from, end) are no greater than the given one, plus `from`. */
function countUpTo(hashes: DataView, from: number, end: number, packed: DataView, offset: number): number {
  let low = from;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareHashes(hashes, middle * HASH_SIZE_BYTES, packed, offset) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A page has all its hashes first, then all their holders. */
function rowsIn(width: number): number {
  return Math.floor(ROOM_IN_PAGE / (HASH_SIZE_BYTES + width * HOLDER_SIZE_BYTES));
}

function holdersIn(bytes: Uint8Array, page: number, rowsPerPage: number, width: number): Uint16Array {
  return new Uint16Array(
    bytes.buffer,
    bytes.byteOffset + page + rowsPerPage * HASH_SIZE_BYTES,
    rowsPerPage * width,
  );
}

/** Row numbers in the order of their hashes. All are of one shard, so the bits that differ begin with the thirteenth. */
function sortedRows(hashes: Uint8Array, rows: number): number[] {
  const view = new DataView(hashes.buffer);
  const keyOf = (row: number): number =>
    ((view.getUint32(row * HASH_SIZE_BYTES + 1) << 4) | ((hashes[row * HASH_SIZE_BYTES + 5] ?? 0) >> 4)) >>>
    0;
  const keys = Float64Array.from({ length: rows }, (_, row) => keyOf(row) * MAX_RUN_ROWS + row).toSorted();
  const sorted = Array.from(keys, (key) => key % MAX_RUN_ROWS);
  const keyAt = (place: number): number => Math.floor((keys[place] ?? 0) / MAX_RUN_ROWS);
  for (let from = 0; from < rows; ) {
    let end = from + 1;
    while (end < rows && keyAt(end) === keyAt(from)) end++;
    if (end - from > 1) {
      const alike = sorted.slice(from, end);
      alike.sort((a, b) => compareHashes(view, a * HASH_SIZE_BYTES, view, b * HASH_SIZE_BYTES));
      for (const row of alike) sorted[from++] = row;
    }
    from = end;
  }
  return sorted;
}
