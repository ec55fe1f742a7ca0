/** @module Files on a simulated disk: a crash leaves of each what was synced, and any part of what came behind that. */
import type { FileReadOptions, Files, GrowingFile } from '../../src/storage/files.ts';
import type { Prng } from '../prng.ts';

interface Content {
  bytes: Uint8Array;
  syncedBytes: number;
}

const BITS = 8;
const DEFAULT_PART_BYTES: number = 64 * 1024;

/** Names are durable at once, as on a journalling file system; content only once synced. */
export class SimulatedFiles implements Files {
  readonly #random: Prng;
  readonly #files = new Map<string, Content>();

  constructor(random: Prng) {
    this.#random = random;
  }

  crash(): void {
    for (const content of this.#files.values()) {
      const { bytes, syncedBytes } = content;
      const kept = Math.min(bytes.length, syncedBytes + this.#random.int(bytes.length - syncedBytes + 1));
      content.bytes = bytes.slice(0, kept);
      content.syncedBytes = kept;
    }
  }

  /** One bit of one file is not what it was. Says whether there was one. */
  rot(): boolean {
    const filled = [...this.#files.values()].filter(({ bytes }) => bytes.length > 0);
    if (filled.length === 0) return false;
    const content = this.#random.pick(filled);
    const bytes = Uint8Array.from(content.bytes);
    const at = this.#random.int(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#random.int(BITS));
    content.bytes = bytes;
    return true;
  }

  wipe(): void {
    this.#files.clear();
  }

  /** Puts everything back as it is in `other`. */
  become(other: SimulatedFiles): void {
    this.#files.clear();
    for (const [path, content] of other.#files) this.#files.set(path, { ...content });
  }

  async makeDirectory(): Promise<void> {}

  async list(directory: string): Promise<string[]> {
    const prefix = `${directory}/`;
    return [...this.#files.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length))
      .toSorted();
  }

  async sizeOf(path: string): Promise<number> {
    return this.#files.get(path)?.bytes.length ?? 0;
  }

  async *read(path: string, options: FileReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { start = 0, partBytes = DEFAULT_PART_BYTES, signal } = options;
    const { bytes } = this.#content(path);
    for (let at = start; at < bytes.length; at += partBytes) {
      signal?.throwIfAborted();
      yield bytes.slice(at, at + partBytes);
    }
  }

  async grow(path: string): Promise<GrowingFile> {
    let content = this.#files.get(path);
    if (content === undefined) {
      content = { bytes: new Uint8Array(0), syncedBytes: 0 };
      this.#files.set(path, content);
    }
    return growing(content);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#files.set(to, this.#content(from));
    this.#files.delete(from);
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(path);
  }

  async syncFile(path: string): Promise<void> {
    const content = this.#content(path);
    content.syncedBytes = content.bytes.length;
  }

  async syncDirectory(): Promise<void> {}

  #content(path: string): Content {
    const content = this.#files.get(path);
    if (content === undefined)
      throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' });
    return content;
  }
}

function growing(content: Content): GrowingFile {
  return {
    async truncate(sizeBytes) {
      const bytes = new Uint8Array(sizeBytes);
      bytes.set(content.bytes.subarray(0, sizeBytes));
      content.bytes = bytes;
      content.syncedBytes = Math.min(content.syncedBytes, sizeBytes);
    },
    async write(more) {
      const bytes = new Uint8Array(content.bytes.length + more.length);
      bytes.set(content.bytes);
      bytes.set(more, content.bytes.length);
      content.bytes = bytes;
    },
    async sync() {
      content.syncedBytes = content.bytes.length;
    },
    async [Symbol.asyncDispose]() {},
  };
}
