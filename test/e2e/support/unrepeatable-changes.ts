/** @module Changes that can be done only once: a request executed twice shows itself as a refusal. */
import type { Client } from '../../../src/index.ts';

export class UnrepeatableChanges {
  /** How many were acknowledged. */
  done = 0;
  readonly refusals: string[] = [];
  readonly #client: Client;
  readonly #directory: string;
  readonly #work: Promise<void>;
  #isStopped = false;

  /** Starts at once, in an existing directory. */
  constructor(client: Client, directory: string) {
    this.#client = client;
    this.#directory = directory;
    this.#work = this.#change();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
  }

  async #change(): Promise<void> {
    for (let count = 0; !this.#isStopped; count += 1) {
      const first = `${this.#directory}/first-${count}`;
      const second = `${this.#directory}/second-${count}`;
      await this.#note(this.#client.mkdir(first));
      await this.#note(this.#client.rename(first, second));
      await this.#note(this.#client.rmdir(second));
    }
  }

  async #note(change: Promise<void>): Promise<void> {
    try {
      await change;
      this.done += 1;
    } catch (error) {
      this.refusals.push(String(error));
    }
  }
}
