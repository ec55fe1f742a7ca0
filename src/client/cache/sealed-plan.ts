/** @module A remembered answer as a file: its SHA-256, when it was asked for, and the answer. */
import { sha256, HASH_SIZE_BYTES } from '../../common/hashing.ts';

export interface DatedPlan {
  /** Milliseconds since the epoch. */
  readonly askedMs: number;
  readonly body: Uint8Array;
}

const TIME_BYTES = 8;

export function sealPlan({ askedMs, body }: DatedPlan): Uint8Array {
  const sealed = Buffer.alloc(HASH_SIZE_BYTES + TIME_BYTES + body.byteLength);
  sealed.writeDoubleLE(askedMs, HASH_SIZE_BYTES);
  sealed.set(body, HASH_SIZE_BYTES + TIME_BYTES);
  sealed.set(sha256(sealed.subarray(HASH_SIZE_BYTES)));
  return sealed;
}

/** Undefined for anything that sealPlan() did not make, or that was damaged since. */
export function openPlan(sealed: Buffer): DatedPlan | undefined {
  if (sealed.byteLength < HASH_SIZE_BYTES + TIME_BYTES) return undefined;
  const dated = sealed.subarray(HASH_SIZE_BYTES);
  if (!sealed.subarray(0, HASH_SIZE_BYTES).equals(sha256(dated))) return undefined;
  return { askedMs: dated.readDoubleLE(0), body: dated.subarray(TIME_BYTES) };
}
