/** @module Few contents under few names, removed, renamed, copied and written again while garbage is collected: whatever is there is whole. */
import type { Journal } from '../cluster/journal.ts';
import { contentOf, readWhole, valueOf } from './content.ts';
import type { Actor, Workload, WorkloadComponents } from './workload.ts';

const PATHS = ['/collected-0', '/collected-1', '/collected-2', '/collected-3'];
/** The same blocks become garbage and are referred to again all the time; the last ones need a lease to be written. */
const SIZES = [100, 200, 300, 400, 200_000, 330_000];
const MAY_REFUSE = ['NAMESPACE_NOT_FOUND'];

export class Collected implements Workload {
  readonly #journal: Journal;

  constructor({ journal }: WorkloadComponents) {
    this.#journal = journal;
  }

  async setUp(): Promise<void> {}

  async step(actor: Actor): Promise<void> {
    const { client, random } = actor;
    const path = random.pick(PATHS);
    const to = random.pick(PATHS.filter((other) => other !== path));
    const draw = random.int(100);
    if (draw < 40) return this.#put(actor, path);
    if (draw < 60) return this.#attempt(actor, `remove ${path}`, () => client.unlink(path));
    if (draw < 70) return this.#attempt(actor, `rename ${path} to ${to}`, () => client.rename(path, to));
    if (draw < 80) return this.#attempt(actor, `copy ${path} to ${to}`, () => client.copy(path, to));
    if (draw < 94) return void (await this.#get(actor, path));
    if (draw < 96) return this.#attempt(actor, 'undo the collection', () => client.collection.undo());
    await this.#resume(actor);
  }

  /** What was undone stays out of reach of the collectors until somebody resumes. */
  async check(actors: readonly Actor[]): Promise<void> {
    await Promise.all(actors.map((actor) => this.#checkAll(actor)));
    for (const actor of actors.slice(0, 1)) await this.#resume(actor);
  }

  async #checkAll(actor: Actor): Promise<void> {
    for (const path of PATHS)
      if (!['done', 'refused'].includes(await this.#get(actor, path))) this.#journal.cannotGet(path);
  }

  async #put(actor: Actor, path: string): Promise<void> {
    const value = actor.random.int(SIZES.length);
    const content = contentOf(value, SIZES[value] ?? 0);
    await this.#attempt(actor, `put ${value} to ${path}`, () => actor.client.put(path, content));
  }

  async #get({ id, client }: Actor, path: string): Promise<string> {
    const operation = { client: id, what: `get ${path}`, mayRefuse: MAY_REFUSE };
    const attempt = await this.#journal.attempt(operation, () => readWhole(client, path));
    if (attempt.outcome === 'done' && SIZES[valueOf(attempt.value) ?? -1] !== attempt.value.length)
      this.#journal.violate(`${path} was got with bytes that nobody put`);
    return attempt.outcome;
  }

  #resume(actor: Actor): Promise<void> {
    return this.#attempt(actor, 'resume the collection', () =>
      actor.client.collection.configure({ paused: false }),
    );
  }

  async #attempt({ id }: Actor, what: string, run: () => Promise<unknown>): Promise<void> {
    await this.#journal.attempt({ client: id, what, mayRefuse: MAY_REFUSE }, run);
  }
}
