/** @module Files that carry their own checksum: none that was acknowledged may be lost or come back altered. */
import { createCipheriv, createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../src/index.ts';
import { readWhole } from './read-whole.ts';
import type { Recorder } from './recorder.ts';
import type { Worker, Workload } from './workload.ts';

const DIRECTORY = '/content';
/** Nothing, small blocks up to the largest, and files of several blocks. */
const SIZES_BYTES: readonly number[] = [0, 900, 20_000, 65_536, 150_000, 300_000];
/** Above what datanodes keep in their database of small blocks: both kinds are written. */
const BLOCK_SIZE_BYTES = 98_304;
/** Files kept by each worker: with more, old ones are removed. */
const MOST_FILES = 60;
/** All must be readable this long after the last fault. */
const READABLE_WITHIN_MS = 90_000;
const RETRY_MS = 500;
const CHECKSUM_BYTES = 32;

interface Kept {
  readonly path: string;
  readonly sizeBytes: number;
}

export class ContentWorkload implements Workload {
  readonly name = 'content';
  readonly workers = 3;
  /** A line for each acknowledged file that was lost or altered, and each removed one that was there again. */
  readonly violations: string[] = [];
  acknowledged = 0;
  /** Reads that were compared byte for byte. */
  compared = 0;
  readonly #recorder: Recorder;
  readonly #kept = new Map<number, Kept[]>();
  #made = 0;

  constructor({ recorder }: { readonly recorder: Recorder }) {
    this.#recorder = recorder;
  }

  async setUp(client: Client): Promise<void> {
    await client.mkdir(DIRECTORY);
  }

  async one(worker: Worker): Promise<void> {
    const kept = this.#keptBy(worker);
    const share = worker.choice.fraction();
    if (kept.length > MOST_FILES || (share < 0.1 && kept.length > 0)) return this.#remove(worker, kept);
    if (share < 0.5 && kept.length > 0) return void (await this.#compare(worker, worker.choice.pick(kept)));
    return this.#put(worker, kept);
  }

  async lookAtAll(worker: Worker): Promise<void> {
    const deadlineMs = this.#recorder.now() + READABLE_WITHIN_MS;
    for (const file of this.#keptBy(worker))
      for (;;) {
        const failure = await this.#compare(worker, file);
        if (failure === undefined) break;
        if (this.#recorder.now() > deadlineMs) {
          this.violations.push(
            `${file.path} cannot be read ${READABLE_WITHIN_MS / 1000} s after the last fault (${failure})`,
          );
          break;
        }
        await pause(RETRY_MS);
      }
  }

  async #put({ client, choice }: Worker, kept: Kept[]): Promise<void> {
    this.#made += 1;
    const path = `${DIRECTORY}/${this.#made}`;
    const sizeBytes = choice.pick(SIZES_BYTES);
    const { outcome } = await this.#recorder.attempt(() =>
      client.put(path, contentOf(path, sizeBytes), { blockSizeBytes: BLOCK_SIZE_BYTES }),
    );
    if (outcome !== 'done') return;
    this.acknowledged += 1;
    kept.push({ path, sizeBytes });
  }

  /** What is not surely there any more is nobody's loss: it leaves the book first. */
  async #remove({ client, choice }: Worker, kept: Kept[]): Promise<void> {
    const [file] = kept.splice(choice.between(0, kept.length - 1), 1);
    if (file === undefined) return;
    const removal = await this.#recorder.attempt(() => client.unlink(file.path));
    if (removal.outcome === 'refused' && removal.code === 'NAMESPACE_NOT_FOUND')
      this.violations.push(`${file.path} was acknowledged, and was not there to be removed`);
    if (removal.outcome !== 'done') return;
    const look = await this.#recorder.attempt(() => client.stat(file.path));
    if (look.outcome === 'done') this.violations.push(`${file.path} was removed, and is there again`);
  }

  /** The code of the failure when nobody could say. */
  async #compare({ client }: Worker, { path, sizeBytes }: Kept): Promise<string | undefined> {
    const attempt = await this.#recorder.attempt(async () => readWhole((await client.get(path)).bytes));
    if (attempt.outcome !== 'done') {
      if (attempt.code !== 'NAMESPACE_NOT_FOUND') return attempt.code;
      this.violations.push(`${path} was acknowledged, and is lost`);
      return undefined;
    }
    this.compared += 1;
    const got = attempt.value;
    const isWhole = Buffer.from(got.subarray(0, CHECKSUM_BYTES)).equals(
      checksum(got.subarray(CHECKSUM_BYTES)),
    );
    if (!isWhole) this.violations.push(`${path} came back with a checksum that is not that of its bytes`);
    else if (!Buffer.from(got).equals(contentOf(path, sizeBytes)))
      this.violations.push(`${path} came back as another file`);
    return undefined;
  }

  #keptBy({ id }: Worker): Kept[] {
    const kept = this.#kept.get(id) ?? [];
    this.#kept.set(id, kept);
    return kept;
  }
}

/** SHA-256 of the rest, then the rest: as random as the key stream of AES, and alike for no two paths. */
function contentOf(path: string, sizeBytes: number): Buffer {
  const key = createHash('sha256').update(path).digest();
  const stream = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  const rest = stream.update(Buffer.alloc(sizeBytes));
  return Buffer.concat([checksum(rest), rest]);
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
