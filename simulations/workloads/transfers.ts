/** @module Transfers between two directories: whatever moves to and fro, together they keep the number of files. */
import type { Journal } from '../cluster/journal.ts';
import type { Actor, Workload, WorkloadComponents } from './workload.ts';

const FILES = 6;
const ACCOUNTS = ['/account-0', '/account-1'] as const;
/** Somebody else moved it first. */
const MAY_REFUSE = ['NAMESPACE_NOT_FOUND'];

export class Transfers implements Workload {
  readonly #journal: Journal;

  constructor({ journal }: WorkloadComponents) {
    this.#journal = journal;
  }

  async setUp({ client }: Actor): Promise<void> {
    for (const account of ACCOUNTS) await client.mkdir(account);
    for (let file = 0; file < FILES; file += 1) await client.touch(`${ACCOUNTS[0]}/${file}`);
  }

  async step({ id, client, random }: Actor): Promise<void> {
    const name = random.int(FILES);
    const [from, to] = random.chance(0.5) ? ACCOUNTS : ACCOUNTS.toReversed();
    const what = `transfer ${name} from ${from} to ${to}`;
    await this.#journal.attempt({ client: id, what, mayRefuse: MAY_REFUSE }, () =>
      client.rename(`${from}/${name}`, `${to}/${name}`),
    );
  }

  async check(actors: readonly Actor[]): Promise<void> {
    for (const { client } of actors) {
      const names: string[] = [];
      for (const account of ACCOUNTS) for await (const { name } of client.list(account)) names.push(name);
      const wanted = Array.from({ length: FILES }, (_, file) => `${file}`);
      if (names.toSorted().join() !== wanted.join())
        this.#journal.violate(`both accounts held ${wanted.join()}, and hold ${names.toSorted().join()}`);
    }
  }
}
