/** @module What is being repaired, as `cluster status` tells it: copies left, rate, how long it will take, what is stuck. */
import type { KeeperReport, StatusResponse } from '../src/protocol/messages.ts';
import { formatBytes } from './byte-size.ts';
import { type CopyLimit, copyLimit, shareOfLimit } from './copy-limit.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';

export interface RepairProgress {
  /** Blocks with fewer copies than wanted, by how many are left, fewest first. */
  readonly left: readonly {
    readonly copies: number;
    readonly blocks: number;
    readonly missingBytes: number;
  }[];
  readonly copying: number;
  readonly bytesPerSecond: number;
  /** What disks and networks allow; absent where no datanode knows. */
  readonly limit?: CopyLimit | undefined;
  /** Absent while nothing is copied, and when nothing is missing. */
  readonly etaMs?: number | undefined;
  readonly stuck: readonly { readonly reason: string; readonly blocks: number; readonly bytes: number }[];
  /** Where repair is held by somebody, and how it goes on; empty when nowhere. */
  readonly paused: string;
  /** Of the shards of all blocks, those of which keepers do not know everything that datanodes hold. */
  readonly unknownShards: number;
}

const REASONS: Readonly<Record<string, string>> = {
  'no-copy': 'no datanode that lives has a good copy: start those that are away',
  'no-target': 'no further datanode lives and has room: start or join one',
  'copy-failed':
    'the last copy of each failed and is tried again: see repair.copy-failed in the logs of metadata nodes',
  busy: 'waiting for their turn',
};

/** The keepers' reports summed up. Pure. */
export function repairProgress({ keepers, dataNodes }: StatusResponse): RepairProgress {
  const sum = (pick: (keeper: KeeperReport) => number): number =>
    keepers.reduce((total, keeper) => total + pick(keeper), 0);
  const left = [
    ...Map.groupBy(
      keepers.flatMap((keeper) => keeper.left),
      ({ copies }) => copies,
    ),
  ]
    .map(([copies, parts]) => ({
      copies,
      blocks: parts.reduce((total, { blocks }) => total + blocks, 0),
      missingBytes: parts.reduce((total, { missingBytes }) => total + missingBytes, 0),
    }))
    .toSorted((a, b) => a.copies - b.copies);
  const stuck = [
    ...Map.groupBy(
      keepers.flatMap((keeper) => keeper.stuck),
      ({ reason }) => reason,
    ),
  ].map(([reason, parts]) => ({
    reason,
    blocks: parts.reduce((total, { blocks }) => total + blocks, 0),
    bytes: parts.reduce((total, { bytes }) => total + bytes, 0),
  }));
  const bytesPerSecond = sum((keeper) => keeper.bytesPerSecond);
  const missingBytes = left.reduce((total, each) => total + (each.copies > 0 ? each.missingBytes : 0), 0);
  const etaMs =
    missingBytes > 0 && bytesPerSecond > 0 ? Math.ceil((missingBytes * 1000) / bytesPerSecond) : undefined;
  const limit = copyLimit(dataNodes);
  return {
    left,
    copying: sum(({ copying }) => copying),
    bytesPerSecond,
    limit,
    etaMs,
    stuck,
    paused: pausedText(keepers),
    unknownShards: unknownShardsOf(keepers),
  };
}

/** No lines when nothing is at risk, nothing on its way, and everything known. */
export function repairLines(progress: RepairProgress): readonly string[] {
  const { left, copying, bytesPerSecond, limit, etaMs, stuck, paused } = progress;
  const unknown = unknownText(progress.unknownShards);
  if (left.length === 0 && copying === 0) return unknown === '' ? [] : ['', `Repair waits: ${unknown}`];
  const share = shareOfLimit(bytesPerSecond, limit);
  const eta = etaMs === undefined ? '' : `, done in about ${formatDuration(etaMs)}`;
  return [
    '',
    ...left.map(
      ({ copies, blocks, missingBytes }) =>
        `${counted(blocks, 'block')} with ${copies === 0 ? 'no copy' : counted(copies, 'copy')} left: ${formatBytes(missingBytes)} to copy`,
    ),
    `Repair: ${counted(copying, 'copy')} on the way, ${formatBytes(bytesPerSecond)}/s${share === '' ? '' : ` (${share})`}${eta}`,
    ...stuck
      .filter(({ reason }) => reason !== 'busy')
      .map(({ reason, blocks }) => `  ${stuckText(reason, blocks)}`),
    ...[paused, unknown].filter((reason) => reason !== '').map((reason) => `  ${reason}`),
  ];
}

/** Keepers whose repair somebody holds: nothing in their shards is copied. Empty when there are none. */
export function pausedText(keepers: readonly KeeperReport[]): string {
  const nodes = keepers
    .filter(({ workers }) => workers.some(({ name, state }) => name === 'repair' && state === 'paused'))
    .map(({ node }) => node);
  return nodes.length === 0
    ? ''
    : `repair is paused on node ${nodes.join(', ')} (paused): "holdfast worker resume repair" lets it go on`;
}

/** Why nothing is judged, and so nothing drained, in some shards; empty when there are none. */
export function unknownText(unknownShards: number): string {
  return unknownShards === 0
    ? ''
    : `what datanodes hold is not known yet in ${counted(unknownShards, 'shard')} (index-incomplete): each that is not dead is waited for, "holdfast dht status" shows which has not agreed`;
}

export function unknownShardsOf(keepers: readonly KeeperReport[]): number {
  return keepers.reduce((total, { unknownShards }) => total + unknownShards, 0);
}

export function stuckText(reason: string, blocks: number): string {
  return `${counted(blocks, 'block')} stuck (${reason}): ${REASONS[reason] ?? 'see the logs'}`;
}
