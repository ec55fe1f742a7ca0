/** @module Copies beyond those wanted are dropped: asked of the datanode, which makes sure of the others before it agrees. */
import { fromHex } from '../../common/bytes.ts';
import type { BlockHash } from '../../common/hashing.ts';
import { describeError } from '../../common/errors.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../../common/worker.ts';
import { call } from '../../network/method.ts';
import type { Network } from '../../network/network.ts';
import { DROP_SURPLUS } from '../../protocol/methods.ts';
import type { MemberDirectory } from '../member-directory.ts';

export interface SurplusWorkerComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
}

const IDLE_MS = 500;
/** Copies spoken of to one datanode at once. */
const BATCH_BLOCKS = 64;
/** What does not fit is found again by the next walk. */
const MAX_QUEUED = 10_000;
/** A copy may have been counted twice for a moment, while it was announced in one place and withdrawn in another. */
const SETTLE_MS = 2_000;
const TIMEOUT_MS = 30_000;

/** Two keepers that name different copies of one block do no harm: each datanode asks the others before it drops its own. */
export class SurplusWorker implements BackgroundWorker {
  readonly name = 'surplus';
  readonly isPausable = true;
  readonly idleMs: number = IDLE_MS;
  readonly #components: SurplusWorkerComponents;
  /** Block -> who shall drop it, and since when that is known. */
  readonly #queued = new Map<BlockHash, { readonly node: number; readonly sinceMs: number }>();

  constructor(components: SurplusWorkerComponents) {
    this.#components = components;
  }

  offer(hash: BlockHash, node: number): void {
    if (this.#queued.size >= MAX_QUEUED || this.#queued.get(hash)?.node === node) return;
    this.#queued.set(hash, { node, sinceMs: this.#components.clock.monotonicMs() });
  }

  /** It has no copy too many any more. */
  forget(hash: BlockHash): void {
    this.#queued.delete(hash);
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const settledMs = this.#components.clock.monotonicMs() - SETTLE_MS;
    const due = [...this.#queued].filter(([, { sinceMs }]) => sinceMs <= settledMs);
    const [first] = due;
    if (first === undefined) return 'idle';
    const { node } = first[1];
    const hashes = due.filter(([, each]) => each.node === node).map(([hash]) => hash);
    await this.#drop(node, hashes.slice(0, BATCH_BLOCKS), signal);
    return due.length > BATCH_BLOCKS ? 'busy' : 'idle';
  }

  progress(): string {
    return this.#queued.size === 0 ? '' : `${this.#queued.size} copies too many`;
  }

  async #drop(node: number, hashes: readonly BlockHash[], signal: AbortSignal): Promise<void> {
    const { network, members, logger } = this.#components;
    for (const hash of hashes) this.#queued.delete(hash);
    const peer = members.byNumber(node)?.peer;
    if (peer === undefined) return;
    try {
      const request = { hashes: hashes.map(fromHex) };
      const { dropped } = await call(network, peer, DROP_SURPLUS, request, { signal, timeoutMs: TIMEOUT_MS });
      logger.info('repair.surplus', {
        datanode: node,
        asked: hashes.length,
        dropped: dropped.filter(Boolean).length,
      });
    } catch (error) {
      // They are found again by the next walk.
      if (!signal.aborted)
        logger.warn('repair.surplus-kept', { datanode: node, error: describeError(error) });
    }
  }
}
