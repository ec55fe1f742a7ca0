/** @module One snapshot file on its way here: what has arrived, its hash so far, and the fetching of the rest. */
import { toHex } from '../common/bytes.ts';
import { assert } from '../common/errors.ts';
import { type StreamingHash, sha256Stream } from '../common/hashing.ts';
import type { Network, PeerId } from '../network/network.ts';
import { type SnapshotHandle, SnapshotReadHeader } from '../protocol/messages.ts';
import { SNAPSHOT_READ_CHANNEL } from '../protocol/methods.ts';
import type { GrowingFile } from '../storage/files.ts';
import { snapshotFailed } from './errors.ts';
import { decodeChunks } from './snapshot-chunks.ts';
import type { SnapshotStore } from './snapshot-store.ts';

export interface SnapshotDownloadComponents {
  readonly network: Network;
  readonly store: SnapshotStore;
}

export interface SnapshotSource {
  readonly peer: PeerId;
  readonly handle: SnapshotHandle;
}

/** Made durable in parts: one fsync of gigabytes would hold up those of the Raft log on the same disk. */
const SYNC_BYTES: number = 32 * 1024 * 1024;

export class SnapshotDownload {
  readonly #components: SnapshotDownloadComponents;
  readonly #source: SnapshotSource;
  readonly #hash: StreamingHash;
  #offset: number;

  /** Goes on behind what an earlier attempt, or an earlier process, has left of the file. */
  static async resume(
    components: SnapshotDownloadComponents,
    source: SnapshotSource,
  ): Promise<SnapshotDownload> {
    const { name, sizeBytes } = source.handle;
    const path = components.store.partialPathOf(name);
    if ((await components.store.sizeOf(path)) > sizeBytes) await components.store.discardPartial(name);
    const hash = sha256Stream();
    let offset = 0;
    if ((await components.store.sizeOf(path)) > 0)
      for await (const bytes of components.store.read(path)) {
        hash.update(bytes);
        offset += bytes.length;
      }
    return new SnapshotDownload(components, source, { hash, offset });
  }

  private constructor(
    components: SnapshotDownloadComponents,
    source: SnapshotSource,
    start: { readonly hash: StreamingHash; readonly offset: number },
  ) {
    this.#components = components;
    this.#source = source;
    this.#hash = start.hash;
    this.#offset = start.offset;
  }

  /** Bytes that are here. */
  get offset(): number {
    return this.#offset;
  }

  /** Rejects with what broke the stream; whatever arrived before is kept, and the next call goes on behind it. */
  async fetchRest(signal: AbortSignal): Promise<void> {
    const { name, sizeBytes } = this.#source.handle;
    await using file = await this.#components.store.growPartial(name);
    // A write that failed may have left a part of a chunk.
    await file.truncate(this.#offset);
    if (this.#offset < sizeBytes) await this.#receive(file, signal);
    if (this.#offset < sizeBytes)
      throw snapshotFailed(name, `it ended after ${this.#offset} of ${sizeBytes} bytes`);
  }

  /** Whether all that arrived has the checksum the leader gave. Call it once, at the end. */
  isSound(): boolean {
    const { sizeBytes, sha256 } = this.#source.handle;
    assert(this.#offset === sizeBytes, 'a download is checked when it is whole');
    return toHex(this.#hash.digest()) === toHex(sha256);
  }

  async #receive(file: GrowingFile, signal: AbortSignal): Promise<void> {
    const { peer, handle } = this.#source;
    const { name, sizeBytes } = handle;
    const header = SnapshotReadHeader.encode({ name, offset: this.#offset }).finish();
    const channel = await this.#components.network.open(peer, SNAPSHOT_READ_CHANNEL, header, { signal });
    const onAbort = (): void => channel.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    let unsynced = 0;
    try {
      for await (const bytes of decodeChunks(name, channel, this.#offset)) {
        if (this.#offset + bytes.length > sizeBytes)
          throw snapshotFailed(name, 'more bytes arrived than it has');
        await file.write(bytes);
        this.#hash.update(bytes);
        this.#offset += bytes.length;
        unsynced += bytes.length;
        if (unsynced < SYNC_BYTES) continue;
        await file.sync();
        unsynced = 0;
      }
      await channel.end();
    } catch (error) {
      channel.abort();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
