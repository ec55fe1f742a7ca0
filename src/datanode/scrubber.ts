/** @module Scrub: every copy is read whole and compared with its SHA-256 once a period, slowly; bad ones leave service. */
import type { Clock } from '../common/clock.ts';
import { MIB } from '../common/bytes.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { ScrubReport } from '../protocol/messages.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { BlockIndexer } from './block-indexer.ts';
import { checkCopy } from './copy-check.ts';

/** Where a pass stands: kept, so that a restart goes on there. Times are wall-clock milliseconds. */
export interface ScrubPass {
  readonly startedMs: number;
  /** 0 while it runs. */
  readonly endedMs: number;
  /** The last block it has read; empty before the first. */
  readonly after: BlockHash | '';
  readonly blocks: number;
  readonly bytes: number;
  readonly corrupt: number;
  /** Of the pass before; 0 when there was none. */
  readonly earlierStartedMs: number;
}

export interface ScrubStore {
  load(): Promise<ScrubPass | undefined>;
  save(pass: ScrubPass): Promise<void>;
}

export interface ScrubberComponents {
  readonly blocks: BlockStore;
  readonly indexer: BlockIndexer;
  /** Without it every start begins anew. */
  readonly scrubs?: ScrubStore | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Everything is read once in this time. */
export const SCRUB_PERIOD_MS: number = 14 * 24 * 3_600_000;
/** Of the period, for reading; the rest is slack for pauses and restarts. */
const READING_SHARE = 0.8;
/** A small store is done sooner rather than read at a crawl, in bytes a second. */
const MIN_BYTES_PER_SECOND: number = MIB / 4;
/** Of a pass that somebody asked for. */
const HURRIED_BYTES_PER_SECOND: number = 64 * MIB;
const SECOND_MS = 1_000;
/** Between two passes: how often to look whether the next one is due, in milliseconds. */
const IDLE_MS = 600_000;
/** Blocks between two times that the position is kept: as many may be read twice. */
const SAVE_BLOCKS = 32;
const NOTHING = { endedMs: 0, after: '', blocks: 0, bytes: 0, corrupt: 0 } as const;

export class Scrubber implements BackgroundWorker {
  readonly name = 'scrub';
  readonly isPausable = true;
  readonly #components: ScrubberComponents;
  #pass: ScrubPass | undefined;
  #isLoaded = false;
  #isHurried = false;
  #pauseMs = 0;

  constructor(components: ScrubberComponents) {
    this.#components = components;
  }

  get idleMs(): number {
    return IDLE_MS;
  }

  /** So long that the period is just enough for everything. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  /** When the copy of `hash` was last known to have been read whole, at the earliest; 0: not known. */
  verifiedMs(hash: BlockHash): number {
    if (this.#pass === undefined) return 0;
    const { after, endedMs, startedMs, earlierStartedMs } = this.#pass;
    return endedMs > 0 || hash <= after ? startedMs : earlierStartedMs;
  }

  /** The pass that runs, or the last one; undefined before the first step. */
  report(): ScrubReport | undefined {
    if (this.#pass === undefined) return undefined;
    const { startedMs, endedMs, blocks, bytes, corrupt, earlierStartedMs } = this.#pass;
    const completeSinceMs = endedMs > 0 ? startedMs : earlierStartedMs;
    return { startedMs, endedMs, blocks, bytes, corrupt, completeSinceMs };
  }

  progress(): string {
    if (this.#pass === undefined) return 'no pass yet';
    const { startedMs, endedMs, blocks, bytes, corrupt } = this.#pass;
    const since = `${blocks} blocks (${bytes} bytes) read since ${new Date(startedMs).toISOString()}, ${corrupt} corrupt`;
    return endedMs > 0 ? `${since}, done at ${new Date(endedMs).toISOString()}` : since;
  }

  /** A pass begins now, if none is under way, and is read quickly. */
  hurry(): void {
    this.#isHurried = true;
  }

  /** Reads one block. */
  async work(): Promise<WorkState> {
    const { blocks, clock, scrubs } = this.#components;
    if (!this.#isLoaded) this.#pass = await scrubs?.load();
    this.#isLoaded = true;
    const nowMs = clock.wallMs();
    let pass = this.#pass;
    if (pass === undefined || pass.endedMs > 0) {
      const isDue = pass === undefined || nowMs - pass.startedMs >= SCRUB_PERIOD_MS || nowMs < pass.startedMs;
      if (!isDue && !this.#isHurried) return 'idle';
      pass = { ...NOTHING, startedMs: nowMs, earlierStartedMs: pass?.startedMs ?? 0 };
    }
    const [next] = blocks.list(pass.after === '' ? undefined : pass.after, 1);
    if (next === undefined) return this.#end(pass, nowMs);
    const isCorrupt = await checkCopy(this.#components, next.hash);
    this.#pass = {
      ...pass,
      after: next.hash,
      blocks: pass.blocks + 1,
      bytes: pass.bytes + next.sizeBytes,
      corrupt: pass.corrupt + (isCorrupt ? 1 : 0),
    };
    if (this.#pass.blocks % SAVE_BLOCKS === 0) await scrubs?.save(this.#pass);
    this.#pauseMs = await this.#pauseAfter(next.sizeBytes);
    return 'busy';
  }

  async #end(pass: ScrubPass, endedMs: number): Promise<WorkState> {
    const { scrubs, logger } = this.#components;
    this.#pass = { ...pass, endedMs };
    this.#isHurried = false;
    await scrubs?.save(this.#pass);
    logger.info('datanode.scrubbed', { blocks: pass.blocks, bytes: pass.bytes, corrupt: pass.corrupt });
    return 'idle';
  }

  async #pauseAfter(sizeBytes: number): Promise<number> {
    const { usedBytes } = await this.#components.blocks.usage();
    const enough = usedBytes / ((SCRUB_PERIOD_MS * READING_SHARE) / SECOND_MS);
    const rate = this.#isHurried ? HURRIED_BYTES_PER_SECOND : Math.max(enough, MIN_BYTES_PER_SECOND);
    return (sizeBytes / rate) * SECOND_MS;
  }
}
