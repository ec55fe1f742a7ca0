/** @module What one answer to a pull has room for. */
import type { PackedRecords } from './location-table.ts';
import type { PullResponse } from './messages.ts';

/** Blocks of one answer to a pull. */
export const MAX_PULLED_BLOCKS = 8192;
/** Parts that are read from disk for it, one after the other: a slow disk still answers in time. */
export const MAX_PULLED_READS = 64;

export class PullAnswer {
  readonly #boot: string;
  readonly #prefixes: string[] = [];
  readonly #hashes: Uint8Array[] = [];
  readonly #counts: number[] = [];
  readonly #nodes: number[] = [];
  #isFull = false;
  #reads = 0;

  constructor(boot: string) {
    this.#boot = boot;
  }

  /** Whether something did not fit, or has waited for the disk often enough: nothing may follow it. */
  get isFull(): boolean {
    return this.#isFull || this.#reads >= MAX_PULLED_READS;
  }

  /** Blocks that still fit. */
  get room(): number {
    return MAX_PULLED_BLOCKS - this.#counts.length;
  }

  /** A part was, or is being, read from disk. */
  waitedForDisk(): void {
    this.#reads += 1;
  }

  /** All that is below a prefix; `undefined` when that is more than there is room for. */
  add(prefix: string, records: PackedRecords | undefined): void {
    if (records === undefined) {
      this.#isFull = true;
      return;
    }
    this.#prefixes.push(prefix);
    this.#hashes.push(records.hashes);
    for (const count of records.counts) this.#counts.push(count);
    for (const node of records.nodes) this.#nodes.push(node);
  }

  encode(): PullResponse {
    return {
      boot: this.#boot,
      prefixes: this.#prefixes,
      hashes: Buffer.concat(this.#hashes),
      counts: this.#counts,
      nodes: this.#nodes,
      tooLarge: this.#isFull && this.#prefixes.length === 0,
    };
  }
}
