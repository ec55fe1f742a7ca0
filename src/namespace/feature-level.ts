/**
 * @module The feature gate: which commands need which level, and which level this code supports.
 *
 * The cluster's level stands in its row and is raised by a command, once every metadata node supports it. Until then
 * nothing that an older node would not understand enters the log or the rows: commands of a higher level are refused,
 * and fields that an older node would drop are dropped here too. A log entry's `format` is the level its commands need;
 * a node that supports less stops at it, since skipping it would make it a different replica.
 */
import { featureNotActive } from './errors.ts';
import type { RowView } from './row-view.ts';
import type { Cluster, Command } from './schema.ts';

type CommandKind = NonNullable<Command['kind']>;

/** Every cluster has at least this one. */
export const FIRST_FEATURE_LEVEL = 1;
/**
 * The highest level this code knows:
 * 1: files, directories, members, tokens; 2: symlinks, append, owner and mode, defaults of directories, replacing an
 * empty directory by a rename, settings of the cluster and its recovery, a new number for a node that lost its log, the
 * state of datanodes and metadata nodes; the last metadata node stays; 3: files of more than 65,536 blocks, copied and
 * replicated in steps.
 */
export const SUPPORTED_FEATURE_LEVEL = 3;

/** Commands that are not of the first level. */
const LEVEL_OF: Readonly<Partial<Record<CommandKind['$case'], number>>> = {
  makeSymlink: 2,
  setAttributes: 2,
  openAppend: 2,
  closeAppend: 2,
  configureCluster: 2,
  recoverCluster: 2,
  replaceMember: 2,
  beginEra: 2,
  configureCollection: 2,
  setLiveness: 2,
  setDrain: 2,
  setPresence: 2,
  restoreEntry: 2,
  copyBlocks: 3,
};

/** The level a cluster must have before this command may enter its log. Founding and raising bring their own. */
export function levelOfCommand(kind: CommandKind): number {
  if (kind.$case === 'genesis') return activeLevel(kind.value.cluster);
  if (kind.$case === 'raiseFeatureLevel') return kind.value.level;
  return LEVEL_OF[kind.$case] ?? FIRST_FEATURE_LEVEL;
}

/** The level of a cluster as its row, or a node's answer, has it. */
export function activeLevel(cluster: Pick<Cluster, 'featureLevel'> | undefined): number {
  return Math.max(FIRST_FEATURE_LEVEL, cluster?.featureLevel ?? 0);
}

/**
 * These are proposed only by who has made sure of the others: at the founding and after the loss of a majority there are
 * none, before the level rises all were asked.
 */
const VOUCHED_FOR: ReadonlySet<CommandKind['$case']> = new Set([
  'genesis',
  'raiseFeatureLevel',
  'recoverCluster',
]);

/** Throws NAMESPACE_FEATURE_NOT_ACTIVE when `kind` is above the level of `cluster`. */
export function checkLevel(kind: CommandKind, cluster: Cluster | undefined): void {
  if (VOUCHED_FOR.has(kind.$case)) return;
  const needed = levelOfCommand(kind);
  const active = activeLevel(cluster);
  if (needed > active) throw featureNotActive(kind.$case, needed, active);
}

/** Whether what came with `level` may be done and kept. */
export function hasLevel(view: RowView, level: number): boolean {
  return activeLevel(view.cluster) >= level;
}
