/** @module What the clients did and were told, written down as it happens: one JSON object a line, for the checker. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { isHoldfastError } from '../../src/common/errors.ts';

/** What a call ended with. `unknown`: it may have happened, now or later. */
export type Outcome = 'done' | 'refused' | 'unavailable' | 'unknown';

/** The checker's format (simulations/checks/holdfast-history.ts): a head, then operations as they end. */
export class HistoryFile {
  readonly path: string;
  readonly #stream: WriteStream;
  #count = 0;

  constructor(path: string, model: 'register' | 'namespace') {
    this.path = path;
    this.#stream = createWriteStream(path);
    this.#stream.write(`${JSON.stringify({ holdfast: 'history', model })}\n`);
  }

  /** Operations written. */
  get count(): number {
    return this.#count;
  }

  /** `end` absent: nobody knows whether it happened. Instants in milliseconds of one clock. */
  add(operation: { client: number; call: object; start: number; end?: number }): void {
    this.#count += 1;
    this.#stream.write(`${JSON.stringify(operation)}\n`);
  }

  async close(): Promise<void> {
    this.#stream.end();
    await once(this.#stream, 'close');
  }
}

/** What `error` promises of the change that it ended. */
export function outcomeOf(error: unknown): Exclude<Outcome, 'done'> {
  if (!isHoldfastError(error)) throw error;
  // Of a broken invariant nothing is known for sure.
  return error.kind === 'broken' ? 'unknown' : error.kind;
}
