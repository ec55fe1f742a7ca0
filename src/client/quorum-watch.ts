/** @module Ends what waits for the cluster once the metadata nodes have said for seconds that they have no quorum. */
import type { Clock, Timer } from '../common/clock.ts';
import { type HoldfastError, isHoldfastError } from '../common/errors.ts';
import { MEMBERS } from '../protocol/methods.ts';
import type { MetadataPeers } from './metadata-peers.ts';

export interface QuorumWatchComponents {
  readonly metadata: MetadataPeers;
  readonly clock: Clock;
}

/** After so long without a move the metadata nodes are asked, in milliseconds, and then again and again. */
const STILL_MS = 1_000;
/**
 * Elections and short restarts are waited out: only when they have had no quorum for so long, in milliseconds. With STILL_MS and
 * the time that an answer takes still well below the ten seconds within which a write is refused, on a busy machine, too.
 */
const LOST_MS = 6_000;
/** For one of them to find out that it has no quorum, in milliseconds. */
const QUORUM_PATIENCE_MS = 3_500;
const LOOK_MS = 250;

/** Something that waits for the cluster. */
export interface QuorumWait {
  /** It has got on. */
  moved(): void;
  /** It waits no longer. */
  end(): void;
}

/**
 * A write passes many stations, and each has its own patience with whoever does not answer: without a quorum one after the other
 * would be used up, and all of them together take longer than anybody should wait to be told.
 */
export class QuorumWatch {
  readonly #metadata: MetadataPeers;
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();
  #timer: Timer | undefined;
  #isAsking = false;
  /** When the first question was asked of those that were answered with METADATA_NO_QUORUM, without another answer since. */
  #lostSinceMs: number | undefined;

  constructor(components: QuorumWatchComponents) {
    this.#metadata = components.metadata;
    this.#clock = components.clock;
  }

  /**
   * From now until its end: calls `refuse` with METADATA_NO_QUORUM once the metadata nodes have had none for too long. Who cannot
   * be asked proves nothing: it may be this client that is cut off.
   */
  watch(refuse: (reason: Error) => void): QuorumWait {
    const wait = new Wait(this.#clock, refuse, () => this.#waits.delete(wait));
    this.#waits.add(wait);
    this.#timer ??= this.#clock.every(LOOK_MS, () => this.#look());
    return wait;
  }

  #look(): void {
    if (this.#waits.size === 0) {
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#lostSinceMs = undefined;
    } else if (!this.#isAsking && (this.#lostSinceMs !== undefined || this.#isStill())) void this.#ask();
  }

  #isStill(): boolean {
    const latestMs = this.#clock.monotonicMs() - STILL_MS;
    return [...this.#waits].some(({ movedMs }) => movedMs <= latestMs);
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    const askedMs = this.#clock.monotonicMs();
    const asked = [...this.#waits];
    this.#isAsking = true;
    try {
      await confirmQuorum(this.#metadata);
      this.#lostSinceMs = undefined;
      // They are slow for another reason.
      for (const wait of asked) wait.moved();
    } catch (error) {
      if (isHoldfastError(error, 'METADATA_NO_QUORUM')) this.#refused(asked, askedMs, error);
    } finally {
      this.#isAsking = false;
    }
  }

  #refused(asked: readonly Wait[], askedMs: number, error: HoldfastError): void {
    this.#lostSinceMs ??= askedMs;
    if (this.#clock.monotonicMs() - this.#lostSinceMs < LOST_MS) return;
    for (const wait of asked) if (this.#waits.has(wait)) wait.refuse(error);
  }
}

class Wait implements QuorumWait {
  readonly refuse: (reason: Error) => void;
  readonly end: () => void;
  readonly #clock: Clock;
  #movedMs: number;

  constructor(clock: Clock, refuse: (reason: Error) => void, end: () => void) {
    this.refuse = refuse;
    this.end = end;
    this.#clock = clock;
    this.#movedMs = clock.monotonicMs();
  }

  get movedMs(): number {
    return this.#movedMs;
  }

  moved(): void {
    this.#movedMs = this.#clock.monotonicMs();
  }
}

/** Errors: METADATA_NO_QUORUM; CLIENT_NO_METADATA; CLIENT_CLOSED; the signal's reason. */
export async function confirmQuorum(metadata: MetadataPeers, signal?: AbortSignal): Promise<void> {
  await metadata.ask(MEMBERS, { stale: false }, { signal, patienceMs: QUORUM_PATIENCE_MS });
}
