/** @module How busy and how full this datanode is, and the limits of what it serves at once. */
import type { Clock } from '../common/clock.ts';
import type { CopyRates, NodeLoad, ScrubReport } from '../protocol/messages.ts';
import type { BlockStore } from '../storage/block-store.ts';
import { busy } from './errors.ts';

/** Each may hold a window of bytes in memory and a file open. Beyond, writers are sent elsewhere: waiting could deadlock chains. */
const MAX_CONCURRENT_WRITES = 64;
const MAX_CONCURRENT_READS = 256;
/** Copies pushed to other datanodes on request. */
const MAX_CONCURRENT_REPLICATIONS = 16;

type Work = 'writes' | 'reads' | 'replications';

const LIMITS: Readonly<Record<Work, number>> = {
  writes: MAX_CONCURRENT_WRITES,
  reads: MAX_CONCURRENT_READS,
  replications: MAX_CONCURRENT_REPLICATIONS,
};

/** Pauses of a client between two requests are shorter than this, in milliseconds: it is still at work. */
const CLIENT_PAUSE_MS = 500;

export interface LoadMeterComponents {
  readonly blocks: BlockStore;
  readonly clock: Clock;
  /** What is reported along with it. */
  readonly scrub?: () => ScrubReport | undefined;
  readonly rates?: (() => CopyRates) | undefined;
}

export class LoadMeter {
  readonly #blocks: BlockStore;
  readonly #clock: Clock;
  readonly #components: LoadMeterComponents;
  #clients = 0;
  #servedMs = Number.NEGATIVE_INFINITY;
  readonly #inFlight: Record<Work, number> = { writes: 0, reads: 0, replications: 0 };

  constructor(components: LoadMeterComponents) {
    this.#components = components;
    this.#blocks = components.blocks;
    this.#clock = components.clock;
  }

  /** Runs `task` within the limit of its kind. Errors: DATANODE_BUSY, at once. */
  async during<T>(work: Work, task: () => Promise<T>): Promise<T> {
    if (this.#inFlight[work] >= LIMITS[work]) throw busy(work, LIMITS[work]);
    this.#inFlight[work] += 1;
    try {
      return await task();
    } finally {
      this.#inFlight[work] -= 1;
    }
  }

  /** Marks what `task` does as done for a client, who goes before repair. */
  async forClient<T>(task: () => Promise<T>): Promise<T> {
    this.#clients += 1;
    try {
      return await task();
    } finally {
      this.#clients -= 1;
      this.#servedMs = this.#clock.monotonicMs();
    }
  }

  isServingClients(): boolean {
    return this.#clients > 0 || this.#clock.monotonicMs() - this.#servedMs < CLIENT_PAUSE_MS;
  }

  async report(): Promise<NodeLoad> {
    const usage = await this.#blocks.usage();
    const { capacityBytes, usedBytes, freeBytes, blockCount, quarantinedBytes, quarantinedCount } = usage;
    return {
      capacityBytes,
      usedBytes,
      freeBytes,
      blocks: blockCount,
      writesInFlight: this.#inFlight.writes,
      readsInFlight: this.#inFlight.reads,
      // Then it is offered no more blocks until the next start.
      readOnly: this.#blocks.isReadOnly,
      // Whoever knows the network adds how others are reached, and whether they reach this datanode.
      reach: [],
      quarantinedBytes,
      quarantinedBlocks: quarantinedCount,
      scrub: this.#components.scrub?.(),
      rates: this.#components.rates?.(),
    };
  }
}
