/** @module Ends what stands still for seconds once the metadata nodes say why: they have no quorum, and nothing that is tried again would go better. */
import type { Clock, Timer } from '../common/clock.ts';
import { isHoldfastError } from '../common/errors.ts';
import { MEMBERS } from '../protocol/methods.ts';
import type { MetadataPeers } from './metadata-peers.ts';

export interface QuorumWatchComponents {
  readonly metadata: MetadataPeers;
  readonly clock: Clock;
}

/** After so long without a move the metadata nodes are asked, in milliseconds: longer than an election. */
const STILL_MS = 4_000;
/**
 * For one of them to find out that it has no quorum, in milliseconds. With STILL_MS, and the search for one that answers before
 * anything was sent, still below the ten seconds within which a write is refused.
 */
export const QUORUM_PATIENCE_MS = 3_500;
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

  constructor(components: QuorumWatchComponents) {
    this.#metadata = components.metadata;
    this.#clock = components.clock;
  }

  /**
   * From now until its end: calls `refuse` with METADATA_NO_QUORUM once it has stood still for too long and that is why. Who
   * cannot be asked proves nothing: it may be this client that is cut off.
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
    } else if (!this.#isAsking && this.#stillSince(this.#clock.monotonicMs() - STILL_MS).length > 0)
      void this.#ask();
  }

  #stillSince(latestMs: number): Wait[] {
    return [...this.#waits].filter(({ movedMs }) => movedMs <= latestMs);
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    const askedMs = this.#clock.monotonicMs();
    this.#isAsking = true;
    const refusal = await confirmQuorum(this.#metadata).then(
      () => undefined,
      (error: unknown) => error,
    );
    this.#isAsking = false;
    // Also of who has waited for less: there was no quorum for as long as the answer took.
    for (const wait of this.#stillSince(askedMs)) {
      if (isHoldfastError(refusal, 'METADATA_NO_QUORUM')) wait.refuse(refusal);
      else wait.moved();
    }
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
