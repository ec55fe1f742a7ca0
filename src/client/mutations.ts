/** @module Changes of the namespace, each executed once: a replicated session and a sequence number per change. */
import { relayAbort } from '../common/abort-relay.ts';
import { toHex } from '../common/bytes.ts';
import { ByteBudget } from '../common/byte-budget.ts';
import { orAborted } from '../common/deadline.ts';
import { type HoldfastError, isHoldfastError } from '../common/errors.ts';
import type { Random } from '../common/random.ts';
import { NaturalBatches } from '../common/natural-batches.ts';
import type { Command, Result, SessionCommand } from '../namespace/schema.ts';
import type { PeerId } from '../network/network.ts';
import { MUTATE, MUTATE_MANY } from '../protocol/methods.ts';
import { errorIn } from '../protocol/verdict.ts';
import { attemptUnknown, sessionExpired, tooManyWaiting } from './errors.ts';
import type { AskOptions, MetadataPeers, Patience } from './metadata-peers.ts';
import type { QuorumWatch } from './quorum-watch.ts';
import { accepted } from './result.ts';

export interface MutationsComponents {
  readonly metadata: MetadataPeers;
  readonly quorum: QuorumWatch;
  readonly random: Random;
  /** Called, and waited for, after each command that readers may see something of, whether or not it is known to be done. */
  readonly changed?: () => Promise<void>;
}

export interface MutationsOptions {
  /** Owner of the session. */
  readonly owner: PeerId;
}

export type MutationCommand = NonNullable<Command['kind']>;

/** Results the cluster may have to remember for this client. */
const MAX_IN_FLIGHT = 128;
/** What is asked for while all of them are under way travels together in the next one. */
const MAX_REQUESTS_IN_FLIGHT = 4;
/** In milliseconds; with DEFAULT_PATIENCE_MS still below the ten seconds within which a change is refused. */
const LAST_TRY_MS = 1_000;
const SESSION_ID_BYTES = 16;
/** Readers see nothing of these. */
const UNSEEN: ReadonlySet<MutationCommand['$case']> = new Set([
  'openSession',
  'openAppend',
  'appendBlocks',
  'copyBlocks',
  'renewLease',
  'abandonFile',
]);
const EXPIRED = 'NAMESPACE_SESSION_EXPIRED';

type ChangeOptions = Omit<AskOptions, 'patience'>;
type PatientOptions = ChangeOptions & { readonly patience: Patience };

/** One session's numbering. A new session starts over. */
interface Session {
  readonly id: string;
  nextSequence: number;
  /** Sequences without an answer yet; rising, since a Set keeps the order of insertion. */
  readonly outstanding: Set<number>;
}

/** A change on its way, under the number it keeps. */
interface Numbered {
  readonly session: Session;
  readonly sequence: number;
  readonly command: MutationCommand;
  readonly patienceMs: number | undefined;
  /** The end of it; waiting for others to be answered is part of it. */
  readonly patience: Patience;
  readonly onUnknown: () => void;
}

export class Mutations {
  readonly #components: MutationsComponents;
  readonly #owner: PeerId;
  readonly #inFlight = new ByteBudget(MAX_IN_FLIGHT);
  readonly #batches: NaturalBatches<Numbered, Result | undefined>;
  #session: Promise<Session> | undefined;

  constructor(components: MutationsComponents, options: MutationsOptions) {
    this.#components = components;
    this.#owner = options.owner;
    this.#batches = new NaturalBatches((changes, signal) => this.#submit(changes, signal), {
      maxItems: MAX_IN_FLIGHT,
      maxFlights: MAX_REQUESTS_IN_FLIGHT,
      mayShare: (first, change) => first.session === change.session && first.patienceMs === change.patienceMs,
      maxWaiting: MAX_IN_FLIGHT,
      overloaded: () => tooManyWaiting('changes', MAX_IN_FLIGHT),
    });
  }

  /** Errors: what the namespace refuses; those of MetadataPeers.ask; CLIENT_SESSION_EXPIRED (unknown). */
  async run(command: MutationCommand, options: ChangeOptions = {}): Promise<Result> {
    const patience = this.#components.metadata.patience(options.patienceMs);
    await this.#turn(options.signal);
    try {
      return await this.#runOnce(command, { ...options, patience });
    } finally {
      if (!UNSEEN.has(command.$case)) await this.#components.changed?.();
      this.#inFlight.release(1);
    }
  }

  /** Many may wait for theirs: without a quorum all of them are told as soon as the first. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#inFlight.tryAcquire(1)) return;
    const waiting = new AbortController();
    const release = relayAbort(signal, waiting);
    const wait = this.#components.quorum.watch((reason) => waiting.abort(reason));
    try {
      await this.#inFlight.acquire(1, waiting.signal);
    } finally {
      wait.end();
      release();
    }
  }

  async #runOnce(command: MutationCommand, options: PatientOptions): Promise<Result> {
    const opened = this.#openedSession();
    let isRepeated = false;
    try {
      const session = await heeding(opened, options.signal);
      return await this.#send(session, command, { ...options, onUnknown: () => (isRepeated = true) });
    } catch (error) {
      if (!isHoldfastError(error, EXPIRED)) throw error;
      if (this.#session === opened) this.#session = undefined;
      if (isRepeated) throw sessionExpired(command.$case, error);
    }
    // The first attempt was refused for the session alone: nothing happened, so a new session may do it.
    return this.#send(await heeding(this.#openedSession(), options.signal), command, options);
  }

  async #send(session: Session, command: MutationCommand, options: PatientOptions): Promise<Result> {
    const { signal, patienceMs, patience } = options;
    let isRepeated = false;
    const onUnknown = (): void => {
      isRepeated = true;
      options.onUnknown?.();
    };
    const sequence = session.nextSequence++;
    session.outstanding.add(sequence);
    try {
      const numbered = { session, sequence, command, patienceMs, patience, onUnknown };
      return accepted(command.$case, await this.#batches.ask(numbered, signal));
    } catch (error) {
      throw isRepeated && isOfLastAttempt(error) ? attemptUnknown(command.$case, error) : error;
    } finally {
      session.outstanding.delete(sequence);
    }
  }

  /** Together where metadata nodes know how; else, and where one of them has to be asked again, each alone. */
  async #submit(
    changes: readonly Numbered[],
    signal: AbortSignal | undefined,
  ): Promise<(Result | undefined | Promise<Result | undefined>)[]> {
    const [first] = changes;
    if (first === undefined) return [];
    if (changes.length === 1) return [await this.#submitAlone(first, signal)];
    const commands = changes.map(commandOf);
    const onUnknown = (): void => changes.forEach((change) => change.onUnknown());
    // Who came first has the least left.
    const options = { signal, patience: this.#timeFor(first.patience), onUnknown, isOptional: true };
    const { metadata } = this.#components;
    const { verdicts, leader } = await metadata
      .ask(MUTATE_MANY, { commands }, options)
      .catch((error: unknown) => {
        if (isHoldfastError(error, 'NETWORK_NO_SUCH_METHOD')) return { verdicts: [], leader: '' };
        throw error;
      });
    metadata.prefer(leader);
    return changes.map((change, position) => {
      const verdict = verdicts[position];
      const error = verdict && errorIn(verdict);
      if (verdict !== undefined && error === undefined) return verdict.result;
      if (error?.kind === 'refused' || error?.kind === 'broken') return Promise.reject(error);
      if (error?.kind === 'unknown') change.onUnknown();
      return this.#submitAlone(change, signal);
    });
  }

  async #submitAlone(change: Numbered, signal: AbortSignal | undefined): Promise<Result | undefined> {
    const { onUnknown } = change;
    const options = { signal, patience: this.#timeFor(change.patience), onUnknown };
    const { metadata } = this.#components;
    const { result, leader } = await metadata.ask(MUTATE, { command: commandOf(change) }, options);
    metadata.prefer(leader);
    return result;
  }

  /** Who waited for its turn until the end still gets one try. */
  #timeFor({ untilMs, withoutQuorumMs }: Patience): Patience {
    const least = this.#components.metadata.patience(LAST_TRY_MS);
    return {
      untilMs: Math.max(untilMs, least.untilMs),
      withoutQuorumMs: Math.max(withoutQuorumMs, least.withoutQuorumMs),
    };
  }

  /** Opened by the first change, for all: one caller's abort must not take it from the others. */
  #openedSession(): Promise<Session> {
    if (this.#session === undefined) {
      const opening = this.#openSession();
      this.#session = opening;
      opening.catch(() => {
        if (this.#session === opening) this.#session = undefined;
      });
    }
    return this.#session;
  }

  async #openSession(): Promise<Session> {
    const id = toHex(this.#components.random.bytes(SESSION_ID_BYTES));
    const kind: MutationCommand = { $case: 'openSession', value: { id, owner: this.#owner } };
    // Idempotent by its id, so it needs no session of its own.
    const request = { command: { session: '', sequence: 0, ackedBelow: 0, command: { kind } } };
    const { metadata } = this.#components;
    const { result, leader } = await metadata.ask(MUTATE, request);
    accepted('openSession', result);
    metadata.prefer(leader);
    return { id, nextSequence: 1, outstanding: new Set() };
  }
}

/** Who gives up waits no longer for the session, which is opened for the others all the same. */
function heeding<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return signal === undefined ? work : orAborted(work, signal);
}

function commandOf({ session, sequence, command }: Numbered): SessionCommand {
  const [ackedBelow = sequence] = session.outstanding;
  return {
    session: session.id,
    sequence,
    ackedBelow: Math.min(ackedBelow, sequence),
    command: { kind: command },
  };
}

/** Whoever says so did not take the command, and cannot know of an attempt that others took before. */
function isOfLastAttempt(error: unknown): error is HoldfastError {
  return isHoldfastError(error) && (error.kind === 'unavailable' || error.code.startsWith('NETWORK_'));
}
