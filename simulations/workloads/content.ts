/** @module Content that says itself whether it is whole: a value, its size, bytes that follow from both, and a checksum of them. */
import type { Client } from '../../src/client/client.ts';
import { crc32c } from '../../src/common/hashing.ts';
import type { Prng } from '../prng.ts';
import type { WorkloadOptions } from './workload.ts';

/** Little endian: value f64, size u32, CRC32C of what follows u32. */
const HEADER_BYTES = 16;
const AT = { value: 0, size: 8, checksum: 12 } as const;
/** A linear congruential step (Numerical Recipes) fills the rest: quick, and no two values give the same bytes. */
const MULTIPLIER = 1_664_525;
const INCREMENT = 1_013_904_223;
const WORD_BYTES = 4;
const BYTE_MASK = 0xff;

/** Mostly one small block, sometimes at a block's edge, sometimes enough of them to need a lease; blocks have 64 KiB. */
const SIZES = [16, 16, 40, 40, 40, 900, 900, 900, 5_000, 5_000, 20_000, 65_536, 65_537, 262_145];
/** Half of them with blocks that travel along chains; blocks have 96 KiB. */
const LARGER_SIZES = [16, 40, 900, 20_000, 65_536, 65_537, 98_304, 98_305, 200_000, 262_145];

export function drawSize(random: Prng, { blockSizeBytes }: WorkloadOptions): number {
  return random.pick(blockSizeBytes === undefined ? SIZES : LARGER_SIZES);
}

/** At least 16 bytes. */
export function contentOf(value: number, sizeBytes: number): Uint8Array {
  const bytes = Buffer.from(new ArrayBuffer(Math.max(HEADER_BYTES, sizeBytes)));
  bytes.writeDoubleLE(value, AT.value);
  bytes.writeUInt32LE(bytes.length, AT.size);
  const words = new Int32Array(
    bytes.buffer,
    HEADER_BYTES,
    Math.floor((bytes.length - HEADER_BYTES) / WORD_BYTES),
  );
  const last = fill(words, value);
  bytes.fill(last & BYTE_MASK, HEADER_BYTES + words.byteLength);
  bytes.writeUInt32LE(crc32c(bytes.subarray(HEADER_BYTES)), AT.checksum);
  return bytes;
}

/**
 * Gives the last word. A function of its own, since the loop is compiled while it runs: what followed it in one function was
 * thrown back to the interpreter with each file.
 */
function fill(words: Int32Array, value: number): number {
  let state = value | 0;
  for (let at = 0; at < words.length; at += 1) {
    state = (Math.imul(state, MULTIPLIER) + INCREMENT) | 0;
    words[at] = state;
  }
  return state;
}

/** The value whose content this is, whole and unaltered; undefined when it is none's. */
export function valueOf(bytes: Uint8Array): number | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < HEADER_BYTES || buffer.readUInt32LE(AT.size) !== buffer.length) return undefined;
  if (crc32c(buffer.subarray(HEADER_BYTES)) !== buffer.readUInt32LE(AT.checksum)) return undefined;
  return buffer.readDoubleLE(AT.value);
}

/** All of a file. */
export async function readWhole(client: Client, path: string): Promise<Uint8Array> {
  const { bytes } = await client.get(path);
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}
