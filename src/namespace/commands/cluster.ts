/** @module Settings of the whole cluster, and its new beginning after the loss of a majority. */
import { collectionOf } from '../collection.ts';
import { invalidArgument, noSuchMember } from '../errors.ts';
import { numberKey } from '../keys.ts';
import {
  MAX_VOTER_REPLACEMENT_MS,
  MIN_VOTER_REPLACEMENT_MS,
  DEFAULT_DEAD_AFTER_MS,
  DEFAULT_SUSPECT_AFTER_MS,
  MAX_BACKUP_PERIOD_MS,
  MAX_BACKUPS_KEPT,
  MAX_DEAD_AFTER_MS,
  MIN_BACKUP_PERIOD_MS,
  MIN_BALANCE_BYTES_PER_SECOND,
  MIN_SUSPECT_AFTER_MS,
  RECOVERY_ERA_GAP,
  RECOVERY_MEMBER_GAP,
  RECOVERY_NUMBER_GAP,
  VOTER_COUNTS,
} from '../limits.ts';
import { DONE } from '../results.ts';
import { META_CLUSTER } from '../rows.ts';
import type { RowView } from '../row-view.ts';
import type { Cluster, ConfigureCluster, Member, RecoverCluster, Result } from '../schema.ts';
import type { ApplyContext } from '../tree.ts';

/** What is 0 in the command stays as it is. Refuses with NAMESPACE_INVALID_ARGUMENT. */
export function configureCluster(view: RowView, command: ConfigureCluster): Result {
  const { voters, voterReplacementMs } = command;
  if (voters !== 0 && !VOTER_COUNTS.includes(voters))
    throw invalidArgument(
      `${VOTER_COUNTS.join(' or ')} metadata nodes may vote: an even number bears no more losses than the odd one below it.`,
      { voters },
    );
  if (
    voterReplacementMs !== 0 &&
    (voterReplacementMs < MIN_VOTER_REPLACEMENT_MS || voterReplacementMs > MAX_VOTER_REPLACEMENT_MS)
  )
    throw invalidArgument(
      `A silent voter is replaced after ${MIN_VOTER_REPLACEMENT_MS / 1000} s to ${MAX_VOTER_REPLACEMENT_MS / 3_600_000} h.`,
      { voterReplacementMs },
    );
  const cluster = foundedCluster(view);
  view.put('meta', META_CLUSTER, {
    ...cluster,
    ...livenessSettings(cluster, command),
    ...balanceSettings(command),
    ...backupSettings(command),
    voters: voters || cluster.voters,
    voterReplacementMs: voterReplacementMs || cluster.voterReplacementMs,
  });
  return DONE;
}

function backupSettings({
  backupPeriodMs,
  backupsKept,
}: ConfigureCluster): Pick<Cluster, 'backupPeriodMs' | 'backupsKept'> {
  if (backupPeriodMs && (backupPeriodMs < MIN_BACKUP_PERIOD_MS || backupPeriodMs > MAX_BACKUP_PERIOD_MS))
    throw invalidArgument(
      `Backups of the namespace are made every ${MIN_BACKUP_PERIOD_MS / 1000} s to ${MAX_BACKUP_PERIOD_MS / 86_400_000} days.`,
      { backupPeriodMs },
    );
  if (backupsKept && backupsKept > MAX_BACKUPS_KEPT)
    throw invalidArgument(`At most ${MAX_BACKUPS_KEPT} backups of the namespace are kept.`, { backupsKept });
  return { ...(backupPeriodMs && { backupPeriodMs }), ...(backupsKept && { backupsKept }) };
}

function balanceSettings({
  balanceBytesPerSecond,
}: ConfigureCluster): Pick<Cluster, 'balanceBytesPerSecond'> {
  if (!balanceBytesPerSecond) return {};
  if (balanceBytesPerSecond < MIN_BALANCE_BYTES_PER_SECOND)
    throw invalidArgument(`Copies are moved at ${MIN_BALANCE_BYTES_PER_SECOND} bytes a second at least.`, {
      balanceBytesPerSecond,
    });
  return { balanceBytesPerSecond };
}

/** When only one of the two is given and does not fit the other one, that follows: suspicion takes a third of the time. */
function livenessSettings(
  cluster: Cluster,
  command: ConfigureCluster,
): Pick<Cluster, 'suspectAfterMs' | 'deadAfterMs'> {
  if (!command.suspectAfterMs && !command.deadAfterMs) return {};
  let suspectAfterMs = command.suspectAfterMs || cluster.suspectAfterMs || DEFAULT_SUSPECT_AFTER_MS;
  let deadAfterMs = command.deadAfterMs || cluster.deadAfterMs || DEFAULT_DEAD_AFTER_MS;
  if (!command.suspectAfterMs && suspectAfterMs >= deadAfterMs) suspectAfterMs = Math.floor(deadAfterMs / 3);
  if (!command.deadAfterMs && suspectAfterMs >= deadAfterMs) deadAfterMs = suspectAfterMs * 3;
  if (
    suspectAfterMs < MIN_SUSPECT_AFTER_MS ||
    suspectAfterMs >= deadAfterMs ||
    deadAfterMs > MAX_DEAD_AFTER_MS
  )
    throw invalidArgument(
      `A silent datanode is suspect after ${MIN_SUSPECT_AFTER_MS / 1000} s or more, and dead later than that, at most after ${MAX_DEAD_AFTER_MS / 3_600_000} h.`,
      { suspectAfterMs, deadAfterMs },
    );
  return { suspectAfterMs, deadAfterMs };
}

/**
 * Begins a new epoch in which `survivor` is the only metadata node. The others keep their further roles; those without
 * any have left. Garbage collection pauses. Numbers that entries lost with the majority may have given out are never given out again, or a client
 * could take somebody else's inode, version or member for its own. A command of an epoch that has begun does nothing.
 */
export function recoverCluster(view: RowView, command: RecoverCluster, context: ApplyContext): Result {
  const cluster = foundedCluster(view);
  if (command.epoch <= cluster.epoch) return DONE;
  const survivor = view.get('member', numberKey(command.survivor));
  if (survivor === undefined) throw noSuchMember(command.survivor);
  // Paused until somebody has seen what was lost: blocks of files that are gone from here may be all that is left of them.
  const collection = collectionOf(cluster);
  collection.era += RECOVERY_ERA_GAP;
  collection.paused = true;
  view.put('meta', META_CLUSTER, { ...cluster, epoch: command.epoch, collection });
  for (const member of view.all('member')) {
    const next = member.number === survivor.number ? asSurvivor(member) : asOther(member);
    if (next !== member) view.put('member', numberKey(member.number), next);
  }
  const { counters } = view;
  counters.membersVersion = context.index;
  counters.nextInode += RECOVERY_NUMBER_GAP;
  counters.nextVersion += RECOVERY_NUMBER_GAP;
  counters.nextMember += RECOVERY_MEMBER_GAP;
  return DONE;
}

/** It may have been told to leave in entries that nobody committed; as the last one it must stay. */
function asSurvivor(member: Member): Member {
  const roles = member.roles.includes('meta') ? member.roles : [...member.roles, 'meta'];
  return member.state === 'active' && roles === member.roles ? member : { ...member, roles, state: 'active' };
}

function asOther(member: Member): Member {
  if (member.state !== 'active' || !member.roles.includes('meta')) return member;
  const roles = member.roles.filter((role) => role !== 'meta');
  return roles.length === 0 ? { ...member, state: 'left' } : { ...member, roles };
}

function foundedCluster(view: RowView): Cluster {
  const { cluster } = view;
  if (cluster === undefined) throw invalidArgument('There is no cluster yet.');
  return cluster;
}
