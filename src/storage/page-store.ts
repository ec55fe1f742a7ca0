/** @module Pages on disk that need not outlive the process: memory's overflow, each byte checked when it is read. */
import { crc32c } from '../common/hashing.ts';

export const PAGE_SIZE_BYTES = 4096;
/** At the end of each page: the checksum of the rest of it, and of where it belongs. */
export const PAGE_TRAILER_BYTES = 4;

const SUMMED_BYTES: number = PAGE_SIZE_BYTES - PAGE_TRAILER_BYTES;
const LABEL_SIZE_BYTES = 12;

/** Pages that were written together; each run is another object. */
export interface PageRun {
  readonly pages: number;
}

export interface PagePlace {
  readonly run: PageRun;
  readonly page: number;
}

/** What dht/ports.ts asks for. */
export interface PageStore extends AsyncDisposable {
  /** Disk taken by the runs that are there, in bytes. */
  readonly usedBytes: number;
  /** Whole pages; the last PAGE_TRAILER_BYTES of each are overwritten. Rejects with STORAGE_FAILED when there is no room, or the disk fails: then nothing is kept. */
  write(pages: Uint8Array): Promise<PageRun>;
  /** `count` pages of a run from `first` on, in memory that begins at an even address. Rejects with STORAGE_FAILED, STORAGE_CORRUPT_PAGE. */
  read(run: PageRun, first: number, count: number): Promise<Uint8Array>;
  /** Single pages of many runs, in their order; in the place of one that cannot be had, why. */
  readEach(places: readonly PagePlace[]): Promise<readonly (Uint8Array | Error)[]>;
  /** Its pages may be overwritten: reads that are under way fail. */
  free(run: PageRun): void;
}

/** Writes the checksums into the trailers. `run` is a number that no other run of the store has. */
export function sealPages(pages: Uint8Array, run: number): void {
  const view = new DataView(pages.buffer, pages.byteOffset, pages.byteLength);
  for (let at = 0, page = 0; at < pages.byteLength; at += PAGE_SIZE_BYTES, page++)
    view.setUint32(at + SUMMED_BYTES, checksum(pages.subarray(at, at + SUMMED_BYTES), run, page));
}

/** The first of these pages that is not what was sealed; undefined when all are. */
export function firstBadPage(pages: Uint8Array, run: number, first: number): number | undefined {
  const view = new DataView(pages.buffer, pages.byteOffset, pages.byteLength);
  for (let at = 0, page = first; at < pages.byteLength; at += PAGE_SIZE_BYTES, page++)
    if (view.getUint32(at + SUMMED_BYTES) !== checksum(pages.subarray(at, at + SUMMED_BYTES), run, page))
      return page;
  return undefined;
}

const LABEL = new DataView(new ArrayBuffer(LABEL_SIZE_BYTES));
const LABEL_BYTES = new Uint8Array(LABEL.buffer);

/** Also of the place: a page of another run, or another page of this one, is not taken for it. */
function checksum(bytes: Uint8Array, run: number, page: number): number {
  LABEL.setFloat64(0, run);
  LABEL.setUint32(8, page);
  return crc32c(bytes, crc32c(LABEL_BYTES));
}
