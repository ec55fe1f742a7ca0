/** @module Comparing with one holder what it knows: by digests, until it asks for nothing new. */
import { startDeadline } from './deadline.ts';
import { describe } from './errors.ts';
import type { HeldDigests } from './held-digests.ts';
import type { CompareResponse } from './messages.ts';
import type { AnnounceRpc, Clock, Logger, MetadataRing, PeerId, Timer } from './ports.ts';
import { shardsOf } from './shard-ledger.ts';
import { ShardSet } from './shard-set.ts';

/** A holder that has not answered by then is asked again, under a higher sequence. */
export const ANNOUNCE_TIMEOUT_MS = 5_000;
/** One that failed is not tried again before: announcements wait for it, and their answers are signs of life. */
export const RETRY_COMPARISON_MS = 2_000;
/** A holder that wants nothing yet, although something differs, is asked again after this. */
export const POSTPONED_COMPARISON_MS = 500;
/** Longer is not waited, whatever the holder says. */
export const MAX_POSTPONED_MS = 60_000;

export interface LaneComparisonComponents {
  readonly rpc: AnnounceRpc;
  readonly ring: MetadataRing;
  readonly digests: HeldDigests;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface LaneComparisonOptions {
  readonly peer: PeerId;
  readonly node: number;
  readonly generation: number;
  readonly signal: AbortSignal;
  /** Called when one is due. */
  readonly onDue: () => void;
}

/** What the holder said. */
export interface Compared {
  readonly sequence: number;
  readonly boot: string;
  /** Shards to be sent whole. */
  readonly wanted: readonly number[];
}

export class LaneComparison {
  readonly #components: LaneComparisonComponents;
  readonly #options: LaneComparisonOptions;
  #state: 'none' | 'due' | 'after-shards' | 'failed' = 'none';
  /** What is asked for and has not been compared since: who asks for just that again does not agree on what was sent. */
  #sentBefore: ReadonlySet<number> = new Set();
  #failedMs = 0;
  #later: Timer | undefined;
  /** The shards of this holder, and the members by which they are. */
  #shards: { readonly members: readonly PeerId[]; readonly set: ShardSet } | undefined;

  constructor(components: LaneComparisonComponents, options: LaneComparisonOptions) {
    this.#components = components;
    this.#options = options;
  }

  get isDue(): boolean {
    return this.#state === 'due';
  }

  /** The shards of this holder. Heartbeats ask every few seconds, and members seldom change. */
  get shards(): ShardSet {
    const members = this.#components.ring.all();
    if (this.#shards?.members !== members)
      this.#shards = { members, set: shardsOf(this.#components.ring, this.#options.peer) };
    return this.#shards.set;
  }

  /** One is due. */
  request(): void {
    const { signal, onDue } = this.#options;
    if (signal.aborted) return;
    this.#state = 'due';
    onDue();
  }

  /** The holder gave a sign of life. Of what it was asked in vain it will not say by itself that it differs: it may not know. */
  retry(): void {
    const { clock } = this.#components;
    if (this.#state === 'failed' && clock.monotonicMs() - this.#failedMs >= RETRY_COMPARISON_MS)
      this.request();
  }

  /** What was wanted has been sent: whether more is wanted is the next question. */
  shardsSent(): void {
    if (this.#state !== 'after-shards') return;
    this.#state = 'none';
    this.request();
  }

  stop(): void {
    this.#later?.cancel();
  }

  /**
   * Leaves out the shards of which something is being sent: `changing` ones, and those that are `unsent`, though wanted.
   * Undefined without an answer: a failure is none of the announcements' business, and is made good by retry().
   */
  async run(
    { changing, unsent }: { readonly changing: Iterable<number>; readonly unsent: ReadonlySet<number> },
    sequence: () => number,
  ): Promise<Compared | undefined> {
    this.#state = unsent.size > 0 ? 'after-shards' : 'none';
    const { clock, rpc, logger, ring } = this.#components;
    const { peer, node, generation, signal } = this.#options;
    const digests = this.#components.digests.current();
    const compared = new ShardSet(this.shards);
    for (const shard of changing) compared.delete(shard);
    for (const shard of unsent) compared.delete(shard);
    const own = sequence();
    const deadline = startDeadline(clock, ANNOUNCE_TIMEOUT_MS, `compare shards with ${peer}`, signal);
    try {
      const said = { shards: compared.encode(), digests: digests.encode(compared) };
      const request = { node, generation, sequence: own, epoch: ring.epoch, ...said };
      const answer = await rpc.compare(peer, request, deadline.signal);
      ring.learn(answer.ring);
      this.#judge(answer, unsent);
      return { sequence: own, boot: answer.boot, wanted: answer.wanted };
    } catch (error) {
      if (signal.aborted) return undefined;
      logger.debug('dht.compare-failed', { peer, reason: describe(error) });
      // Asked for meanwhile, it is due already.
      if (!this.isDue) this.#state = 'failed';
      this.#failedMs = clock.monotonicMs();
      return undefined;
    } finally {
      deadline.release();
    }
  }

  #judge(
    { wanted, more, againMs }: Pick<CompareResponse, 'wanted' | 'more' | 'againMs'>,
    unsent: ReadonlySet<number>,
  ): void {
    // The holder still finds out what others hand over to it, or listens to another datanode.
    if (more && wanted.length === 0) this.#requestLater(againMs === 0 ? POSTPONED_COMPARISON_MS : againMs);
    const isNew = wanted.some((shard) => !this.#sentBefore.has(shard));
    this.#sentBefore = new Set([...unsent, ...wanted]);
    if (wanted.length === 0) return;
    const { peer } = this.#options;
    this.#components.logger.debug('dht.shards-wanted', { peer, shards: wanted.length, more });
    // What is wanted a second time at once is left to the next heartbeat: something else is wrong.
    if (isNew) this.#state = 'after-shards';
  }

  #requestLater(delayMs: number): void {
    this.#later?.cancel();
    this.#later = this.#components.clock.after(Math.min(MAX_POSTPONED_MS, delayMs), () => this.request());
  }
}
