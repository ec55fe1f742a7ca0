/** @module Which datanodes are too full, which too empty, and how much should move. Pure: also what the preview shows. */

export interface NodeFill {
  readonly node: number;
  /** Of blocks in service, in bytes. */
  readonly usedBytes: number;
  /** What it could hold, used and free together, in bytes. */
  readonly capacityBytes: number;
}

export interface Transfer {
  readonly source: number;
  readonly target: number;
  readonly bytes: number;
}

/** Differences of the fill from the mean that are left alone: moving costs more than they are worth. */
export const FILL_TOLERANCE = 0.05;
/** Where little is filled, differences of so much of the mean: else a new datanode beside large disks would get nothing. */
const MEAN_TOLERANCE = 0.1;
/** But not those of a few blocks, in bytes. */
const LEAST_DIFFERENCE_BYTES: number = 64 * 1024 * 1024;

/** Share of what all can hold together that is used, 0..1; 0 when there is nothing. */
export function meanFill(nodes: readonly NodeFill[]): number {
  const capacity = sum(nodes.map(({ capacityBytes }) => capacityBytes));
  return capacity === 0 ? 0 : sum(nodes.map(({ usedBytes }) => usedBytes)) / capacity;
}

/**
 * Brings every datanode to the mean fill, the large in proportion to the small; empty while all are close enough to it.
 * Nobody is filled above the mean or emptied below it.
 */
export function planBalance(nodes: readonly NodeFill[]): readonly Transfer[] {
  const mean = meanFill(nodes);
  if (nodes.every((node) => isCloseTo(mean, node))) return [];
  const excess = (node: NodeFill): number => Math.floor(node.usedBytes - mean * node.capacityBytes);
  const byExcess = nodes
    .map((node) => ({ node: node.node, bytes: excess(node) }))
    .toSorted((a, b) => b.bytes - a.bytes || a.node - b.node);
  const givers = byExcess.filter(({ bytes }) => bytes > 0);
  const takers = byExcess.filter(({ bytes }) => bytes < 0).toReversed();
  const transfers: Transfer[] = [];
  let given = givers.shift();
  let taken = takers.shift();
  while (given !== undefined && taken !== undefined) {
    const bytes = Math.min(given.bytes, -taken.bytes);
    if (bytes > 0) transfers.push({ source: given.node, target: taken.node, bytes });
    given = given.bytes > bytes ? { ...given, bytes: given.bytes - bytes } : givers.shift();
    taken = -taken.bytes > bytes ? { ...taken, bytes: taken.bytes + bytes } : takers.shift();
  }
  return transfers;
}

function isCloseTo(mean: number, { usedBytes, capacityBytes }: NodeFill): boolean {
  const difference = Math.abs(usedBytes / Math.max(1, capacityBytes) - mean);
  const isSmall = difference <= mean * MEAN_TOLERANCE || difference * capacityBytes <= LEAST_DIFFERENCE_BYTES;
  return difference <= FILL_TOLERANCE && isSmall;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
