/** @module What the datanodes' disks and networks together allow for copies, as far as they know it. */
import type { DataNodeStatus } from '../src/protocol/messages.ts';

export interface CopyLimit {
  readonly bytesPerSecond: number;
  readonly by: 'disk' | 'network';
}

/**
 * A copy is read on one datanode and written on another: disks do both, networks send and receive side by side.
 * Undefined when no living datanode knows either rate. Pure.
 */
export function copyLimit(dataNodes: readonly DataNodeStatus[]): CopyLimit | undefined {
  const rates = dataNodes
    .filter(({ liveness }) => liveness === 'alive')
    .map((datanode) => datanode.rates ?? {});
  const sum = (pick: (rate: (typeof rates)[number]) => number | undefined): number =>
    rates.reduce((total, rate) => total + (pick(rate) ?? 0), 0) || Number.POSITIVE_INFINITY;
  const disk = sum((rate) => rate.disk) / 2;
  const network = sum((rate) => rate.network);
  const bytesPerSecond = Math.min(disk, network);
  if (!Number.isFinite(bytesPerSecond)) return undefined;
  return { bytesPerSecond, by: disk <= network ? 'disk' : 'network' };
}

/** "41% of what the disks allow"; empty where that is not known. */
export function shareOfLimit(bytesPerSecond: number, limit: CopyLimit | undefined): string {
  if (limit === undefined) return '';
  const percent = Math.round((bytesPerSecond / limit.bytesPerSecond) * 100);
  return `${percent}% of what the ${limit.by === 'disk' ? 'disks allow' : 'network allows'}`;
}
