/** @module A counter file under append: each acknowledged append is in it once, none that was refused, and it only grows. */
import type { Journal, Outcome } from '../cluster/journal.ts';
import { readWhole } from './content.ts';
import type { Actor, Workload, WorkloadComponents } from './workload.ts';

const PATH = '/counter';
/** One append: a number, in digits, and the end of the line. */
const RECORD_BYTES = 10;
/** Somebody else appends just then, or did since. */
const MAY_REFUSE = ['NAMESPACE_LEASE_HELD', 'NAMESPACE_VERSION_MISMATCH'];

export class Appends implements Workload {
  readonly #journal: Journal;
  /** By the number that was appended; absent while it is under way. */
  readonly #outcomes = new Map<number, Outcome>();
  #count = 0;
  /** What some get has found: every later one begins with it. */
  #seen = '';

  constructor({ journal }: WorkloadComponents) {
    this.#journal = journal;
  }

  async setUp({ client }: Actor): Promise<void> {
    await client.append(PATH, record(0));
    this.#outcomes.set(0, 'done');
  }

  async step(actor: Actor): Promise<void> {
    await (actor.random.chance(0.6) ? this.#append(actor) : this.#get(actor));
  }

  async check(actors: readonly Actor[]): Promise<void> {
    for (const actor of actors) if ((await this.#get(actor)) !== 'done') this.#journal.cannotGet(PATH);
  }

  async #append({ id, client }: Actor): Promise<void> {
    this.#count += 1;
    const number = this.#count;
    const operation = { client: id, what: `append ${number}`, mayRefuse: MAY_REFUSE };
    const { outcome } = await this.#journal.attempt(operation, () => client.append(PATH, record(number)));
    this.#outcomes.set(number, outcome);
  }

  async #get({ id, client }: Actor): Promise<Outcome> {
    const seenBefore = this.#seen;
    const acknowledged = this.#numbersThat('done');
    const attempt = await this.#journal.attempt({ client: id, what: `get ${PATH}` }, () =>
      readWhole(client, PATH),
    );
    if (attempt.outcome !== 'done') return attempt.outcome;
    const text = Buffer.from(attempt.value).toString();
    if (!text.startsWith(seenBefore))
      this.#journal.violate(`${PATH} was ${seenBefore.length} bytes, and is no longer what it was`);
    if (text.length > this.#seen.length) this.#seen = text;
    this.#checkNumbers(text, acknowledged);
    return attempt.outcome;
  }

  #checkNumbers(text: string, acknowledged: readonly number[]): void {
    const numbers = (text.match(/\d+\n/g) ?? []).map(Number);
    const present = new Set(numbers);
    if (numbers.length * RECORD_BYTES !== text.length || present.size !== numbers.length)
      this.#journal.violate(`${PATH} has ${numbers.length} records in ${text.length} bytes`);
    for (const number of acknowledged)
      if (!present.has(number)) this.#journal.violate(`append ${number} was acknowledged, and is lost`);
    for (const number of [...this.#numbersThat('not-done'), ...this.#numbersThat('refused')])
      if (present.has(number))
        this.#journal.violate(`append ${number} is there, and the client was told that it is not`);
  }

  #numbersThat(wanted: Outcome): readonly number[] {
    return [...this.#outcomes].filter(([, outcome]) => outcome === wanted).map(([number]) => number);
  }
}

function record(number: number): Uint8Array {
  return Buffer.from(`${String(number).padStart(RECORD_BYTES - 1, '0')}\n`);
}
