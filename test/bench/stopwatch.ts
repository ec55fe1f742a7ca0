/** @module How long something took. */
import { round } from './statistics.ts';

/** Seconds since `startMs` of performance.now(), to a tenth. */
export function secondsSince(startMs: number): number {
  return round((performance.now() - startMs) / 1000, 1);
}
