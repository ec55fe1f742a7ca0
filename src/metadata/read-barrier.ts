/** @module Linearizable reads anywhere: one round of ReadIndex is shared by all reads that wait for it (thesis §6.4). */
import type { Index, ReadState } from '../../raft/types.ts';
import type { Clock, Timer } from '../common/clock.ts';
import type { Random } from '../common/random.ts';
import { within } from './deadline.ts';
import { noQuorum, notReady, stopped } from './errors.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { SnapshotReceiver } from './snapshot-receiver.ts';

export interface ReadBarrierComponents {
  readonly driver: Pick<RaftDriver, 'ended' | 'appliedIndex' | 'listen' | 'readIndex' | 'waitApplied'>;
  readonly receiver: Pick<SnapshotReceiver, 'isFetching'>;
  readonly clock: Clock;
  readonly random: Random;
}

export interface ReadBarrierOptions {
  readonly readLimitMs?: number | undefined;
}

interface Round {
  readonly answer: PromiseWithResolvers<Index>;
  waiting: number;
}

/** A round without an answer for this long is asked again, with a new context (S04 of simulations/README.md). */
const READ_RETRY_MS = 300;
/** By default a read gives up after this; below what a client gives one attempt, as with DEFAULT_SUBMIT_LIMIT_MS. */
export const DEFAULT_READ_LIMIT_MS = 3_000;
const CONTEXT_BYTES = 16;
/** Entries still to be applied above which a reader had better ask elsewhere: a node works off some thousands a second. */
const MAX_LAG_ENTRIES = 2_000;

export class ReadBarrier {
  readonly #driver: ReadBarrierComponents['driver'];
  readonly #receiver: ReadBarrierComponents['receiver'];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limitMs: number;
  #inFlight: Round | undefined;
  /** A read must not share a round that was asked for before the read began. */
  #gathering: Round | undefined;
  #context: Uint8Array = new Uint8Array(0);
  #retry: Timer | undefined;
  #isStopped = false;

  constructor(components: ReadBarrierComponents, options: ReadBarrierOptions = {}) {
    this.#driver = components.driver;
    this.#receiver = components.receiver;
    this.#clock = components.clock;
    this.#random = components.random;
    this.#limitMs = options.readLimitMs ?? DEFAULT_READ_LIMIT_MS;
  }

  start(): void {
    this.#driver.listen({
      readState: (state) => this.#answered(state),
      leaderChanged: (leader) => {
        if (leader !== 0 && this.#inFlight !== undefined) this.#ask();
      },
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#retry?.cancel();
    for (const round of [this.#inFlight, this.#gathering]) round?.answer.reject(stopped());
    this.#inFlight = undefined;
    this.#gathering = undefined;
  }

  /**
   * Resolves once the local state holds everything that was committed before this call.
   * METADATA_NO_QUORUM after the limit or when `signal` fires first; METADATA_NOT_READY at once while this node is far
   * behind, for another one can answer sooner; METADATA_STOPPED after stop().
   */
  async wait(signal?: AbortSignal): Promise<void> {
    const ended = this.#driver.ended;
    if (ended !== undefined) throw ended;
    if (this.#isStopped) throw stopped();
    if (this.#receiver.isFetching) throw notReady();
    const round = (this.#gathering ??= newRound());
    round.waiting += 1;
    if (this.#inFlight === undefined) this.#launch();
    const reached = round.answer.promise.then((index) => this.#reach(index));
    const limit = { clock: this.#clock, limitMs: this.#limitMs, signal };
    try {
      await within(limit, reached, () => noQuorum('read the latest state', this.#limitMs));
    } finally {
      round.waiting -= 1;
    }
  }

  async #reach(index: Index): Promise<void> {
    if (index - this.#driver.appliedIndex > MAX_LAG_ENTRIES) throw notReady();
    await this.#driver.waitApplied(index);
  }

  #launch(): void {
    this.#inFlight = this.#gathering;
    this.#gathering = undefined;
    if (this.#inFlight !== undefined) this.#ask();
  }

  #ask(): void {
    this.#retry?.cancel();
    if (this.#inFlight !== undefined && this.#inFlight.waiting === 0) return this.#launch();
    this.#context = this.#random.bytes(CONTEXT_BYTES);
    this.#retry = this.#clock.after(READ_RETRY_MS, () => this.#ask());
    this.#driver.readIndex(this.#context);
  }

  #answered({ index, requestCtx }: ReadState): void {
    if (this.#inFlight === undefined || !sameBytes(requestCtx, this.#context)) return;
    this.#retry?.cancel();
    const round = this.#inFlight;
    this.#launch();
    round.answer.resolve(index);
  }
}

function newRound(): Round {
  const answer = Promise.withResolvers<Index>();
  // Everybody may have given up waiting when the round is refused at stop.
  answer.promise.catch(() => {});
  return { answer, waiting: 0 };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, position) => byte === b[position]);
}
