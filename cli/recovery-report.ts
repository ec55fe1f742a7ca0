/** @module A recovery's plan for people and for programs: what comes back, from where, and what does not and why. */
import type { NamespaceRecovery } from '../src/client/recovery/namespace-recovery.ts';
import type { PassedBackup } from '../src/client/recovery/newest-backup.ts';
import type { FoundCounts } from '../src/client/recovery/found-blocks.ts';
import type { PlanCounts, PlannedEntry } from '../src/client/recovery/recovery-plan.ts';
import type { SurveyedNode } from '../src/client/recovery/block-survey.ts';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import { formatTime } from './duration.ts';

export interface PlanFacts {
  readonly nodes: readonly SurveyedNode[];
  readonly silent: readonly SurveyedNode[];
  readonly found: FoundCounts;
  readonly backup: { readonly timeMs: number; readonly index: number } | undefined;
  readonly passedBackups: readonly PassedBackup[];
  readonly plan: PlanCounts;
}

export async function planFacts(recovery: NamespaceRecovery): Promise<PlanFacts> {
  const { nodes, silent, backup, passedBackups } = recovery;
  const [found, plan] = await Promise.all([recovery.found(), recovery.counts()]);
  return { nodes, silent, found, backup, passedBackups, plan };
}

export function planLines({ nodes, silent, found, backup, passedBackups, plan }: PlanFacts): string[] {
  const answered = nodes.length - silent.length;
  return [
    `Looked at ${counted(answered, 'datanode')} of ${nodes.length}: ${counted(found.blocks, 'block')}, ${formatBytes(found.bytes)}, of ${counted(found.writes, 'write')}.`,
    ...passedBackups.map(({ path, reason }) => `The backup ${path} cannot be used: ${reason}`),
    backup === undefined
      ? 'No backup of the namespace is used: paths, times and what exists are as the blocks know it.'
      : `The backup of ${formatTime(backup.timeMs)} UTC is exact up to then; what blocks show to be newer is added.`,
    '',
    `Comes back: ${counted(plan.files, 'file')} (${formatBytes(plan.bytes)}; ${plan.fromBackup} as in the backup), ${counted(plan.directories, 'directory')}, ${counted(plan.links, 'symbolic link')}.`,
    ...(plan.older > 0 ? [`  Of ${plan.older} of them an older version: the newest is not whole.`] : []),
    ...(plan.displaced > 0 ? [`  ${plan.displaced} of them into /lost+found.`] : []),
    `Does not come back: ${counted(plan.lost, 'file')}.`,
    ...(found.silentBlocks > 0
      ? [
          `${counted(found.silentBlocks, 'block')} found, of which only a backup could say what file they are of.`,
        ]
      : []),
  ];
}

/** Nothing is said of what comes back whole and in its place, unless it was asked for. */
export function plannedLine({ path, origin, from, kind, sizeBytes, loss }: PlannedEntry): string {
  const where = path === origin ? path : `${path} (was ${origin})`;
  if (from === undefined) return `lost     ${where}: ${loss?.reason ?? ''}, ${loss?.detail ?? ''}`;
  if (loss !== undefined) return `older    ${where}: newer version ${loss.reason}, ${loss.detail}`;
  return `${from.padEnd(8)} ${where}${kind === 'file' ? ` ${formatBytes(sizeBytes)}` : ` (${kind})`}`;
}

export function plannedFacts({ from, ...planned }: PlannedEntry): object {
  return { ...planned, outcome: from === undefined ? 'lost' : 'restored', ...(from && { from }) };
}
