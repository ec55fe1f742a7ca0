/** @module The settings of garbage collection, with the defaults filled in. */
import { DEFAULT_ERA_MS, DEFAULT_GRACE_MS } from './limits.ts';
import type { Cluster, Collection } from './schema.ts';

export function currentEra(cluster: Pick<Cluster, 'collection'> | undefined): number {
  return cluster?.collection?.era ?? 0;
}

/** Never with a 0 for a time. */
export function collectionOf(cluster: Pick<Cluster, 'collection'> | undefined): Collection {
  const { eraMs, graceMs, ...said } = cluster?.collection ?? NOTHING_SAID;
  // While files are being found again nothing says which blocks no file refers to.
  const paused = said.paused || (said.recovering ?? false);
  return { ...said, paused, eraMs: eraMs || DEFAULT_ERA_MS, graceMs: graceMs || DEFAULT_GRACE_MS };
}

export function isRecovering(cluster: Pick<Cluster, 'collection'> | undefined): boolean {
  return cluster?.collection?.recovering ?? false;
}

const NOTHING_SAID: Collection = { era: 0, paused: false, undoneEra: 0, eraMs: 0, graceMs: 0 };
