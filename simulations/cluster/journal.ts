/** @module What the clients of a run did and were told, and whether a correct service can have told them that. */
import { describeError, isHoldfastError } from '../../src/common/errors.ts';
import { checkRegisters, type RegisterOperation } from '../checks/register-history.ts';
import { SafetyViolation } from '../raft-oracle.ts';
import type { Trace } from '../trace.ts';
import type { World } from '../world/world.ts';

/** The value every register begins with. */
export const FIRST_VALUE = 1_000;

export type Outcome = 'done' | 'unknown' | 'not-done' | 'refused';

/** Refusals that a client of names of its own may meet: the wall clocks jump, and leases and sessions end by them. */
const CLOCK_REFUSALS = ['NAMESPACE_LEASE_EXPIRED', 'NAMESPACE_LEASE_LOST', 'NAMESPACE_SESSION_EXPIRED'];

export class Journal {
  readonly #world: World;
  readonly #trace: Trace;
  readonly #operations: RegisterOperation[] = [];
  readonly #made = new Map<string, Outcome>();
  readonly #found = new Set<string>();
  readonly #counts = { done: 0, unknown: 0, 'not-done': 0, refused: 0 };
  #violation: Error | undefined;
  #instants = 0;
  #values = FIRST_VALUE;

  constructor(components: { readonly world: World; readonly trace: Trace }) {
    this.#world = components.world;
    this.#trace = components.trace;
  }

  get counts(): Readonly<Record<Outcome, number>> {
    return this.#counts;
  }

  newValue(): number {
    this.#values += 1;
    return this.#values;
  }

  /** An operation begins. */
  now({ client, kind, key }: Pick<RegisterOperation, 'client' | 'kind' | 'key'>): number {
    this.#instants += 1;
    this.#trace.fold(`${this.#world.nowMs} ${client} ${kind} ${key}`);
    return this.#instants;
  }

  ended(operation: RegisterOperation, outcome: Outcome, error?: unknown): void {
    const { client, kind, key, value } = operation;
    this.#instants += 1;
    this.#say(
      `client ${client}: ${kind} ${key} ${value} ${outcome}${error === undefined ? '' : `, ${codeOf(error)}`}`,
    );
    this.#counts[outcome] += 1;
    if (outcome === 'refused')
      this.#violate(`client ${client} was refused to ${kind} ${key}: ${describeError(error)}`);
    // What was surely not done is no operation: if it was nevertheless, a read will find a value nobody wrote.
    if (outcome === 'done') this.#operations.push({ ...operation, end: this.#instants });
    else if (outcome === 'unknown') this.#operations.push(operation);
  }

  made(client: number, name: string, outcome: Outcome): void {
    this.#made.set(`${client}/${name}`, outcome);
    this.#counts[outcome] += 1;
    this.#say(`client ${client}: made ${name} ${outcome}`);
  }

  /** The names are the client's own, so that a refusal means: done twice, or lost. */
  failed(client: number, what: string, outcome: Outcome, error: unknown): void {
    this.#say(`client ${client}: ${what}: ${outcome}, ${codeOf(error)}`);
    if (outcome === 'refused' && !isHoldfastError(error, ...CLOCK_REFUSALS))
      this.#violate(`client ${client} was refused to ${what}: ${describeError(error)}`);
  }

  found(client: number, name: string): void {
    this.#found.add(`${client}/${name}`);
  }

  /** Call it when all was found that there is of this client. */
  checkNames(client: number): void {
    for (const [name, outcome] of this.#made) {
      if (!name.startsWith(`${client}/`)) continue;
      const isFound = this.#found.has(name);
      if (outcome === 'done' && !isFound) this.#violate(`${name} was acknowledged, and is lost`);
      if (outcome === 'not-done' && isFound)
        this.#violate(`${name} is there, and the client was told that it is not`);
    }
    for (const name of this.#found) if (!this.#made.has(name)) this.#violate(`${name} was never made`);
  }

  /** Throws what was found so far. */
  check(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  checkHistory(): void {
    const { isLinearizable, evidence } = checkRegisters(this.#operations, () => FIRST_VALUE);
    if (isLinearizable) return;
    const lines = evidence
      .slice(-40)
      .map(
        ({ client, kind, value, start, end }) =>
          `  [${start}, ${end ?? '…'}] client ${client} ${kind} ${value}`,
      );
    throw new SafetyViolation(`${evidence[0]?.key ?? ''} is not linearizable:\n${lines.join('\n')}`);
  }

  #violate(text: string): void {
    this.#violation ??= new SafetyViolation(text);
  }

  #say(text: string): void {
    this.#trace.add(`${(this.#world.nowMs / 1000).toFixed(3)} ${text}`);
  }
}

function codeOf(error: unknown): string {
  return isHoldfastError(error) ? error.code : describeError(error);
}
