/** @module A part of the key space by its leading hex digits: a shard, or a sixteenth of one, and so on down. */
import { badBatch } from './errors.ts';
import { SHARD_BITS } from './shard.ts';

/** Of a shard; parts of shards have more. */
export const SHARD_DIGITS: number = SHARD_BITS / 4;
/** Finer parts are never needed: nobody holds so many blocks. */
export const MAX_PREFIX_DIGITS = 16;

const PREFIX = new RegExp(`^[0-9a-f]{${SHARD_DIGITS},${MAX_PREFIX_DIGITS}}$`);
const HEX_DIGITS = [...'0123456789abcdef'];

export function prefixOfShard(shard: number): string {
  return shard.toString(16).padStart(SHARD_DIGITS, '0');
}

/** The shard that a prefix lies in. Throws DHT_BAD_BATCH when it is none. */
export function shardOfPrefix(prefix: string): number {
  if (!PREFIX.test(prefix))
    throw badBatch(`'${prefix.slice(0, 40)}' is not ${SHARD_DIGITS} to ${MAX_PREFIX_DIGITS} hex digits`, {});
  return Number.parseInt(prefix.slice(0, SHARD_DIGITS), 16);
}

/** The sixteen parts of a prefix, in order. */
export function partsOf(prefix: string): string[] {
  return HEX_DIGITS.map((digit) => prefix + digit);
}

/** Of a hash in the prefix's shard, all of which begins alike. */
export function isBelow(hash: Uint8Array, prefix: string): boolean {
  for (let at = SHARD_DIGITS; at < prefix.length; at++) {
    const byte = hash[at >> 1] ?? 0;
    const digit = at % 2 === 0 ? byte >> 4 : byte & 15;
    if (digit !== Number.parseInt(prefix.charAt(at), 16)) return false;
  }
  return true;
}
