/** @module Changes of the namespace, each executed once: a replicated session and a sequence number per change. */
import { toHex } from '../common/bytes.ts';
import { ByteBudget } from '../common/byte-budget.ts';
import { isHoldfastError } from '../common/errors.ts';
import type { Random } from '../common/random.ts';
import type { Command, Result } from '../namespace/schema.ts';
import type { PeerId } from '../network/network.ts';
import { MUTATE } from '../protocol/methods.ts';
import { sessionExpired } from './errors.ts';
import type { AskOptions, MetadataPeers } from './metadata-peers.ts';
import { accepted } from './result.ts';

export interface MutationsComponents {
  readonly metadata: MetadataPeers;
  readonly random: Random;
}

export interface MutationsOptions {
  /** Owner of the session. */
  readonly owner: PeerId;
}

export type MutationCommand = NonNullable<Command['kind']>;

/** Results the cluster may have to remember for this client. */
const MAX_IN_FLIGHT = 128;
const SESSION_ID_BYTES = 16;
const EXPIRED = 'NAMESPACE_SESSION_EXPIRED';

/** One session's numbering. A new session starts over. */
interface Session {
  readonly id: string;
  nextSequence: number;
  /** Sequences without an answer yet; rising, since a Set keeps the order of insertion. */
  readonly outstanding: Set<number>;
}

export class Mutations {
  readonly #components: MutationsComponents;
  readonly #owner: PeerId;
  readonly #inFlight = new ByteBudget(MAX_IN_FLIGHT);
  #session: Promise<Session> | undefined;

  constructor(components: MutationsComponents, options: MutationsOptions) {
    this.#components = components;
    this.#owner = options.owner;
  }

  /** Errors: what the namespace refuses; those of MetadataPeers.ask; CLIENT_SESSION_EXPIRED (unknown). */
  async run(command: MutationCommand, options: AskOptions = {}): Promise<Result> {
    await this.#inFlight.acquire(1, options.signal);
    try {
      return await this.#runOnce(command, options);
    } finally {
      this.#inFlight.release(1);
    }
  }

  async #runOnce(command: MutationCommand, options: AskOptions): Promise<Result> {
    const opened = this.#openedSession();
    let isRepeated = false;
    try {
      return await this.#send(await opened, command, { ...options, onUnknown: () => (isRepeated = true) });
    } catch (error) {
      if (!isHoldfastError(error, EXPIRED)) throw error;
      if (this.#session === opened) this.#session = undefined;
      if (isRepeated) throw sessionExpired(command.$case, error);
    }
    // The first attempt was refused for the session alone: nothing happened, so a new session may do it.
    return this.#send(await this.#openedSession(), command, { ...options, onUnknown: () => {} });
  }

  async #send(session: Session, command: MutationCommand, options: AskOptions): Promise<Result> {
    const sequence = session.nextSequence++;
    session.outstanding.add(sequence);
    const [ackedBelow = sequence] = session.outstanding;
    try {
      const request = { session: session.id, sequence, ackedBelow, command: { kind: command } };
      const { result } = await this.#components.metadata.ask(MUTATE, { command: request }, options);
      return accepted(command.$case, result);
    } finally {
      session.outstanding.delete(sequence);
    }
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
    accepted('openSession', (await this.#components.metadata.ask(MUTATE, request)).result);
    return { id, nextSequence: 1, outstanding: new Set() };
  }
}
