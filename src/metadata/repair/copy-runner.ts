/** @module Copies on their way: asks the source to push the block to the target, and can call it off. */
import { relayAbort } from '../../common/abort-relay.ts';
import { fromHex } from '../../common/bytes.ts';
import { type Clock, sleep } from '../../common/clock.ts';
import { describeError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { call } from '../../network/method.ts';
import type { Network } from '../../network/network.ts';
import { REPLICATE } from '../../protocol/methods.ts';
import { type HolderComponents, holdersOf } from '../holders.ts';
import type { CopyOrder, NodeWork } from './repair-planner.ts';

export interface CopyRunnerComponents extends HolderComponents {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Why a copy is called off: no failure of anybody. */
const CALLED_OFF = 'the copy is not needed any more';
/** A source that does not come to it, or to an end, by then is passed over; clients may hold it back for long. */
const BASE_TIMEOUT_MS = 30_000;
/** And so much longer for its bytes, at the slowest rate worth waiting for. */
const SLOWEST_BYTES_PER_MS = 1_000;
/** Who failed to send or to take a block is spared it for this long, in milliseconds. */
const RETRY_AFTER_MS = 3_000;
const MAX_FAILURES = 65_536;
/** Rates are those of this span, in milliseconds. */
const RATE_SPAN_MS = 10_000;

interface Running {
  readonly order: CopyOrder;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

export class CopyRunner {
  readonly #components: CopyRunnerComponents;
  readonly #running = new Map<string, Running>();
  /** `hash/node` -> when it may be tried again. */
  readonly #failedUntilMs = new Map<string, number>();
  readonly #recent: { readonly atMs: number; readonly bytes: number }[] = [];
  #copiedBytes = 0;
  #copiedBlocks = 0;

  constructor(components: CopyRunnerComponents) {
    this.#components = components;
  }

  get orders(): readonly CopyOrder[] {
    return [...this.#running.values()].map(({ order }) => order);
  }

  /** Begins the copy unless it is on its way. `onCopied` is told when the target holds and has announced it. */
  start(order: CopyOrder, onCopied: () => Promise<void>, onFailed?: () => void): void {
    const key = keyOf(order);
    if (this.#running.has(key)) return;
    const abort = new AbortController();
    const done = this.#copy(order, abort.signal)
      .then(async (copied) => {
        if (copied) await onCopied();
        else if (!abort.signal.aborted) onFailed?.();
      })
      .finally(() => this.#running.delete(key));
    this.#running.set(key, { order, abort, done });
  }

  /** Calls off those that `isNeeded` refuses. What arrives all the same is surplus, and goes as such. */
  callOff(isNeeded: (order: CopyOrder) => boolean): void {
    for (const { order, abort } of this.#running.values())
      if (!isNeeded(order)) abort.abort(new Error(CALLED_OFF));
  }

  /** Resolves when one of the copies ends, after `limitMs`, or when the signal fires; at once when none is on its way. */
  async oneEnds(limitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#running.size === 0) return;
    const waiting = new AbortController();
    const release = relayAbort(signal, waiting);
    const limit = sleep(this.#components.clock, limitMs, waiting.signal);
    // Broken off below.
    const isOver = limit.catch(() => {});
    await Promise.race([isOver, ...[...this.#running.values()].map(({ done }) => done)]);
    release();
    waiting.abort();
  }

  async stop(): Promise<void> {
    this.callOff(() => false);
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  /** Whether `node` failed to send or to take this block a moment ago. */
  hasFailed(hash: string, node: number): boolean {
    const untilMs = this.#failedUntilMs.get(`${hash}/${node}`);
    return untilMs !== undefined && this.#components.clock.monotonicMs() < untilMs;
  }

  /** What each datanode is busy with, by the end of the copy it stands on. */
  work(end: 'source' | 'target'): Map<number, NodeWork> {
    const work = new Map<number, NodeWork>();
    for (const { order } of this.#running.values()) {
      const { copies, bytes } = work.get(order[end]) ?? { copies: 0, bytes: 0 };
      work.set(order[end], { copies: copies + 1, bytes: bytes + order.sizeBytes });
    }
    return work;
  }

  figures(): { copying: number; copiedBytes: number; copiedBlocks: number; bytesPerSecond: number } {
    this.#forgetOld();
    const bytes = this.#recent.reduce((sum, each) => sum + each.bytes, 0);
    const [oldest] = this.#recent;
    const spanMs = oldest === undefined ? RATE_SPAN_MS : this.#components.clock.monotonicMs() - oldest.atMs;
    return {
      copying: this.#running.size,
      copiedBytes: this.#copiedBytes,
      copiedBlocks: this.#copiedBlocks,
      bytesPerSecond: Math.round((bytes * 1000) / Math.max(1_000, spanMs)),
    };
  }

  /** True when the copy was made. Never rejects. */
  async #copy(order: CopyOrder, signal: AbortSignal): Promise<boolean> {
    const { network, logger } = this.#components;
    const { hash, sizeBytes, source, target } = order;
    const [from] = holdersOf(this.#components, [source]);
    const [to] = holdersOf(this.#components, [target]);
    try {
      if (from === undefined || to === undefined) return false;
      const request = { hash: fromHex(hash), sizeBytes, target: to, background: true };
      const timeoutMs = BASE_TIMEOUT_MS + Math.ceil(sizeBytes / SLOWEST_BYTES_PER_MS);
      await call(network, from.peer, REPLICATE, request, { signal, timeoutMs });
      this.#note(sizeBytes);
      return true;
    } catch (error) {
      if (!signal.aborted) {
        // Which of the two is to blame is not known.
        for (const node of [source, target]) this.#fail(hash, node);
        logger.warn('repair.copy-failed', { hash, source, target, error: describeError(error) });
      }
      return false;
    }
  }

  #note(bytes: number): void {
    this.#copiedBytes += bytes;
    this.#copiedBlocks += 1;
    this.#recent.push({ atMs: this.#components.clock.monotonicMs(), bytes });
    this.#forgetOld();
  }

  #forgetOld(): void {
    const sinceMs = this.#components.clock.monotonicMs() - RATE_SPAN_MS;
    const kept = this.#recent.findIndex(({ atMs }) => atMs >= sinceMs);
    this.#recent.splice(0, kept < 0 ? this.#recent.length : kept);
  }

  #fail(hash: string, node: number): void {
    const oldest = this.#failedUntilMs.keys().next();
    if (this.#failedUntilMs.size >= MAX_FAILURES && !oldest.done) this.#failedUntilMs.delete(oldest.value);
    const key = `${hash}/${node}`;
    this.#failedUntilMs.delete(key);
    this.#failedUntilMs.set(key, this.#components.clock.monotonicMs() + RETRY_AFTER_MS);
  }
}

function keyOf({ hash, target }: CopyOrder): string {
  return `${hash}/${target}`;
}
