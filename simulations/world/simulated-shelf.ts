/** @module A shelf of the block store on a simulated disk: the store above it is the one that ships. */
import type { Left } from '../../src/common/bytes.ts';
import { crc32c } from '../../src/common/hashing.ts';
import { isHoldfastError } from '../../src/common/errors.ts';
import { type BlockTail, CRC_RANGE_BYTES, decodeTail, encodeTail } from '../../src/storage/block-file.ts';
import { BlockIndex } from '../../src/storage/block-index.ts';
import { BlockRoom } from '../../src/storage/block-room.ts';
import type { BlockShelf, ShelfWriter } from '../../src/storage/block-shelf.ts';
import type { BlockOrigin, NewBlock } from '../../src/storage/block-store.ts';
import type { BlockInfo, QuarantinedBlock } from '../../src/storage/block-info.ts';
import { isSystemError } from '../../src/storage/durable-file.ts';
import { corruptBlock } from '../../src/storage/errors.ts';
import { MemoryFurtherOrigins } from '../../src/storage/further-origins.ts';
import { Quarantine } from '../../src/storage/quarantine.ts';
import { ShelvedBlockStore } from '../../src/storage/shelved-block-store.ts';
import type { BlockPlatter, StoredBlock } from './block-platter.ts';
import type { DiskHealth, DiskQueue } from './disk-queue.ts';

export interface SimulatedShelfComponents {
  readonly platter: BlockPlatter;
  readonly health: DiskHealth;
  readonly queue: DiskQueue;
  /** Resolves once the disk's head is where it is to read. */
  readonly seek: () => Promise<void>;
}

/** As with the real shelves. */
const CHUNK_BYTES: number = 1024 * 1024;
const NAME = 'blocks';

/** The store that ships, as one run of a process has it open. */
export function openSimulatedBlockStore(
  components: SimulatedShelfComponents,
  options: { readonly capacityBytes?: number } = {},
): ShelvedBlockStore {
  const { platter } = components;
  const held = { index: new BlockIndex(), quarantine: new Quarantine() };
  platter.dropIncoming();
  for (const hash of platter.hashes()) held.index.add(hash, platter.get(hash)?.sizeBytes ?? 0);
  for (const block of platter.quarantined()) held.quarantine.add(block);
  const shelf = new SimulatedShelf(components);
  const room = new BlockRoom(
    { ...held, freeBytes: async () => platter.freeBytes },
    { ...options, reserveBytes: 0, name: NAME },
  );
  return new ShelvedBlockStore(
    { ...held, packed: shelf, files: shelf, room, further: new MemoryFurtherOrigins() },
    { name: NAME, isFull: (error) => isSystemError(error, 'ENOSPC') },
  );
}

export class SimulatedShelf implements BlockShelf {
  readonly #components: SimulatedShelfComponents;

  constructor(components: SimulatedShelfComponents) {
    this.#components = components;
  }

  async begin(block: NewBlock): Promise<ShelfWriter> {
    const { platter, health } = this.#components;
    const parts: { readonly bytes: Uint8Array; readonly left: Left | undefined }[] = [];
    const number = platter.begin();
    let stored: StoredBlock | undefined;
    return {
      write: async (bytes, left) => void parts.push({ bytes, left }),
      finish: async (crcs) => {
        // A data disk that is full once has room again later: unlike a failed sync it is no reason to stop.
        if (health.takeFullness()) throw new SystemError('ENOSPC', 'no space left on device, write');
        const data = parts.map(({ bytes }) => bytes);
        stored = { sizeBytes: block.sizeBytes, bytes: Buffer.concat([...data, encodeTail(block, crcs)]) };
        for (const { left } of parts) left?.();
        await this.#write(() => {});
      },
      publish: () =>
        this.#write(() => {
          if (stored !== undefined) platter.put(block.hash, stored);
          platter.end(number);
        }),
      discard: async () => platter.end(number),
    };
  }

  async *read(block: BlockInfo, from: number, to: number): AsyncGenerator<Uint8Array> {
    const { bytes, tail } = await this.#open(block);
    for (let at = from; at < to; at += CHUNK_BYTES) {
      const end = Math.min(to, at + CHUNK_BYTES);
      verifyRanges(block, bytes, tail, at, end);
      yield bytes.slice(at, end);
    }
  }

  async origin(block: BlockInfo): Promise<BlockOrigin> {
    return (await this.#open(block)).tail.origin;
  }

  async quarantinedOrigin(block: QuarantinedBlock): Promise<BlockOrigin> {
    return decoded(block, this.#components.platter.aside(block.hash)).tail.origin;
  }

  async quarantine(block: QuarantinedBlock): Promise<boolean> {
    return this.#components.platter.putAside(block);
  }

  release({ hash }: QuarantinedBlock): Promise<void> {
    return this.#write(() => this.#components.platter.release(hash));
  }

  async purge({ hash }: QuarantinedBlock): Promise<void> {
    this.#components.platter.purge(hash);
  }

  async reclaim(): Promise<boolean> {
    return false;
  }

  remove({ hash }: BlockInfo): Promise<void> {
    return this.#write(() => this.#components.platter.remove(hash));
  }

  async #open(block: BlockInfo): Promise<DecodedBlock> {
    await this.#components.seek();
    return decoded(block, this.#components.platter.get(block.hash));
  }

  /** Shelves reject with what the system says. */
  async #write(persist: () => void): Promise<void> {
    try {
      await this.#components.queue.write(persist);
    } catch (error) {
      throw isHoldfastError(error) && error.cause !== undefined ? error.cause : error;
    }
  }
}

interface DecodedBlock {
  readonly bytes: Uint8Array;
  readonly tail: BlockTail;
}

/** STORAGE_CORRUPT_BLOCK. */
function decoded({ hash, sizeBytes }: BlockInfo, stored: StoredBlock | undefined): DecodedBlock {
  if (stored === undefined) throw corruptBlock(hash, 'its file is gone');
  return { bytes: stored.bytes, tail: decodeTail(hash, sizeBytes, stored.bytes.subarray(sizeBytes)) };
}

class SystemError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

function verifyRanges(
  block: BlockInfo,
  bytes: Uint8Array,
  { crcs }: BlockTail,
  at: number,
  end: number,
): void {
  for (let from = at - (at % CRC_RANGE_BYTES); from < end; from += CRC_RANGE_BYTES) {
    const to = Math.min(block.sizeBytes, from + CRC_RANGE_BYTES);
    if (crc32c(bytes.subarray(from, to)) !== crcs[from / CRC_RANGE_BYTES])
      throw corruptBlock(block.hash, `bytes ${from} to ${to} have a bad checksum`);
  }
}
