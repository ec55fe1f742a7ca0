/** @module How fast the disk of the block store takes what must be durable: measured once, a moment after the start. */
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { MIB } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';

export interface DiskRateComponents {
  readonly clock: Clock;
}

export interface DiskRateOptions {
  /** On the disk; the probe is written there, and removed. */
  readonly directory: string;
  /** With less free than this nothing is measured. */
  readonly reserveBytes: number;
}

const PROBE_NAME = 'disk-rate.probe';
const PIECE_BYTES: number = 4 * MIB;
const PIECES = 4;
/** What else starts now goes first. */
const DELAY_MS = 2_000;

/** The fastest of a few pieces counts: the others waited for somebody else's. */
export class DiskRate implements BackgroundWorker {
  readonly name = 'disk-rate';
  readonly idleMs: number = DELAY_MS;
  readonly #clock: Clock;
  readonly #options: DiskRateOptions;
  #isDue = false;
  #bytesPerSecond: number | undefined;

  constructor({ clock }: DiskRateComponents, options: DiskRateOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Written and synced; undefined until it is measured, and where there is too little room for that. */
  get bytesPerSecond(): number | undefined {
    return this.#bytesPerSecond;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    if (!this.#isDue) {
      this.#isDue = true;
      return 'idle';
    }
    const { directory, reserveBytes } = this.#options;
    const path = join(directory, PROBE_NAME);
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize < reserveBytes) return 'done';
    try {
      await using file = await open(path, 'w', 0o600);
      const piece = new Uint8Array(PIECE_BYTES).fill(7);
      for (let count = 0; count < PIECES && !signal.aborted; count += 1) {
        const startMs = this.#clock.monotonicMs();
        await file.write(piece);
        await file.sync();
        const rate = Math.round((PIECE_BYTES * 1000) / Math.max(1, this.#clock.monotonicMs() - startMs));
        this.#bytesPerSecond = Math.max(this.#bytesPerSecond ?? 0, rate);
      }
    } finally {
      await rm(path, { force: true });
    }
    return 'done';
  }
}
