/** @module The way to one holder: the latest word about each hash, and shards it wants whole, one batch in flight, until taken. */
import { startDeadline } from './deadline.ts';
import { ChangeQueue } from './change-queue.ts';
import type { Delivery } from './delivery.ts';
import { describe, notTaken, stopped } from './errors.ts';
import { Gate } from './gate.ts';
import type { HeldDigests } from './held-digests.ts';
import { type Batch, contentOf, isEmpty, takeBatch } from './lane-batch.ts';
import { ANNOUNCE_TIMEOUT_MS, LaneComparison } from './lane-comparison.ts';
import type { AnnounceRpc, Clock, HeldBlocks, Logger, MetadataRing, PeerId } from './ports.ts';
import { shardOfHash } from './shard.ts';
import { ShardQueue } from './shard-queue.ts';

/** Waits between attempts double from the first to the last of these. */
export const BACKOFF_MIN_MS = 100;
export const BACKOFF_MAX_MS = 5_000;

export interface HolderLaneComponents {
  readonly rpc: AnnounceRpc;
  readonly ring: MetadataRing;
  readonly held: HeldBlocks;
  readonly digests: HeldDigests;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface HolderLaneOptions {
  readonly peer: PeerId;
  readonly node: number;
  readonly generation: number;
  /** Hashes kept for a holder that does not answer. Deliveries somebody waits for are kept beyond it. */
  readonly maxHashes: number;
  /** Rises by one each call, over all lanes. */
  readonly nextSequence: () => number;
  /** The life of its index that the holder answers from. */
  readonly onBoot: (boot: string) => void;
}

/** What a heartbeat tells a holder, so that it may find that it knows something else. */
export interface LaneRoot {
  readonly epoch: number;
  readonly sequence: number;
  readonly root: Uint8Array;
}

export class HolderLane {
  readonly #components: HolderLaneComponents;
  readonly #options: HolderLaneOptions;
  readonly #abort = new AbortController();
  readonly #pending = new ChangeQueue();
  readonly #wanted = new ShardQueue();
  readonly #wake = new Gate();
  #inFlight: Batch | undefined;
  readonly #comparison: LaneComparison;
  #takenSequence = 0;
  #failures = 0;
  #active = false;
  #running: Promise<void> | undefined;

  constructor(components: HolderLaneComponents, options: HolderLaneOptions) {
    this.#components = components;
    this.#options = options;
    const { signal } = this.#abort;
    this.#comparison = new LaneComparison(components, { ...options, signal, onDue: () => this.#start() });
  }

  /** Hashes not yet taken. */
  get length(): number {
    return this.#pending.size + (this.#inFlight?.changes.size ?? 0);
  }

  /** The latest word about a hash wins; whoever waited for an earlier word is answered with it. */
  send(delivery: Delivery): void {
    if (this.#abort.signal.aborted || this.#isUnderWay(delivery)) return;
    if (this.#pending.size >= this.#options.maxHashes && !this.#pending.has(delivery.hash))
      this.#giveUpSettled();
    this.#pending.put(delivery);
    this.#start();
  }

  /** Compares with the holder what it knows, and sends what it asks for thereupon. */
  compare(): void {
    this.#comparison.request();
  }

  /** As heldRoot() of the announcer. Undefined while something is under way. */
  root(): LaneRoot | undefined {
    const { ring, digests } = this.#components;
    if (this.#active) return undefined;
    const root = digests.current().root(this.#comparison.shards);
    return { epoch: ring.epoch, sequence: this.#takenSequence, root };
  }

  /** The holder gave a sign of life: try again now. */
  wake(): void {
    this.#wake.open();
    this.#comparison.retry();
  }

  /** Ends the call in flight and forgets the queue. */
  async stop(): Promise<void> {
    this.#abort.abort(stopped(`announce blocks to ${this.#options.peer}`));
    this.#wake.open();
    this.#comparison.stop();
    this.#pending.clear();
    this.#wanted.clear();
    await this.#running;
  }

  #isUnderWay(delivery: Delivery): boolean {
    return this.#inFlight?.changes.get(delivery.hash)?.deliveries.includes(delivery) === true;
  }

  /** Keeps what somebody waits for; a comparison shows the rest, once this holder is back. */
  #giveUpSettled(): void {
    const records = this.#pending.dropSettled();
    if (records > 0)
      this.#components.logger.warn('dht.announce-overflow', { peer: this.#options.peer, records });
  }

  #start(): void {
    if (this.#active) return;
    this.#active = true;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    // One turn of the microtask queue gathers whatever is announced together.
    await Promise.resolve();
    while (this.#hasWork() && !this.#abort.signal.aborted) {
      if (this.#comparison.isDue) await this.#compareNow();
      const batch = takeBatch(this.#pending, this.#wanted, this.#components.held);
      if (isEmpty(batch)) continue;
      this.#inFlight = batch;
      try {
        await this.#deliver(batch);
        this.#inFlight = undefined;
        if (this.#wanted.size === 0) this.#comparison.shardsSent();
      } catch (error) {
        this.#inFlight = undefined;
        this.#pending.putBack(batch.changes);
        this.#wanted.putBack(batch.wholes);
        if (!this.#abort.signal.aborted) await this.#backOff(error);
      }
    }
    // In the same turn as the loop's last look at the queue, so that no send() falls between.
    this.#active = false;
  }

  #hasWork(): boolean {
    return this.#pending.size > 0 || this.#wanted.size > 0 || this.#comparison.isDue;
  }

  async #deliver(batch: Batch): Promise<void> {
    const { peer, node, generation, nextSequence, onBoot } = this.#options;
    const { clock, rpc, logger, ring } = this.#components;
    const { count, ...content } = contentOf(batch);
    const sequence = nextSequence();
    const deadline = startDeadline(
      clock,
      ANNOUNCE_TIMEOUT_MS,
      `announce blocks to ${peer}`,
      this.#abort.signal,
    );
    try {
      const request = { node, generation, sequence, epoch: ring.epoch, ...content };
      const answer = await rpc.announce(peer, request, deadline.signal);
      if (answer.taken !== count) throw notTaken(peer, count, answer.taken);
      this.#takenSequence = sequence;
      if (this.#failures > 0) logger.info('dht.announce-resumed', { peer });
      this.#failures = 0;
      // Who counts by a newer membership must be known before it is counted who took it.
      ring.learn(answer.ring);
      // And whether it has forgotten what it took before.
      onBoot(answer.boot);
      for (const { deliveries } of batch.changes.values()) for (const each of deliveries) each.takenBy(peer);
    } finally {
      deadline.release();
    }
  }

  async #compareNow(): Promise<void> {
    const { nextSequence, onBoot } = this.#options;
    const changing = [...this.#pending.hashes()].map(shardOfHash);
    const unsent = this.#wanted.shards();
    const compared = await this.#comparison.run({ changing, unsent }, nextSequence);
    if (compared === undefined) return;
    this.#takenSequence = compared.sequence;
    onBoot(compared.boot);
    this.#wanted.put(compared.wanted);
  }

  async #backOff(error: unknown): Promise<void> {
    const { clock, logger } = this.#components;
    const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#failures);
    const fields = {
      peer: this.#options.peer,
      records: this.#pending.size,
      delayMs,
      reason: describe(error),
    };
    if (this.#failures === 0) logger.warn('dht.announce-failed', fields);
    else logger.debug('dht.announce-failed', fields);
    this.#failures++;
    await this.#wake.waitAtMost(clock, delayMs);
  }
}
