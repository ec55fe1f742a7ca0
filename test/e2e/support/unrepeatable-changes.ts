/** @module Changes that can be done only once: a request executed twice shows itself as a refusal. */
import { type Client, isHoldfastError } from '../../../src/index.ts';

/** So many that whenever a node hangs, some of them are just between their commit and their answer. */
const WORKERS = 16;

export class UnrepeatableChanges {
  /** How many were acknowledged. */
  done = 0;
  readonly refusals: string[] = [];
  readonly #client: Client;
  readonly #directory: string;
  readonly #work: Promise<unknown>;
  #isStopped = false;

  /** Starts at once, in an existing directory. */
  constructor(client: Client, directory: string) {
    this.#client = client;
    this.#directory = directory;
    this.#work = Promise.all(Array.from({ length: WORKERS }, (_, worker) => this.#change(worker)));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
  }

  async #change(worker: number): Promise<void> {
    for (let count = 0; !this.#isStopped; count += 1) {
      const first = `${this.#directory}/first-${worker}-${count}`;
      const second = `${this.#directory}/second-${worker}-${count}`;
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
      if (isHoldfastError(error, 'CLIENT_CLOSED')) this.#isStopped = true;
    }
  }
}
