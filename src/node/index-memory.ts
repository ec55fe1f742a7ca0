/** @module What the location index of a metadata node may take of its machine's memory when nobody says. */
import { totalmem } from 'node:os';
import { DEFAULT_INDEX_BYTES } from '../metadata/location-index.ts';

/** A quarter: the namespace, the kernel's page cache and whatever else runs there have the rest. */
const MACHINE_PART = 4;

/** In bytes; no less than DEFAULT_INDEX_BYTES, most of which a small cluster never takes. */
export function defaultIndexBytes(machineBytes: number = memoryBytes()): number {
  return Math.max(DEFAULT_INDEX_BYTES, Math.floor(machineBytes / MACHINE_PART));
}

/** Of the machine, or of the container that this process is in. */
function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
