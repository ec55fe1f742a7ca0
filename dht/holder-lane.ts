/** @module The way to one holder: the latest word about each hash, in batches, one batch in flight, again until taken. */
import { startDeadline } from './deadline.ts';
import { type Batch, ChangeQueue } from './change-queue.ts';
import type { Delivery } from './delivery.ts';
import { describe, notTaken, stopped } from './errors.ts';
import { Gate } from './gate.ts';
import type { AnnounceRequest, AnnounceResponse } from './messages.ts';
import { MAX_BATCH_HASHES, packHashes } from './packed-hashes.ts';
import type { BlockHash, Clock, LocationRpc, Logger, PeerId } from './ports.ts';

/** A holder that has not answered a batch by then is asked again, under a higher sequence. */
export const ANNOUNCE_TIMEOUT_MS = 5_000;
/** Waits between attempts double from the first to the last of these. */
export const BACKOFF_MIN_MS = 100;
export const BACKOFF_MAX_MS = 5_000;
/** Re-announcements stop filling a lane at this length, so that new blocks wait for at most two batches. */
export const BACKGROUND_LANE_HASHES: number = MAX_BATCH_HASHES;

export interface HolderLaneComponents {
  readonly rpc: LocationRpc;
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
  readonly onAnswer: (response: AnnounceResponse) => void;
  /** Records were given up for lack of room: this holder needs all of them again, when it is back. */
  readonly onOverflow: () => void;
}

export class HolderLane {
  readonly #components: HolderLaneComponents;
  readonly #options: HolderLaneOptions;
  readonly #abort = new AbortController();
  readonly #pending = new ChangeQueue();
  readonly #wake = new Gate();
  readonly #room = new Gate();
  #inFlight: Batch | undefined;
  #failures = 0;
  #active = false;
  #running: Promise<void> | undefined;

  constructor(components: HolderLaneComponents, options: HolderLaneOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Hashes not yet taken. */
  get length(): number {
    return this.#pending.size + (this.#inFlight?.changes.size ?? 0);
  }

  /** The latest word about a hash wins; whoever waited for an earlier word is answered with it. */
  send(delivery: Delivery): void {
    if (this.#abort.signal.aborted) return;
    if (this.#pending.size >= this.#options.maxHashes && !this.#pending.has(delivery.hash))
      this.#giveUpSettled();
    this.#pending.put(delivery);
    this.#start();
  }

  /** Re-announces a held block, unless something about it is on its way. Check `hasRoom` first. */
  sendAgain(hash: BlockHash): void {
    if (this.#abort.signal.aborted || this.#inFlight?.changes.has(hash)) return;
    this.#pending.putQuietly(hash);
    this.#start();
  }

  /** After everything sent before, the holder forgets what only earlier generations announced. */
  sendReset(): void {
    if (this.#abort.signal.aborted) return;
    this.#pending.putReset();
    this.#start();
  }

  hasRoom(): boolean {
    return this.#pending.size < BACKGROUND_LANE_HASHES;
  }

  /** Resolves when hasRoom() may have changed; rejects with DHT_STOPPED. */
  room(): Promise<void> {
    return this.#room.wait(this.#abort.signal);
  }

  /** The holder gave a sign of life: try again now. */
  wake(): void {
    this.#wake.open();
  }

  /** Ends the call in flight and forgets the queue. */
  async stop(): Promise<void> {
    this.#abort.abort(stopped(`announce blocks to ${this.#options.peer}`));
    this.#wake.open();
    this.#pending.clear();
    await this.#running;
  }

  /** Keeps what somebody waits for; the rest comes again with the re-announcement that onOverflow asks for. */
  #giveUpSettled(): void {
    const records = this.#pending.dropSettled();
    if (records === 0) return;
    this.#components.logger.warn('dht.announce-overflow', { peer: this.#options.peer, records });
    this.#options.onOverflow();
  }

  #start(): void {
    if (this.#active) return;
    this.#active = true;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    // One turn of the microtask queue gathers whatever is announced together.
    await Promise.resolve();
    while (this.#pending.size > 0 && !this.#abort.signal.aborted) {
      const batch = this.#pending.take(MAX_BATCH_HASHES);
      this.#inFlight = batch;
      try {
        await this.#deliver(batch);
        this.#inFlight = undefined;
      } catch (error) {
        this.#inFlight = undefined;
        this.#pending.putBack(batch);
        if (!this.#abort.signal.aborted) await this.#backOff(error);
      }
      this.#room.open();
    }
    // In the same turn as the loop's last look at the queue, so that no send() falls between.
    this.#active = false;
  }

  async #deliver(batch: Batch): Promise<void> {
    const { peer, onAnswer } = this.#options;
    const { clock, rpc, logger } = this.#components;
    const attempt = `announce blocks to ${peer}`;
    const deadline = startDeadline(clock, ANNOUNCE_TIMEOUT_MS, attempt, this.#abort.signal);
    try {
      const response = await rpc.announce(peer, this.#request(batch), deadline.signal);
      const wanted = batch.changes.size;
      if (response.taken !== wanted) throw notTaken(peer, wanted, response.taken);
      if (this.#failures > 0) logger.info('dht.announce-resumed', { peer });
      this.#failures = 0;
      for (const { deliveries } of batch.changes.values()) for (const each of deliveries) each.takenBy(peer);
      onAnswer(response);
    } finally {
      deadline.release();
    }
  }

  #request({ changes, reset }: Batch): AnnounceRequest {
    const { node, generation, nextSequence } = this.#options;
    const hashes = (present: boolean): BlockHash[] =>
      [...changes].filter(([, change]) => change.present === present).map(([hash]) => hash);
    return {
      node,
      generation,
      sequence: nextSequence(),
      added: packHashes(hashes(true)),
      removed: packHashes(hashes(false)),
      reset,
    };
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
