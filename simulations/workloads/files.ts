/** @module Files put and got by everybody: a get gives exactly one put's content, and puts and gets are linearizable. */
import { FIRST_VALUE, type Journal } from '../cluster/journal.ts';
import { contentOf, drawSize, readWhole, valueOf } from './content.ts';
import type { Actor, Workload, WorkloadComponents, WorkloadOptions } from './workload.ts';

const PATHS = ['/file-0', '/file-1', '/file-2'];
const FIRST_SIZE_BYTES = 100;

export class Files implements Workload {
  readonly #journal: Journal;
  readonly #options: WorkloadOptions;

  constructor({ journal }: WorkloadComponents, options: WorkloadOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  async setUp({ client }: Actor): Promise<void> {
    for (const path of PATHS) await client.put(path, contentOf(FIRST_VALUE, FIRST_SIZE_BYTES));
  }

  async step(actor: Actor): Promise<void> {
    const path = actor.random.pick(PATHS);
    await (actor.random.chance(0.4) ? this.#put(actor, path) : this.#get(actor, path));
  }

  async check(actors: readonly Actor[]): Promise<void> {
    const checkAll = async (actor: Actor): Promise<void> => {
      for (const path of PATHS) await this.#mustGet(actor, path);
    };
    await Promise.all(actors.map(checkAll));
  }

  async #put({ id, client, random }: Actor, key: string): Promise<void> {
    const value = this.#journal.newValue();
    const content = contentOf(value, drawSize(random, this.#options));
    await this.#journal.register({ client: id, key, kind: 'write' }, value, async () => {
      await client.put(key, content);
      return value;
    });
  }

  async #get({ id, client }: Actor, key: string): ReturnType<Journal['register']> {
    return this.#journal.register({ client: id, key, kind: 'read' }, 0, async () => {
      const value = valueOf(await readWhole(client, key));
      if (value === undefined) this.#journal.violate(`${key} was got with bytes that nobody put`);
      return value ?? Number.NaN;
    });
  }

  async #mustGet(actor: Actor, path: string): Promise<void> {
    const { outcome } = await this.#get(actor, path);
    if (outcome !== 'done') this.#journal.cannotGet(path);
  }
}
