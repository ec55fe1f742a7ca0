/** @module A ring of renames: tokens on a ring with one gap, each move takes the next one into the gap; their order round never changes. */
import type { Journal } from '../cluster/journal.ts';
import type { Actor, Workload, WorkloadComponents } from './workload.ts';

const TOKENS = 5;
const PLACES: number = TOKENS + 1;
const DIRECTORY = '/ring';
/** The gap has moved since the client looked. */
const MAY_REFUSE = ['NAMESPACE_NOT_FOUND', 'NAMESPACE_EXISTS'];

export class RenameRing implements Workload {
  readonly #journal: Journal;
  /** Inodes in the order of their places at the beginning. */
  #tokens: readonly number[] = [];

  constructor({ journal }: WorkloadComponents) {
    this.#journal = journal;
  }

  async setUp({ client }: Actor): Promise<void> {
    await client.mkdir(DIRECTORY);
    for (let place = 0; place < TOKENS; place += 1) await client.touch(pathOf(place));
    this.#tokens = [...(await this.#look(client)).values()];
  }

  async step({ id, client }: Actor): Promise<void> {
    const looked = await this.#journal.attempt({ client: id, what: 'look at the ring' }, () =>
      this.#look(client),
    );
    if (looked.outcome !== 'done') return;
    this.#checkOrder(looked.value);
    const gap = Array.from({ length: PLACES }, (_, place) => place).find((place) => !looked.value.has(place));
    const [from, to] = [pathOf(((gap ?? 0) + 1) % PLACES), pathOf(gap ?? 0)];
    await this.#journal.attempt({ client: id, what: `move ${from} to ${to}`, mayRefuse: MAY_REFUSE }, () =>
      client.rename(from, to, { noClobber: true }),
    );
  }

  async check(actors: readonly Actor[]): Promise<void> {
    for (const { client } of actors) this.#checkOrder(await this.#look(client));
  }

  /** Inodes by place. One page, so that it is one instant. */
  async #look(client: Actor['client']): Promise<ReadonlyMap<number, number>> {
    const ring = new Map<number, number>();
    for await (const { name, stat } of client.list(DIRECTORY)) ring.set(Number(name), stat?.inode ?? 0);
    return ring;
  }

  #checkOrder(ring: ReadonlyMap<number, number>): void {
    const round = [...ring].toSorted(([a], [b]) => a - b).map(([, inode]) => inode);
    const first = this.#tokens.indexOf(round[0] ?? 0);
    const wanted = [...this.#tokens.slice(first), ...this.#tokens.slice(0, first)];
    if (round.join() !== wanted.join())
      this.#journal.violate(`the ring was ${wanted.join()}, and is ${round.join()}`);
  }
}

function pathOf(place: number): string {
  return `${DIRECTORY}/${place}`;
}
