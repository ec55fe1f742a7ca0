/** @module Writers that put small files without a pause, and the book of what was acknowledged. */
import { type Client, isHoldfastError } from '../../../src/index.ts';
import { knownBytes, sha256Of } from './known-bytes.ts';

export interface WrittenFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the put, on performance.now()'s clock. */
  readonly beganMs: number;
  readonly endedMs: number;
  /** Undefined when it was acknowledged; else the error's code. */
  readonly failure: string | undefined;
  /** It may or may not have happened. */
  readonly isUnknown: boolean;
}

export interface WriteLoadOptions {
  /** An existing directory that nobody else writes in. */
  readonly directory: string;
  readonly writers: number;
}

/** Nothing, a small block, one of those and a block in a file of its own, and more blocks than one step takes. */
const SIZES_BYTES = [0, 900, 20_000, 150_000, 400_000];
/** Above what is kept in the database of small blocks, and sent together with others. */
const BLOCK_SIZE_BYTES = 98_304;
const READERS = 8;

export class WriteLoad {
  readonly files: WrittenFile[] = [];
  readonly #client: Client;
  readonly #directory: string;
  readonly #writers: Promise<unknown>;
  #isStopped = false;

  /** Starts at once. */
  constructor(client: Client, { directory, writers }: WriteLoadOptions) {
    this.#client = client;
    this.#directory = directory;
    this.#writers = Promise.all(Array.from({ length: writers }, (_, writer) => this.#write(writer)));
  }

  get acknowledged(): readonly WrittenFile[] {
    return this.files.filter(({ failure }) => failure === undefined);
  }

  /** Acknowledged files whose put began after `afterMs`, earliest end first. */
  acknowledgedSince(afterMs: number): readonly WrittenFile[] {
    return this.acknowledged
      .filter(({ beganMs }) => beganMs > afterMs)
      .toSorted((left, right) => left.endedMs - right.endedMs);
  }

  /** Resolves when the puts under way have ended, well or badly. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#writers;
  }

  async #write(writer: number): Promise<void> {
    for (let count = 0; !this.#isStopped; count += 1) {
      const path = `${this.#directory}/${writer}-${String(count).padStart(6, '0')}`;
      const sizeBytes = SIZES_BYTES[(writer + count) % SIZES_BYTES.length] ?? 0;
      const beganMs = performance.now();
      let error: unknown;
      try {
        await this.#client.put(path, knownBytes(path, sizeBytes), { blockSizeBytes: BLOCK_SIZE_BYTES });
      } catch (thrown) {
        error = thrown;
      }
      const failure = error === undefined ? undefined : isHoldfastError(error) ? error.code : String(error);
      const isUnknown = isHoldfastError(error) && error.kind === 'unknown';
      this.files.push({ path, sizeBytes, beganMs, endedMs: performance.now(), failure, isUnknown });
      // Of a test that has failed: it stops nobody, and everybody would be refused again and again without a pause.
      if (failure === 'CLIENT_CLOSED') return;
    }
  }
}

/** Reads each file whole and compares it; returns one line for each that is not as it was acknowledged. */
export async function lostFiles(client: Client, files: readonly WrittenFile[]): Promise<string[]> {
  const waiting = [...files];
  const lost: string[] = [];
  const readOn = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      const { path, sizeBytes } = file;
      try {
        const { bytes } = await client.get(path);
        const [got, wanted] = await Promise.all([sha256Of(bytes), sha256Of(knownBytes(path, sizeBytes))]);
        if (got !== wanted) lost.push(`${path} (${sizeBytes} bytes) came back different`);
      } catch (error) {
        lost.push(`${path} (${sizeBytes} bytes): ${String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: READERS }, readOn));
  return lost;
}

/** Paths in `directory` that no put of `files` may have left: neither acknowledged nor of unknown outcome. */
export async function strayFiles(
  client: Client,
  directory: string,
  files: readonly WrittenFile[],
): Promise<string[]> {
  const expected = new Set(
    files.filter(({ failure, isUnknown }) => failure === undefined || isUnknown).map(({ path }) => path),
  );
  const stray: string[] = [];
  for await (const { name } of client.list(directory)) {
    const path = `${directory}/${name}`;
    if (!expected.has(path)) stray.push(path);
  }
  return stray;
}
