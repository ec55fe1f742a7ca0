/** @module A datanode that is full: it takes no more than it has room for, and the files go to the others, and are all there. */
import type { Journal } from '../cluster/journal.ts';
import { contentOf, readWhole, valueOf } from './content.ts';
import type { Actor, Workload, WorkloadComponents, WorkloadDatanode } from './workload.ts';

/** Of the small disk: few blocks, so that it is full soon. */
const CAPACITY_BYTES: number = 300 * 1024;
const FILLER_BYTES: number = 64 * 1024;
/** Then the others have had their share, too. */
const MOST_FILLERS = 20;
const DIRECTORY = '/full';

export class FullDatanode implements Workload {
  readonly #journal: Journal;
  readonly #datanodes: () => readonly WorkloadDatanode[];
  #fillers = 0;
  /** Acknowledged: what each path was given. */
  readonly #stored = new Map<string, number>();

  constructor({ journal, datanodes }: WorkloadComponents) {
    this.#journal = journal;
    this.#datanodes = datanodes;
  }

  async setUp({ client }: Actor): Promise<void> {
    this.#datanodes()[0]?.machine.platter.shrinkTo(CAPACITY_BYTES);
    await client.mkdir(DIRECTORY);
  }

  async step({ id, client }: Actor): Promise<void> {
    this.#checkRoom();
    if (this.#fillers >= MOST_FILLERS) return;
    this.#fillers += 1;
    const path = `${DIRECTORY}/${this.#fillers}`;
    const value = this.#journal.newValue();
    const content = contentOf(value, FILLER_BYTES);
    const { outcome } = await this.#journal.attempt({ client: id, what: `put ${path}` }, () =>
      client.put(path, content),
    );
    if (outcome === 'done') this.#stored.set(path, value);
  }

  /** All at once: of what is lost each answer takes seconds. */
  async check(actors: readonly Actor[]): Promise<void> {
    this.#checkRoom();
    for (const actor of actors.slice(0, 1))
      await Promise.all([...this.#stored].map(([path, value]) => this.#checkContent(actor, path, value)));
  }

  async #checkContent({ id, client }: Actor, path: string, value: number): Promise<void> {
    const attempt = await this.#journal.attempt({ client: id, what: `get ${path}` }, () =>
      readWhole(client, path),
    );
    if (attempt.outcome !== 'done') this.#journal.cannotGet(path);
    else if (valueOf(attempt.value) !== value) this.#journal.violate(`${path} is not what was put there`);
  }

  #checkRoom(): void {
    for (const { number, machine } of this.#datanodes())
      if (machine.platter.freeBytes < 0)
        this.#journal.violate(
          `datanode ${number} holds ${-machine.platter.freeBytes} bytes more than it has`,
        );
  }
}
