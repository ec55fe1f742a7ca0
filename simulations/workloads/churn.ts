/** @module Files that are created and removed all the time: what is there at the end can be read, and what was removed is gone. */
import type { Journal } from '../cluster/journal.ts';
import { contentOf, drawSize, readWhole, valueOf } from './content.ts';
import type { Actor, Workload, WorkloadComponents, WorkloadOptions } from './workload.ts';

/** A client that has so many removes one before it creates another. */
const MOST_FILES = 8;

/** 'doubtful': nobody said whether it was created, or removed. */
type Standing = 'there' | 'doubtful' | 'gone';

interface ChurnedFile {
  readonly value: number;
  standing: Standing;
}

/** Names are their makers' own, and never used twice. */
export class Churn implements Workload {
  readonly #journal: Journal;
  readonly #options: WorkloadOptions;
  readonly #files = new Map<string, ChurnedFile>();

  constructor({ journal }: WorkloadComponents, options: WorkloadOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  async setUp({ client }: Actor): Promise<void> {
    for (let id = 0; id < this.#options.clients; id += 1) await client.mkdir(directoryOf(id));
  }

  async step(actor: Actor): Promise<void> {
    const mine = this.#filesOf(actor).filter(([, { standing }]) => standing === 'there');
    const [oldest] = mine;
    if (oldest !== undefined && (mine.length >= MOST_FILES || actor.random.chance(0.5)))
      return this.#remove(actor, ...oldest);
    await this.#create(actor);
  }

  /** All at once: of what is lost each answer takes seconds (seed 61735, calm). */
  async check(actors: readonly Actor[]): Promise<void> {
    await Promise.all(actors.map((actor) => this.#checkOwn(actor)));
  }

  async #create({ id, client, random }: Actor): Promise<void> {
    const value = this.#journal.newValue();
    const path = `${directoryOf(id)}/${value}`;
    const content = contentOf(value, drawSize(random, this.#options));
    const file: ChurnedFile = { value, standing: 'doubtful' };
    this.#files.set(path, file);
    const { outcome } = await this.#journal.attempt({ client: id, what: `create ${path}` }, () =>
      client.put(path, content, { ifAbsent: true }),
    );
    if (outcome !== 'unknown') file.standing = outcome === 'done' ? 'there' : 'gone';
  }

  async #remove({ id, client }: Actor, path: string, file: ChurnedFile): Promise<void> {
    file.standing = 'doubtful';
    const { outcome } = await this.#journal.attempt({ client: id, what: `remove ${path}` }, () =>
      client.unlink(path),
    );
    if (outcome !== 'unknown') file.standing = outcome === 'done' ? 'gone' : 'there';
  }

  async #checkOwn(actor: Actor): Promise<void> {
    const found = new Set<string>();
    for await (const { name } of actor.client.list(directoryOf(actor.id)))
      found.add(`${directoryOf(actor.id)}/${name}`);
    for (const [path, { value, standing }] of this.#filesOf(actor)) {
      if (standing === 'there' && !found.has(path)) this.#journal.violate(`${path} is lost`);
      if (standing === 'gone' && found.has(path)) this.#journal.violate(`${path} was removed, and is there`);
      if (found.has(path)) await this.#checkContent(actor, path, value);
    }
  }

  async #checkContent({ id, client }: Actor, path: string, value: number): Promise<void> {
    const attempt = await this.#journal.attempt({ client: id, what: `get ${path}` }, () =>
      readWhole(client, path),
    );
    if (attempt.outcome !== 'done') this.#journal.cannotGet(path);
    else if (valueOf(attempt.value) !== value) this.#journal.violate(`${path} is not what was put there`);
  }

  #filesOf({ id }: Actor): [string, ChurnedFile][] {
    return [...this.#files].filter(([path]) => path.startsWith(`${directoryOf(id)}/`));
  }
}

function directoryOf(client: number): string {
  return `/churn-${client}`;
}
