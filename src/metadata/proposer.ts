/** @module Any metadata node takes any change: proposed here if leader, else forwarded, again after a change of leader. */
import { relayAbort } from '../common/abort-relay.ts';
import { type Clock, sleep } from '../common/clock.ts';
import { isHoldfastError, NOT_WANTED } from '../common/errors.ts';
import { checkLevel } from '../namespace/feature-level.ts';
import type { Command, SessionCommand } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { within } from './deadline.ts';
import { noQuorum, notLeader, outcomeUnknown, refusal } from './errors.ts';
import type { Forwarder } from './forwarder.ts';
import { type Asker, LateWatch } from './late-watch.ts';
import { type Committed, type PreparedCommand, prepareCommand } from './proposal-queue.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface ProposerComponents {
  readonly machine: StateMachine;
  readonly driver: RaftDriver;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
}

export interface ProposerOptions {
  readonly submitLimitMs?: number | undefined;
}

/**
 * By default a change is given up after this: longer than elections take, and below the 4 s a client gives one attempt
 * (metadata-peers.ts), so that it hears the reason and not a time-out. The client then asks elsewhere or again.
 */
export const DEFAULT_SUBMIT_LIMIT_MS = 3_500;
/** How long to wait for a new leader before trying again anyway, in milliseconds. */
const RETRY_PAUSE_MS = 100;

export class Proposer {
  readonly #machine: StateMachine;
  readonly #driver: RaftDriver;
  readonly #forwarder: Forwarder;
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #late: LateWatch;

  constructor(components: ProposerComponents, options: ProposerOptions = {}) {
    this.#machine = components.machine;
    this.#driver = components.driver;
    this.#forwarder = components.forwarder;
    this.#clock = components.clock;
    this.#limitMs = options.submitLimitMs ?? DEFAULT_SUBMIT_LIMIT_MS;
    this.#late = new LateWatch(components);
  }

  /**
   * Resolves once committed. The same command may be proposed several times on the way: it must carry a session and
   * sequence, or be idempotent. Errors: METADATA_NO_QUORUM (surely not proposed), METADATA_OUTCOME_UNKNOWN,
   * METADATA_OVERLOADED, METADATA_COMMAND_TOO_LARGE, METADATA_STOPPED, METADATA_FAILED.
   */
  async submit(command: SessionCommand, asker?: Asker): Promise<Committed> {
    const prepared = prepareCommand(command);
    const startMs = this.#clock.monotonicMs();
    let maybeProposed = false;
    let last: unknown;
    let leftMs = this.#limitMs;
    do {
      try {
        return await this.#late.wait(this.#attempt(prepared), { limitMs: leftMs, asker }, () =>
          outcomeUnknown('it was not committed in time'),
        );
      } catch (error) {
        if (!this.#mayRetry(error))
          throw maybeProposed ? outcomeUnknown('this node stopped or was removed meanwhile', error) : error;
        maybeProposed ||= error.kind === 'unknown';
        last = error;
      }
      leftMs = this.#limitMs - (this.#clock.monotonicMs() - startMs);
      if (leftMs > 0) await this.#leaderChange(asker?.signal);
      leftMs = this.#limitMs - (this.#clock.monotonicMs() - startMs);
    } while (leftMs > 0 && !asker?.signal.aborted);
    throw conclude(maybeProposed, last, this.#limitMs);
  }

  /**
   * A command of the cluster itself, without session. Throws what the state machine refused, with its code. A command
   * above the cluster's feature level does not even get into the log, where it would stop older nodes.
   */
  async submitInternal(kind: NonNullable<Command['kind']>, signal?: AbortSignal): Promise<Committed> {
    checkLevel(kind, this.#machine.cluster());
    const command = { session: '', sequence: 0, ackedBelow: 0, command: { kind } };
    const committed = await this.submit(command, signal && { signal });
    if (committed.result.kind?.$case === 'refused') throw refusal(committed.result.kind.value);
    return committed;
  }

  /** Resolves once what this node submitted is applied here too, so that its answers show it. */
  async settled(index: number, signal?: AbortSignal): Promise<void> {
    const limit = { clock: this.#clock, limitMs: this.#limitMs, signal };
    await within(limit, this.#driver.waitApplied(index), () =>
      noQuorum('catch up with the leader', this.#limitMs),
    );
  }

  #attempt(prepared: PreparedCommand): Promise<Committed> {
    if (this.#driver.isLeader) return this.#driver.propose(prepared);
    const { leader } = this.#driver;
    return leader === 0 ? Promise.reject(notLeader(0)) : this.#forwarder.forward(leader, prepared);
  }

  #mayRetry(error: unknown): error is Error & { readonly kind: string } {
    if (this.#driver.ended !== undefined || isHoldfastError(error, 'METADATA_NOT_A_MEMBER')) return false;
    return isHoldfastError(error) && (error.kind === 'unavailable' || error.kind === 'unknown');
  }

  /** Resolves when another leader is known, after RETRY_PAUSE_MS, or when the signal fires. */
  async #leaderChange(signal: AbortSignal | undefined): Promise<void> {
    const waiting = new AbortController();
    const stopListening = this.#driver.listen({
      leaderChanged: (leader) => {
        if (leader !== 0) waiting.abort(NOT_WANTED);
      },
    });
    const release = relayAbort(signal, waiting);
    try {
      await sleep(this.#clock, RETRY_PAUSE_MS, waiting.signal);
    } catch {
      // Woken early, by either reason: the caller looks again at both.
    } finally {
      release();
      stopListening();
    }
  }
}

function conclude(maybeProposed: boolean, last: unknown, limitMs: number): Error {
  if (maybeProposed) return outcomeUnknown('no majority of the metadata nodes confirmed it in time', last);
  return isHoldfastError(last, 'METADATA_OVERLOADED') ? last : noQuorum('commit the change', limitMs);
}
