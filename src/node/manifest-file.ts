/** @module The file `manifests`: the signed manifests of this node over restarts, so that an older one is known for what it is. */
import { readFile } from 'node:fs/promises';
import { decodeChain, encodeChain, type ManifestBook } from '../../dht/manifest-book.ts';
import { fromHex, toHex } from '../common/bytes.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import { writeDurably } from './durable-file.ts';
import { systemCode } from './errors.ts';

const IDLE_MS = 1_000;

/** Keeps the file in step with the book; writes only when that has changed. */
export class ManifestFile implements BackgroundWorker {
  readonly name = 'manifest-file';
  readonly idleMs: number = IDLE_MS;
  readonly #file: string;
  readonly #book: ManifestBook;
  #written = '';

  constructor(file: string, book: ManifestBook) {
    this.#file = file;
    this.#book = book;
  }

  /** Gives the book what the file holds. A damaged file is as good as none: the manifests are learned again. */
  async load(logger: Logger): Promise<void> {
    try {
      this.#book.restore(decodeChain(fromHex((await readFile(this.#file, 'utf8')).trim())));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        logger.warn('manifests.damaged', { file: this.#file, error: describeError(error) });
    }
  }

  async work(): Promise<WorkState> {
    const chain = this.#book.chain();
    if (chain.links.length === 0) return 'idle';
    const text = `${toHex(encodeChain(chain))}\n`;
    if (text === this.#written) return 'idle';
    await writeDurably(this.#file, text);
    this.#written = text;
    return 'idle';
  }
}

/** What a newcomer was given, for its first start to load(): it is looked at then. `chain`: as encodeChain makes it. */
export async function layManifests(file: string, chain: Uint8Array): Promise<void> {
  await writeDurably(file, `${toHex(chain)}\n`);
}
