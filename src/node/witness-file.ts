/** @module witness.json: what a metadata node remembers of the others. */
import { readFile } from 'node:fs/promises';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Seen, WitnessStore } from '../metadata/witness.ts';
import { writeDurably } from './durable-file.ts';
import { systemCode } from './errors.ts';

export class WitnessFile implements WitnessStore {
  readonly #file: string;
  readonly #logger: Logger;

  constructor(file: string, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  /** A damaged file is as good as none: this node then accuses nobody, as one that has just joined. */
  async load(): Promise<readonly Seen[]> {
    try {
      const value: unknown = JSON.parse(await readFile(this.#file, 'utf8'));
      if (Array.isArray(value) && value.every(isSeen)) return value;
      this.#logger.warn('witness.damaged', { file: this.#file });
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        this.#logger.warn('witness.damaged', { file: this.#file, error: describeError(error) });
    }
    return [];
  }

  async save(seen: readonly Seen[]): Promise<void> {
    await writeDurably(this.#file, `${JSON.stringify(seen)}\n`);
  }
}

function isSeen(value: unknown): value is Seen {
  if (typeof value !== 'object' || value === null) return false;
  const { number, boot, id, sequence } = value as Partial<Record<keyof Seen, unknown>>;
  return [number, boot, id, sequence].every((part) => Number.isSafeInteger(part));
}
