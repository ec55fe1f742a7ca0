/** @module Power that fails just while a metadata node writes to its log: too rare a moment to be met by chance. */
import { Prng } from '../prng.ts';

/** Of `node`, at its next write; a place among those that run at that time, counted round. */
export interface PowerCut {
  readonly kind: 'cut-power-in-write';
  readonly node: number;
  readonly forMs: number;
}

/** Of runs. */
const SHARE = 0.5;
const MOST_CUTS = 4;

/** In the order of their times; drawn apart, so that the other faults of a seed stay what they were. */
export function drawPowerCuts(
  seed: number,
  { faultyMs }: { readonly faultyMs: number },
): readonly (PowerCut & { readonly atMs: number })[] {
  const random = new Prng(seed, 'power cuts');
  if (!random.chance(SHARE)) return [];
  return Array.from({ length: random.between(1, MOST_CUTS) }, () => ({
    atMs: random.int(faultyMs),
    kind: 'cut-power-in-write' as const,
    node: random.int(64),
    forMs: random.between(1, 3_000),
  })).toSorted((a, b) => a.atMs - b.atMs);
}
