/** @module Reading a block file: nothing leaves it that has not been checked, but for a whole block that the reader hashes. */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32c } from '../common/hashing.ts';
import type { PieceMemory } from '../common/piece-memory.ts';
import { type BlockTail, CRC_RANGE_BYTES, decodeTail, tailBytes } from './block-file.ts';
import { type BlockOrigin, CHUNK_BYTES } from './block-store.ts';
import type { BlockInfo } from './block-info.ts';
import { isSystemError, isUnreadable } from './durable-file.ts';
import { corruptBlock } from './errors.ts';

/** Bytes [from, to) of the data, in pieces of `memory` if there is one. Error: STORAGE_CORRUPT_BLOCK. */
export async function* readBlockFile(
  path: string,
  block: BlockInfo,
  from: number,
  to: number,
  memory?: PieceMemory,
): AsyncGenerator<Uint8Array> {
  await using handle = await openBlock(path, block);
  const { crcs } = await readTail(handle, block);
  let at = from - (from % CRC_RANGE_BYTES);
  while (at < to) {
    const end = Math.min(at + CHUNK_BYTES, roundUp(to), block.sizeBytes);
    const chunk = memory?.take().subarray(0, end - at) ?? Buffer.allocUnsafeSlow(end - at);
    await fill(handle, block, at, chunk);
    verifyRanges(block, crcs, at, chunk);
    yield chunk.subarray(Math.max(from - at, 0), Math.min(to, end) - at);
    at = end;
  }
}

/**
 * All of the data, none of it checked: for a reader who compares its SHA-256, which says more. Each piece is the beginning of CHUNK_BYTES
 * from `memory`. Error: STORAGE_CORRUPT_BLOCK.
 */
export async function* readBlockUnchecked(
  path: string,
  block: BlockInfo,
  memory: PieceMemory,
): AsyncGenerator<Uint8Array> {
  await using handle = await openBlock(path, block);
  for (let at = 0; at < block.sizeBytes; at += CHUNK_BYTES) {
    const piece = memory.take().subarray(0, block.sizeBytes - at);
    await fill(handle, block, at, piece);
    yield piece;
  }
}

/** Error: STORAGE_CORRUPT_BLOCK. */
export async function readBlockOrigin(path: string, block: BlockInfo): Promise<BlockOrigin> {
  await using handle = await openBlock(path, block);
  return (await readTail(handle, block)).origin;
}

/** Checks `chunk`, which begins at a multiple of CRC_RANGE_BYTES, against the table. */
function verifyRanges(block: BlockInfo, crcs: Uint32Array, at: number, chunk: Uint8Array): void {
  for (let from = 0; from < chunk.length; from += CRC_RANGE_BYTES) {
    const range = chunk.subarray(from, from + CRC_RANGE_BYTES);
    if (crc32c(range) !== crcs[(at + from) / CRC_RANGE_BYTES])
      throw corruptBlock(block.hash, `bytes ${at + from} to ${at + from + range.length} have a bad checksum`);
  }
}

async function openBlock(path: string, block: BlockInfo): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) throw corruptBlock(block.hash, 'its file is gone', error);
    throw explained(block, error);
  }
}

async function readTail(handle: FileHandle, block: BlockInfo): Promise<BlockTail> {
  const bytes = await readExactly(handle, block, block.sizeBytes, tailBytes(block.sizeBytes));
  return decodeTail(block.hash, block.sizeBytes, bytes);
}

async function readExactly(
  handle: FileHandle,
  block: BlockInfo,
  at: number,
  length: number,
): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length);
  await fill(handle, block, at, buffer);
  return buffer;
}

async function fill(handle: FileHandle, block: BlockInfo, at: number, buffer: Uint8Array): Promise<void> {
  for (let filled = 0; filled < buffer.length; ) {
    const bytesRead = await readSome(handle, block, buffer, filled, at + filled);
    if (bytesRead === 0) throw corruptBlock(block.hash, 'the file is too short');
    filled += bytesRead;
  }
}

async function readSome(
  handle: FileHandle,
  block: BlockInfo,
  buffer: Uint8Array,
  offset: number,
  position: number,
): Promise<number> {
  try {
    return (await handle.read(buffer, offset, buffer.length - offset, position)).bytesRead;
  } catch (error) {
    throw explained(block, error);
  }
}

/** An unreadable sector: this copy is bad, the disk may otherwise be well. */
function explained(block: BlockInfo, error: unknown): unknown {
  return isUnreadable(error) ? corruptBlock(block.hash, 'the disk cannot read it', error) : error;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / CRC_RANGE_BYTES) * CRC_RANGE_BYTES;
}
