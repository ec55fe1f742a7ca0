/** @module The format of a block file: data, a CRC32C per 64 KiB, and a trailer that says what the block is. */
import { fromHex, fromUtf8, KIB, toHex, utf8 } from '../common/bytes.ts';
import { assert } from '../common/errors.ts';
import { type BlockHash, crc32c } from '../common/hashing.ts';
import { type BlockOrigin, MAX_WRITE_NOTE_BYTES, type NewBlock } from './block-store.ts';
import { corruptBlock } from './errors.ts';

/** Bytes of data under one CRC32C. */
export const CRC_RANGE_BYTES: number = 64 * KIB;
/** Fixed, so that the size of the data follows from the size of the file. */
const TRAILER_BYTES = 1024;
const CRC_BYTES = 4;
const MAGIC = utf8('HOLDFAST');
const VERSION = 1;

/**
 * Trailer, little endian: magic 0..8, version u32 8, size u64 12, SHA-256 20..52, file id u64 52, position u32 60,
 * CRC of the CRC table u32 64, length of the path hint u16 68, path hint 70.., length of the writer's note u16, the note,
 * zeros, CRC of all before u32 1020. Earlier releases had zeros where the note is now, and still read what is before it.
 */
const AT = {
  magic: 0,
  version: 8,
  size: 12,
  hash: 20,
  fileId: 52,
  position: 60,
  tableCrc: 64,
  hintLength: 68,
  hint: 70,
  trailerCrc: TRAILER_BYTES - CRC_BYTES,
} as const;
const NOTE_LENGTH_BYTES = 2;
/** For hint and note together. */
const HINT_AND_NOTE_BYTES: number = AT.trailerCrc - AT.hint - NOTE_LENGTH_BYTES;

/** What stands behind the data of a block file. */
export interface BlockTail {
  /** One CRC32C per 64 KiB of data, the last range shorter. */
  readonly crcs: Uint32Array;
  readonly origin: BlockOrigin;
}

export function tailBytes(sizeBytes: number): number {
  return rangeCount(sizeBytes) * CRC_BYTES + TRAILER_BYTES;
}

/** Size of the data in a file of `fileBytes`; undefined when no block file has that size. */
export function sizeFromFile(fileBytes: number): number | undefined {
  const body = fileBytes - TRAILER_BYTES;
  if (body < 0) return undefined;
  const sizeBytes = body - Math.ceil(body / (CRC_RANGE_BYTES + CRC_BYTES)) * CRC_BYTES;
  return sizeBytes >= 0 && sizeBytes + tailBytes(sizeBytes) === fileBytes ? sizeBytes : undefined;
}

export function encodeTail(block: NewBlock, crcs: readonly number[]): Uint8Array {
  const table = Buffer.alloc(crcs.length * CRC_BYTES);
  crcs.forEach((crc, at) => table.writeUInt32LE(crc, at * CRC_BYTES));
  const note = noteOf(block.origin);
  const hint = fitHint(block.origin);
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.set(MAGIC, AT.magic);
  trailer.writeUInt32LE(VERSION, AT.version);
  trailer.writeBigUInt64LE(BigInt(block.sizeBytes), AT.size);
  trailer.set(fromHex(block.hash), AT.hash);
  trailer.writeBigUInt64LE(BigInt(block.origin.fileId), AT.fileId);
  trailer.writeUInt32LE(block.origin.position, AT.position);
  trailer.writeUInt32LE(crc32c(table), AT.tableCrc);
  trailer.writeUInt16LE(hint.length, AT.hintLength);
  trailer.set(hint, AT.hint);
  trailer.writeUInt16LE(note.length, AT.hint + hint.length);
  trailer.set(note, AT.hint + hint.length + NOTE_LENGTH_BYTES);
  trailer.writeUInt32LE(crc32c(trailer.subarray(0, AT.trailerCrc)), AT.trailerCrc);
  return Buffer.concat([table, trailer]);
}

/** Reads the `tailBytes(sizeBytes)` behind the data and checks that they belong to `hash`. Error: STORAGE_CORRUPT_BLOCK. */
export function decodeTail(hash: BlockHash, sizeBytes: number, bytes: Uint8Array): BlockTail {
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (tail.length !== tailBytes(sizeBytes)) throw corruptBlock(hash, 'the file is too short');
  const table = tail.subarray(0, tail.length - TRAILER_BYTES);
  const trailer = tail.subarray(table.length);
  if (crc32c(trailer.subarray(0, AT.trailerCrc)) !== trailer.readUInt32LE(AT.trailerCrc))
    throw corruptBlock(hash, 'the trailer has a bad checksum');
  if (!MAGIC.every((byte, at) => trailer[at] === byte) || trailer.readUInt32LE(AT.version) !== VERSION)
    throw corruptBlock(hash, 'the trailer is of an unknown version');
  if (
    toHex(trailer.subarray(AT.hash, AT.fileId)) !== hash ||
    Number(trailer.readBigUInt64LE(AT.size)) !== sizeBytes
  )
    throw corruptBlock(hash, 'the file holds another block');
  if (crc32c(table) !== trailer.readUInt32LE(AT.tableCrc))
    throw corruptBlock(hash, 'the checksum table has a bad checksum');
  return { crcs: decodeCrcs(table), origin: decodeOrigin(trailer) };
}

export function rangeCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / CRC_RANGE_BYTES);
}

/** An origin as it will be stored: of a path that leaves no room for the note, the end, which has the file's name. */
export function storedOrigin(origin: BlockOrigin): BlockOrigin {
  return { ...origin, pathHint: fromUtf8(fitHint(origin)) };
}

function noteOf({ write = new Uint8Array() }: BlockOrigin): Uint8Array {
  assert(write.length <= MAX_WRITE_NOTE_BYTES, `a writer's note has at most ${MAX_WRITE_NOTE_BYTES} bytes`);
  return write;
}

function fitHint(origin: BlockOrigin): Uint8Array {
  const whole = utf8(origin.pathHint);
  const room = HINT_AND_NOTE_BYTES - noteOf(origin).length;
  if (whole.length <= room) return whole;
  let from = whole.length - room;
  // Begin at a whole character: continuation bytes of UTF-8 are 10xxxxxx.
  while (((whole[from] ?? 0) & 0xc0) === 0x80) from += 1;
  return whole.subarray(from);
}

function decodeCrcs(table: Buffer): Uint32Array {
  const crcs = new Uint32Array(table.length / CRC_BYTES);
  for (let at = 0; at < crcs.length; at += 1) crcs[at] = table.readUInt32LE(at * CRC_BYTES);
  return crcs;
}

function decodeOrigin(trailer: Buffer): BlockOrigin {
  const end = AT.hint + trailer.readUInt16LE(AT.hintLength);
  const write = decodeNote(trailer, end);
  return {
    fileId: Number(trailer.readBigUInt64LE(AT.fileId)),
    pathHint: fromUtf8(trailer.subarray(AT.hint, end)),
    position: trailer.readUInt32LE(AT.position),
    ...(write.length > 0 && { write }),
  };
}

/** Empty in a trailer of an earlier release, whose path may reach up to the checksum. */
function decodeNote(trailer: Buffer, at: number): Uint8Array {
  const from = at + NOTE_LENGTH_BYTES;
  if (from > AT.trailerCrc) return new Uint8Array();
  return new Uint8Array(trailer.subarray(from, Math.min(from + trailer.readUInt16LE(at), AT.trailerCrc)));
}
