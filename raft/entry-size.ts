/** @module Two sizes of an entry: its payload, and what it takes encoded; all limits are in one of the two. */
import type { Entry } from './types.ts';

const VARINT_STEP = 128;
const TYPE_FIELD_BYTES = 2;
const TAG_BYTES = 1;

/** Bytes of the payload alone; counts for in-flight and uncommitted limits, so an empty entry is free. */
export function payloadSizeBytes(entries: readonly Entry[]): number {
  let sizeBytes = 0;
  for (const entry of entries) sizeBytes += entry.data.length;
  return sizeBytes;
}

/** Bytes of the entry as etcd's protobuf would encode it; counts for message and apply limits. */
export function entrySizeBytes(entry: Entry): number {
  const { length } = entry.data;
  const data = length === 0 ? 0 : TAG_BYTES + varintBytes(length) + length;
  return TYPE_FIELD_BYTES + TAG_BYTES + varintBytes(entry.term) + TAG_BYTES + varintBytes(entry.index) + data;
}

/** Sum of `entrySizeBytes`. */
export function entriesSizeBytes(entries: readonly Entry[]): number {
  let sizeBytes = 0;
  for (const entry of entries) sizeBytes += entrySizeBytes(entry);
  return sizeBytes;
}

/** Copy of `entries[from, to)`, cut to `maxSizeBytes` encoded, but never to nothing. Looks at no more than it takes. */
export function takeUpToSize(
  entries: readonly Entry[],
  from: number,
  to: number,
  maxSizeBytes: number,
): Entry[] {
  const taken: Entry[] = [];
  let sizeBytes = 0;
  for (let i = from; i < to; i++) {
    const entry = entries[i];
    if (entry === undefined) break;
    sizeBytes += entrySizeBytes(entry);
    if (sizeBytes > maxSizeBytes && taken.length > 0) break;
    taken.push(entry);
  }
  return taken;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= VARINT_STEP; rest = Math.floor(rest / VARINT_STEP)) bytes += 1;
  return bytes;
}
