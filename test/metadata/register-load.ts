/** @module Clients at work while something else happens to the cluster, and whether what they saw is linearizable. */
import type { Client } from '../../src/client/client.ts';
import { systemClock } from '../../src/common/clock.ts';
import { isHoldfastError } from '../../src/common/errors.ts';
import type { Prng } from '../../simulations/prng.ts';

export interface RegisterLoadOptions {
  /** Each has a register of its own, which it alone writes, and directories that it makes once. */
  readonly writers: number;
  /** Each reads any register. */
  readonly readers: number;
}

export interface LoadReport {
  readonly writes: number;
  readonly reads: number;
  /** Changes that failed for want of an answer in time; nothing is known to have gone wrong. */
  readonly failed: readonly string[];
  /** What a linearizable, exactly-once service cannot have answered. */
  readonly violations: readonly string[];
  /** Longest time without the acknowledgement of any write, in milliseconds. */
  readonly longestGapMs: number;
}

/** Every so many writes of a register its writer makes a directory: doing that twice would be refused. */
const WRITES_PER_DIRECTORY = 10;
/** The first value; modification times below are no values of ours. */
const FIRST_VALUE = 1_000;

/** On a network without latency, clients that never pause would leave timers no turn. */
const PAUSE_MS = 2;

/** The values of a register rise, and one client writes them in turn: so what a read may return is known when it ends. */
interface Register {
  readonly path: string;
  /** Acknowledged; begun; and the highest that any read has returned. */
  acknowledged: number;
  begun: number;
  seen: number;
}

export class RegisterLoad {
  readonly #client: Client;
  readonly #prng: Prng;
  readonly #registers: readonly Register[];
  readonly #stopping = new AbortController();
  readonly #failed: string[] = [];
  readonly #violations: string[] = [];
  /** Names made and acknowledged, and those of unknown outcome. */
  readonly #made = new Set<string>();
  readonly #maybeMade = new Set<string>();
  readonly #lanes: Promise<void>;
  #writes = 0;
  #reads = 0;
  #lastWriteMs = 0;
  #longestGapMs = 0;

  private constructor(client: Client, prng: Prng, { writers, readers }: RegisterLoadOptions) {
    this.#client = client;
    this.#prng = prng;
    this.#registers = Array.from({ length: writers }, (_, index) => ({
      path: `/register-${index}`,
      acknowledged: FIRST_VALUE,
      begun: FIRST_VALUE,
      seen: FIRST_VALUE,
    }));
    this.#lastWriteMs = systemClock.monotonicMs();
    this.#lanes = Promise.all([
      ...this.#registers.map((register, index) => this.#write(register, index)),
      ...Array.from({ length: readers }, () => this.#read()),
    ]).then(() => undefined);
  }

  /** Resolves when every register is there and the load runs. */
  static async start(client: Client, prng: Prng, options: RegisterLoadOptions): Promise<RegisterLoad> {
    for (let index = 0; index < options.writers; index += 1) {
      await client.touch(`/register-${index}`, { mtimeMs: FIRST_VALUE });
      await client.mkdir(`/made-${index}`);
    }
    return new RegisterLoad(client, prng, options);
  }

  /** Ends the load, reads everything once more, and reports. */
  async stop(): Promise<LoadReport> {
    this.#stopping.abort();
    await this.#lanes;
    this.#countGap();
    for (const register of this.#registers) await this.#readOnce(register);
    await this.#checkNames();
    return {
      writes: this.#writes,
      reads: this.#reads,
      failed: this.#failed,
      violations: this.#violations,
      longestGapMs: Math.round(this.#longestGapMs),
    };
  }

  async #write(register: Register, index: number): Promise<void> {
    for (let count = 1; !this.#stopping.signal.aborted; count += 1) {
      if (count % WRITES_PER_DIRECTORY === 0) await this.#make(`/made-${index}/${count}`);
      else await this.#writeOnce(register);
      await pause();
    }
  }

  async #writeOnce(register: Register): Promise<void> {
    const value = (register.begun += 1);
    try {
      await this.#client.touch(register.path, { mtimeMs: value });
      register.acknowledged = value;
      this.#acknowledged();
    } catch (error) {
      this.#failure(`write ${value} to ${register.path}`, error);
    }
  }

  async #make(path: string): Promise<void> {
    try {
      await this.#client.mkdir(path);
      this.#made.add(path);
      this.#acknowledged();
    } catch (error) {
      this.#maybeMade.add(path);
      this.#failure(`make ${path}`, error);
    }
  }

  async #read(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#readOnce(this.#prng.pick(this.#registers));
      await pause();
    }
  }

  /** Not older than what was acknowledged or read before it began, not newer than what was begun before it ended. */
  async #readOnce(register: Register): Promise<void> {
    const lowest = Math.max(register.acknowledged, register.seen);
    try {
      const { mtimeMs: value } = await this.#client.stat(register.path);
      this.#reads += 1;
      if (value < lowest || value > register.begun)
        this.#violations.push(
          `${register.path} was read as ${value}, and must have been from ${lowest} to ${register.begun}`,
        );
      register.seen = Math.max(register.seen, value);
    } catch (error) {
      this.#failure(`read ${register.path}`, error);
    }
  }

  async #checkNames(): Promise<void> {
    const found = new Set<string>();
    for (const [index] of this.#registers.entries())
      for await (const { name } of this.#client.list(`/made-${index}`)) found.add(`/made-${index}/${name}`);
    for (const path of this.#made) if (!found.has(path)) this.#violations.push(`${path} was lost`);
    for (const path of found)
      if (!this.#made.has(path) && !this.#maybeMade.has(path))
        this.#violations.push(`${path} was never made`);
  }

  #acknowledged(): void {
    this.#writes += 1;
    this.#countGap();
    this.#lastWriteMs = systemClock.monotonicMs();
  }

  #countGap(): void {
    this.#longestGapMs = Math.max(this.#longestGapMs, systemClock.monotonicMs() - this.#lastWriteMs);
  }

  /** Only a refusal is an answer; the names and registers are ours alone, so that none is right. */
  #failure(what: string, error: unknown): void {
    const isAnswer = isHoldfastError(error) && error.kind !== 'unavailable' && error.kind !== 'unknown';
    (isAnswer ? this.#violations : this.#failed).push(`${what}: ${String(error)}`);
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => systemClock.after(PAUSE_MS, resolve));
}
