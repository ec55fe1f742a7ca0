/** @module How long datanodes wait between two questions of garbage collection, so that all of them together keep no metadata node busy. */

/** Of the time of a metadata node, for what datanodes ask it of all they hold, again and again. */
export const COLLECTION_SHARE = 0.25;
/** In milliseconds; only in a cluster of many thousand datanodes it is as long as that. */
const MAX_PAUSE_MS = 600_000;

/**
 * In whole milliseconds. `tookMs`: what the answer took this metadata node. The others ask, and are answered, alike, and each
 * metadata node is asked by its part of the datanodes. A round over everything thereby takes the longer the more blocks
 * there are: garbage is found later, and nobody notices.
 */
export function collectionPauseMs(tookMs: number, datanodes: number, metadataNodes: number): number {
  const askers = Math.max(1, datanodes / Math.max(1, metadataNodes));
  return Math.round(Math.min(MAX_PAUSE_MS, tookMs * (askers / COLLECTION_SHARE - 1)));
}
