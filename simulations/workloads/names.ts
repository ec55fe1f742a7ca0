/** @module Names: a directory that was made is there, one that was not is not, and one that moves is at one place only. */
import type { Journal, Outcome } from '../cluster/journal.ts';
import type { Actor, Workload, WorkloadComponents, WorkloadOptions } from './workload.ts';

/** Names are their makers' own, so that any refusal means: done twice, or lost. */
export class Names implements Workload {
  readonly #journal: Journal;
  readonly #clients: number;
  readonly #made = new Map<string, Outcome>();
  /** The directory that each client moves from name to name; absent after an answer that did not come. */
  readonly #moving = new Map<number, string>();
  /** By client, of each answer that did not come: at one of these names there is a directory, or at most one when it is new. */
  readonly #doubtful = new Map<number, (readonly string[])[]>();
  #names = 0;

  constructor({ journal }: WorkloadComponents, { clients }: WorkloadOptions) {
    this.#journal = journal;
    this.#clients = clients;
  }

  async setUp({ client }: Actor): Promise<void> {
    for (let id = 0; id < this.#clients; id += 1)
      for (const directory of [madeIn(id), movedIn(id)]) await client.mkdir(directory);
  }

  async step(actor: Actor): Promise<void> {
    this.#names += 1;
    const name = `${this.#names}`;
    await (actor.random.chance(0.5) ? this.#make(actor, name) : this.#move(actor, name));
  }

  async check(actors: readonly Actor[]): Promise<void> {
    for (const actor of actors) {
      await this.#checkMade(actor);
      await this.#checkMoved(actor);
    }
  }

  async #make({ id, client }: Actor, name: string): Promise<void> {
    const path = `${madeIn(id)}/${name}`;
    const { outcome } = await this.#journal.attempt({ client: id, what: `make ${path}` }, () =>
      client.mkdir(path),
    );
    this.#made.set(path, outcome);
  }

  /** A move that is done twice finds nothing the second time. */
  async #move({ id, client }: Actor, name: string): Promise<void> {
    const from = this.#moving.get(id);
    const to = `${movedIn(id)}/${name}`;
    const what = `move ${from ?? 'nothing'} to ${to}`;
    const { outcome } = await this.#journal.attempt({ client: id, what }, () =>
      from === undefined ? client.mkdir(to) : client.rename(from, to),
    );
    if (outcome === 'done') this.#moving.set(id, to);
    else if (outcome === 'unknown') {
      this.#moving.delete(id);
      this.#doubtful.set(id, [...(this.#doubtful.get(id) ?? []), from === undefined ? [to] : [from, to]]);
    }
  }

  async #checkMade({ id, client }: Actor): Promise<void> {
    const found = new Set<string>();
    for await (const { name } of client.list(madeIn(id))) found.add(`${madeIn(id)}/${name}`);
    for (const [path, outcome] of this.#made) {
      if (!path.startsWith(`${madeIn(id)}/`)) continue;
      if (outcome === 'done' && !found.has(path))
        this.#journal.violate(`${path} was acknowledged, and is lost`);
      if (outcome === 'not-done' && found.has(path))
        this.#journal.violate(`${path} is there, and the client was told that it is not`);
    }
    for (const path of found) if (!this.#made.has(path)) this.#journal.violate(`${path} was never made`);
  }

  async #checkMoved({ id, client }: Actor): Promise<void> {
    const found = new Set<string>();
    for await (const { name } of client.list(movedIn(id))) found.add(`${movedIn(id)}/${name}`);
    const last = this.#moving.get(id);
    const groups = [...(this.#doubtful.get(id) ?? []), ...(last === undefined ? [] : [[last]])];
    for (const names of groups) {
      const places = names.filter((name) => found.has(name));
      const isSure = names.length > 1 || names[0] === last;
      if (places.length > 1 || (isSure && places.length === 0))
        this.#journal.violate(`the directory of ${names.join(' or ')} is at ${places.join() || 'no place'}`);
      for (const name of names) found.delete(name);
    }
    if (found.size > 0) this.#journal.violate(`${[...found].join()} should have been moved away`);
  }
}

function madeIn(client: number): string {
  return `/made-${client}`;
}

function movedIn(client: number): string {
  return `/moved-${client}`;
}
