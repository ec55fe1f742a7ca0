/** @module The sending end of `block.read`: a block or a part of one, each 64 KiB verified by the store. */
import type { Clock } from '../common/clock.ts';
import { withDeadline } from '../common/deadline.ts';
import { isHoldfastError } from '../common/errors.ts';
import { HASH_SIZE_BYTES } from '../common/hashing.ts';
import { toHex } from '../common/bytes.ts';
import type { Logger } from '../common/logger.ts';
import type { PieceMemory } from '../common/piece-memory.ts';
import type { IncomingChannel } from '../network/network.ts';
import { BlockReadHeader } from '../protocol/messages.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { BlockIndexer } from './block-indexer.ts';
import { checkCopy } from './copy-check.ts';
import { badHeader, readerStalled } from './errors.ts';
import type { LoadMeter } from './load-meter.ts';

export interface BlockSenderComponents {
  readonly blocks: BlockStore;
  readonly indexer: BlockIndexer;
  readonly load: LoadMeter;
  /** Of CHUNK_BYTES each: what is read lies there until it has left. */
  readonly memory: PieceMemory;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A reader that takes nothing for this long gives its place up, in milliseconds. Clients hold back whole blocks, not parts. */
const STALL_TIMEOUT_MS = 60_000;

export class BlockSender {
  readonly #components: BlockSenderComponents;

  constructor(components: BlockSenderComponents) {
    this.#components = components;
  }

  /** Errors, through the channel: DATANODE_BUSY, DATANODE_BAD_HEADER, DATANODE_READER_STALLED, STORAGE_*. */
  send(channel: IncomingChannel): Promise<void> {
    const { load } = this.#components;
    return load.during('reads', () => load.forClient(() => this.#send(channel)));
  }

  async #send(channel: IncomingChannel): Promise<void> {
    const { hash: hashBytes, offset, length } = BlockReadHeader.decode(channel.header);
    if (hashBytes.byteLength !== HASH_SIZE_BYTES)
      throw badHeader(`the hash has ${hashBytes.byteLength} bytes`);
    const hash = toHex(hashBytes);
    const { blocks, clock, memory } = this.#components;
    const sizeBytes = blocks.info(hash)?.sizeBytes ?? 0;
    const range = { offset, length: length === 0 ? Math.max(0, sizeBytes - offset) : length };
    if (sizeBytes > 0 && offset + range.length > sizeBytes)
      throw badHeader(`bytes ${offset} to ${offset + range.length} of a block of ${sizeBytes}`);
    try {
      for await (const chunk of blocks.read(hash, range, memory)) {
        const written = channel.write(chunk, () => memory.takeBack(chunk));
        await withDeadline(clock, STALL_TIMEOUT_MS, written, () => readerStalled(hash, STALL_TIMEOUT_MS));
      }
    } catch (error) {
      if (isHoldfastError(error, 'STORAGE_CORRUPT_BLOCK')) await checkCopy(this.#components, hash);
      throw error;
    }
    await channel.end();
  }
}
