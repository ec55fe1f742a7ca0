/** @module Registers: files' times written and read by everybody are linearizable. */
import type { Actor, Workload, WorkloadComponents, WorkloadOptions } from './workload.ts';
import { FIRST_VALUE, type Journal } from '../cluster/journal.ts';

export class Registers implements Workload {
  readonly #journal: Journal;
  readonly #count: number;

  constructor({ journal }: WorkloadComponents, { registers }: WorkloadOptions) {
    this.#journal = journal;
    this.#count = registers;
  }

  async setUp({ client }: Actor): Promise<void> {
    for (let register = 0; register < this.#count; register += 1)
      await client.touch(pathOf(register), { mtimeMs: FIRST_VALUE });
  }

  async step(actor: Actor): Promise<void> {
    const key = pathOf(actor.random.int(this.#count));
    await (actor.random.chance(0.5) ? this.#write(actor, key) : this.#read(actor, key));
  }

  async check(actors: readonly Actor[]): Promise<void> {
    for (const actor of actors)
      for (let register = 0; register < this.#count; register += 1) await this.#read(actor, pathOf(register));
  }

  async #write({ id, client }: Actor, key: string): Promise<void> {
    const value = this.#journal.newValue();
    await this.#journal.register({ client: id, key, kind: 'write' }, value, async () => {
      await client.touch(key, { mtimeMs: value });
      return value;
    });
  }

  async #read({ id, client }: Actor, key: string): Promise<void> {
    await this.#journal.register({ client: id, key, kind: 'read' }, 0, async () => {
      const { mtimeMs } = await client.stat(key);
      return mtimeMs;
    });
  }
}

function pathOf(register: number): string {
  return `/register-${register}`;
}
