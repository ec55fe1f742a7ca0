/**
 * @module Whose repairs come first, across keepers: blocks that can bear a loss wait for those that cannot, elsewhere too.
 *
 * Each keeper tells the others how few copies the most endangered block has that it is helping. Whoever has only safer ones
 * leaves the disks and the network to it, for a bounded time. Nothing but the order depends on what is said here.
 */
import type { Clock } from '../../common/clock.ts';
import { describeError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { Member } from '../../namespace/schema.ts';
import { call, serve } from '../../network/method.ts';
import type { Network, PeerId } from '../../network/network.ts';
import { REPAIR_TURN } from '../../protocol/methods.ts';
import type { MemberDirectory } from '../member-directory.ts';

export interface RepairTurnsComponents {
  readonly network: Network;
  readonly members: Pick<MemberDirectory, 'withRole'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The copies left of blocks that one keeper could help now: of the most and of the least endangered of them. */
export interface CopiesLeftRange {
  readonly fewest: number;
  readonly most: number;
}

/** A block that no loss may hit: it never waits. */
export const LAST_COPY = 1;
/** Keepers hear of a death one after the other; by then all have said what it means for their shards, in milliseconds. */
export const SETTLING_MS = 400;
/** How long safer blocks wait, in milliseconds. A source that hangs, or is slow, must not hold all repair up. */
export const MAX_WAIT_MS = 5_000;
const ASK_PERIOD_MS = 150;
const ASK_TIMEOUT_MS = 1_000;
/** What was said longer ago counts no more, in milliseconds: that keeper is paused, or gone. */
export const STALE_MS = 1_500;

interface Said {
  readonly fewest: number;
  readonly atMs: number;
}

export class RepairTurns {
  readonly #components: RepairTurnsComponents;
  readonly #others = new Map<PeerId, Said>();
  readonly #asking = new Set<PeerId>();
  #own: Said = { fewest: 0, atMs: 0 };
  #askedMs = Number.NEGATIVE_INFINITY;
  /** Since when there is anything to repair here. */
  #sinceMs: number | undefined;
  /** Since when blocks wait here for more endangered ones. */
  #waitingSinceMs: number | undefined;

  constructor(components: RepairTurnsComponents) {
    this.#components = components;
  }

  start(): void {
    serve(this.#components.network, REPAIR_TURN, async () => ({ fewestLeft: this.#current(this.#own) }));
  }

  /** Nothing can be helped here now. */
  rest(): void {
    this.#own = { fewest: 0, atMs: this.#components.clock.monotonicMs() };
    this.#sinceMs = undefined;
    this.#waitingSinceMs = undefined;
  }

  /** Blocks with more copies left than the answer wait. To be asked again and again while there is anything to repair. */
  limit({ fewest, most }: CopiesLeftRange, signal: AbortSignal): number {
    const nowMs = this.#components.clock.monotonicMs();
    this.#own = { fewest, atMs: nowMs };
    this.#sinceMs ??= nowMs;
    if (most <= LAST_COPY) return most;
    const others = this.#otherKeepers();
    this.#ask(others, signal);
    const isSettling = others.length > 0 && nowMs - this.#sinceMs < SETTLING_MS;
    const said = [...this.#others.values()].map((each) => this.#current(each)).filter((left) => left > 0);
    const limit = isSettling ? LAST_COPY : Math.min(fewest, ...said);
    if (limit >= most) {
      this.#waitingSinceMs = undefined;
      return limit;
    }
    this.#waitingSinceMs ??= nowMs;
    return nowMs - this.#waitingSinceMs < MAX_WAIT_MS ? limit : most;
  }

  #current({ fewest, atMs }: Said): number {
    return this.#components.clock.monotonicMs() - atMs < STALE_MS ? fewest : 0;
  }

  #otherKeepers(): readonly Member[] {
    const { network, members } = this.#components;
    const others = members.withRole('meta').filter(({ peer }) => peer !== network.localPeer);
    for (const peer of this.#others.keys())
      if (!others.some((other) => other.peer === peer)) this.#others.delete(peer);
    return others;
  }

  /** In the background: who is slow to answer holds nobody up. */
  #ask(others: readonly Member[], signal: AbortSignal): void {
    const { network, clock, logger } = this.#components;
    if (clock.monotonicMs() - this.#askedMs < ASK_PERIOD_MS) return;
    this.#askedMs = clock.monotonicMs();
    for (const { number, peer } of others) {
      if (this.#asking.has(peer)) continue;
      this.#asking.add(peer);
      call(network, peer, REPAIR_TURN, {}, { signal, timeoutMs: ASK_TIMEOUT_MS })
        .then(
          ({ fewestLeft: fewest }) => void this.#others.set(peer, { fewest, atMs: clock.monotonicMs() }),
          (error: unknown) => logger.debug('repair.no-turn', { node: number, error: describeError(error) }),
        )
        .finally(() => this.#asking.delete(peer));
    }
  }
}
