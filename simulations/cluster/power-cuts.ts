/** @module Power that fails just while a metadata node writes to its log, or has made it shorter: moments too rare to be met by chance. */
import { Prng } from '../prng.ts';

/** Of `node`, at its next write or compaction; a place among those that run at that time, counted round. */
export interface PowerCut {
  readonly kind: 'cut-power-in-write' | 'cut-power-at-compaction';
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
  return drawCuts(random, 'cut-power-in-write', faultyMs, random.between(1, MOST_CUTS));
}

/** So many, in the order of their times. */
export function drawCuts(
  random: Prng,
  kind: PowerCut['kind'],
  faultyMs: number,
  count: number,
): readonly (PowerCut & { readonly atMs: number })[] {
  return Array.from({ length: count }, () => ({
    atMs: random.int(faultyMs),
    kind,
    node: random.int(64),
    forMs: random.between(1, 3_000),
  })).toSorted((a, b) => a.atMs - b.atMs);
}
