/** @module What the clients of a run did and were told, and whether a correct service can have told them that. */
import { describeError, HoldfastError, isHoldfastError } from '../../src/common/errors.ts';
import { checkHistory } from '../checks/linearizability.ts';
import type { Operation as Recorded } from '../checks/operation.ts';
import { registerModel } from '../checks/register-model.ts';
import type { RegisterCall } from '../checks/register-call.ts';
import { describeViolation } from '../checks/violation-text.ts';
import { SafetyViolation } from '../raft-oracle.ts';
import type { Trace } from '../trace.ts';
import type { World } from '../world/world.ts';

/** The value every register begins with. */
export const FIRST_VALUE = 1_000;

export type Outcome = 'done' | 'unknown' | 'not-done' | 'refused';

/** How an operation ended, and with what. */
export type Attempt<T> =
  | { readonly outcome: 'done'; readonly value: T }
  | { readonly outcome: Exclude<Outcome, 'done'>; readonly error: unknown };

export interface Operation {
  readonly client: number;
  /** In the words of a person. */
  readonly what: string;
  /** Refusals that a correct service may answer with; any other is a violation. */
  readonly mayRefuse?: readonly string[];
}

/** A read or write of a register, as far as it is known before it ends; what a read finds is its value. */
export interface RegisterAttempt {
  readonly client: number;
  readonly kind: 'read' | 'write';
  readonly key: string;
  readonly mayRefuse?: readonly string[];
}

export interface JournalComponents {
  readonly world: World;
  readonly trace: Trace;
}

/** Anybody may meet these: the wall clocks jump, and leases and sessions end by them. */
const CLOCK_REFUSALS = ['NAMESPACE_LEASE_EXPIRED', 'NAMESPACE_LEASE_LOST', 'NAMESPACE_SESSION_EXPIRED'];

export class Journal {
  readonly #world: World;
  readonly #trace: Trace;
  readonly #operations: Recorded<RegisterCall>[] = [];
  /** By client: rejects when its process vanishes. */
  readonly #vanishing = new Map<number, PromiseWithResolvers<never>>();
  #isDataLost = false;
  readonly #counts = { done: 0, unknown: 0, 'not-done': 0, refused: 0 };
  #violation: Error | undefined;
  #instants = 0;
  #values = FIRST_VALUE;

  constructor(components: JournalComponents) {
    this.#world = components.world;
    this.#trace = components.trace;
  }

  get counts(): Readonly<Record<Outcome, number>> {
    return this.#counts;
  }

  /** A place in the one order of all starts and ends of operations; each time a later one. */
  instant(): number {
    this.#instants += 1;
    return this.#instants;
  }

  /** Of no other write of this run. */
  newValue(): number {
    this.#values += 1;
    return this.#values;
  }

  /** Runs an operation; its failure is an outcome, unless no client may meet it. */
  async attempt<T>(operation: Operation, run: () => Promise<T>): Promise<Attempt<T>> {
    const { client, what, mayRefuse = [] } = operation;
    this.#trace.fold(`${this.#world.nowMs} ${client} ${what}`);
    let attempt: Attempt<T>;
    try {
      attempt = { outcome: 'done', value: await Promise.race([run(), this.#vanishingOf(client).promise]) };
    } catch (error) {
      attempt = { outcome: outcomeOf(error), error };
    }
    const { outcome } = attempt;
    this.#counts[outcome] += 1;
    this.#say(
      `client ${client}: ${what} ${outcome}${outcome === 'done' ? '' : `, ${codeOf(attempt.error)}`}`,
    );
    if (outcome === 'refused' && !isHoldfastError(attempt.error, ...CLOCK_REFUSALS, ...mayRefuse))
      this.violate(`client ${client} was refused to ${what}: ${describeError(attempt.error)}`);
    return attempt;
  }

  /** As attempt(), of a register: `value` is what is written; a read is done with what `run` resolves with. */
  async register(
    attempted: RegisterAttempt,
    value: number,
    run: () => Promise<number>,
  ): Promise<Attempt<number>> {
    const { client, kind, key, mayRefuse = [] } = attempted;
    const start = this.instant();
    const attempt = await this.attempt({ client, what: `${kind} ${key} ${value}`, mayRefuse }, run);
    const end = this.instant();
    // What was surely not done is no operation: if it was nevertheless, a read will find a value nobody wrote.
    if (attempt.outcome === 'done')
      this.#operations.push({
        client,
        call: { kind, key, value: attempt.value },
        start,
        end,
      });
    else if (attempt.outcome === 'unknown' && kind === 'write')
      this.#operations.push({ client, call: { kind, key, value }, start });
    return attempt;
  }

  /** The client's process is gone: nobody was told how what it had begun ended. */
  vanished(client: number): void {
    this.#vanishing.get(client)?.reject(clientVanished(client));
    this.#vanishing.delete(client);
  }

  /** More disks were lost than the cluster bears, and there is a block without a good copy. */
  dataLost(): void {
    this.#isDataLost = true;
  }

  /** A file should be got from a healed cluster, and was not; it may be one of those that are lost. */
  cannotGet(path: string): void {
    if (!this.#isDataLost) this.violate(`${path} cannot be got from a healed cluster`);
  }

  /** Something was seen that must not be; the run ends with the next look. */
  violate(text: string): void {
    this.#violation ??= new SafetyViolation(text);
  }

  /** Throws what was found so far. */
  check(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  checkHistory(): void {
    const model = registerModel(FIRST_VALUE);
    const { violation } = checkHistory(model, this.#operations);
    if (violation !== undefined) throw new SafetyViolation(describeViolation(model, violation));
  }

  #vanishingOf(client: number): PromiseWithResolvers<never> {
    const known = this.#vanishing.get(client);
    if (known !== undefined) return known;
    const vanishing = Promise.withResolvers<never>();
    // Nobody may be waiting just then.
    vanishing.promise.catch(() => {});
    this.#vanishing.set(client, vanishing);
    return vanishing;
  }

  #say(text: string): void {
    this.#trace.add(`${(this.#world.nowMs / 1000).toFixed(3)} ${text}`);
  }
}

function clientVanished(client: number): HoldfastError {
  return new HoldfastError({
    code: 'SIMULATION_CLIENT_VANISHED',
    kind: 'unknown',
    message: `Client ${client} vanished before it was told.`,
  });
}

/** What the error promises of the change. */
function outcomeOf(error: unknown): 'unknown' | 'not-done' | 'refused' {
  if (!isHoldfastError(error)) throw error;
  if (error.kind === 'unknown') return 'unknown';
  return error.kind === 'unavailable' ? 'not-done' : 'refused';
}

function codeOf(error: unknown): string {
  return isHoldfastError(error) ? error.code : describeError(error);
}
