/**
 * @module Memory that files are written from past the page cache (O_DIRECT): the kernel demands that it begins at a page, as no
 * buffer of Node's does, but a memory of WebAssembly. Blocks are written once, fsynced at once and seldom read soon: pages of the cache
 * for them cost a copy, and on a virtual machine, whose host takes back what is free, ten times as much.
 */
import { constants } from 'node:fs';
import { MIB } from '../common/bytes.ts';

/** The part that this needs of a global whose types come with those of browsers. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};
const WASM_PAGE_BYTES = 65_536;

/** Written at once; a multiple of every disk's sectors. */
export const SLOT_BYTES: number = MIB;
/** Files that are written so at once: 32 MiB at most, of which what was never used is not there. */
const MAX_FILES = 16;
/** One is filled while the other is written. */
const SLOTS_PER_FILE = 2;

/** What one file is written from. Order: release() once, when nothing is being written from it any more. */
export interface DirectLease {
  readonly slots: readonly [Uint8Array, Uint8Array];
  /** For open(2). */
  readonly flags: number;
  readonly release: () => void;
  /** The file system cannot do it: nobody gets a lease from now on. */
  readonly refuse: () => void;
}

export class DirectMemory {
  /** Pairs that nobody has; the one used last comes first, so that as few as possible are ever touched. */
  #free: DirectLease['slots'][] | undefined;
  /** Not every system knows such files. */
  #isRefused: boolean = constants.O_DIRECT === undefined;

  /** Undefined when as many files are written already, or nothing here can be written so: then the page cache has to do. */
  lease(): DirectLease | undefined {
    if (this.#isRefused) return undefined;
    const free = (this.#free ??= slotPairs());
    const slots = free.pop();
    if (slots === undefined) return undefined;
    return {
      slots,
      flags: constants.O_WRONLY | constants.O_DIRECT,
      release: () => void free.push(slots),
      refuse: () => {
        this.#isRefused = true;
      },
    };
  }
}

/** None where the process may not have the ten GiB of addresses that V8 sets aside for it. */
function slotPairs(): DirectLease['slots'][] {
  const pages = (MAX_FILES * SLOTS_PER_FILE * SLOT_BYTES) / WASM_PAGE_BYTES;
  try {
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const slot = (at: number): Uint8Array => new Uint8Array(buffer, at * SLOT_BYTES, SLOT_BYTES);
    return Array.from({ length: MAX_FILES }, (_, file) => [slot(2 * file), slot(2 * file + 1)]);
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}
