/**
 * @module Counts the bytes of buffers that are filled, passed on and let go. V8 sees only their small handles, so it collects them
 * late and then all of its heap with them; whoever owns the process can have them collected in time. One count, since there is one heap.
 */
import { MIB } from './bytes.ts';

/** Between two collections: few enough that buffers which are in use meanwhile stay young, as V8 makes old what outlives two. */
const STEP_BYTES: number = 8 * MIB;

let countedBytes = 0;
let collect: (() => void) | undefined;

/** From now on `collector` is called after every 8 MiB that were counted; nobody is before. */
export function onShortLivedBytes(collector: () => void): void {
  collect = collector;
}

/** `sizeBytes` of buffers were made that will not be needed for long. */
export function countShortLivedBytes(sizeBytes: number): void {
  countedBytes += sizeBytes;
  if (countedBytes < STEP_BYTES) return;
  countedBytes = 0;
  collect?.();
}
