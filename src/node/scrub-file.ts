/** @module Where the scrub of a datanode stands, in its data directory. */
import { readFile } from 'node:fs/promises';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { ScrubPass, ScrubStore } from '../datanode/scrubber.ts';
import { writeDurably } from './durable-file.ts';
import { systemCode } from './errors.ts';

export class ScrubFile implements ScrubStore {
  readonly #path: string;
  readonly #logger: Logger;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** A file that cannot be read counts as none, and is logged: everything is then read again. */
  async load(): Promise<ScrubPass | undefined> {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8')) as ScrubPass;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        this.#logger.warn('node.scrub-not-read', { path: this.#path, error: describeError(error) });
      return undefined;
    }
  }

  async save(pass: ScrubPass): Promise<void> {
    await writeDurably(this.#path, `${JSON.stringify(pass)}\n`);
  }
}
