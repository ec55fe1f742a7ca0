/** @module What happened in a run, as a running hash and, for people, its last lines. */
import { hashNumber, hashText } from './prng.ts';

/** Lines kept for the report of a failure. */
const KEPT_LINES = 400;

/** Equal seeds must give equal hashes; two runs are compared by them. */
export class Trace {
  #hash = 0;
  #lines: string[] = [];

  add(line: string): void {
    this.#hash = hashText(line, this.#hash);
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES * 2) this.#lines = this.#lines.slice(-KEPT_LINES);
  }

  /** Counts in the hash only: too much of it for people. */
  fold(text: string): void {
    this.#hash = hashText(text, this.#hash);
  }

  /** As fold, of what happens too often to be written down first. */
  foldNumber(value: number): void {
    this.#hash = hashNumber(value, this.#hash);
  }

  get hash(): string {
    return this.#hash.toString(16).padStart(8, '0');
  }

  /** The last lines, oldest first. */
  tail(): readonly string[] {
    return this.#lines.slice(-KEPT_LINES);
  }
}
