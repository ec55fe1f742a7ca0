/** @module The first command of a cluster's life, and the one that lets it do what later versions can. */
import { assert } from '../../common/errors.ts';
import { clusterExists, invalidArgument } from '../errors.ts';
import { activeLevel } from '../feature-level.ts';
import { DEFAULT_BLOCK_SIZE_BYTES, DEFAULT_REPLICATION, ROOT_INODE } from '../limits.ts';
import { DONE } from '../results.ts';
import { META_CLUSTER } from '../rows.ts';
import type { RowView } from '../row-view.ts';
import type { Genesis, RaiseFeatureLevel, Result } from '../schema.ts';
import { type ApplyContext, newInode, putInode } from '../tree.ts';
import { admit } from './members.ts';
import { addToken } from './tokens.ts';

/** Founds the cluster: its identity, `/`, the first members (numbered from 1 in their order) and perhaps a token. Once. */
export function genesis(view: RowView, command: Genesis, context: ApplyContext): Result {
  if (view.cluster !== undefined) throw clusterExists();
  const { cluster, members, token } = command;
  if (cluster === undefined || cluster.id === '') throw invalidArgument('A cluster is founded with an id.');
  view.put('meta', META_CLUSTER, {
    ...cluster,
    createdMs: cluster.createdMs || context.timeMs,
    defaultReplication: cluster.defaultReplication || DEFAULT_REPLICATION,
    defaultBlockSizeBytes: cluster.defaultBlockSizeBytes || DEFAULT_BLOCK_SIZE_BYTES,
  });
  const { counters } = view;
  counters.nextInode = ROOT_INODE;
  counters.nextMember = 1;
  counters.nextVersion = 1;
  counters.directories = 1;
  const root = newInode(view, 'directory', context);
  putInode(view, root);
  counters.nextInode = Math.max(counters.nextInode, command.firstNumber ?? 0);
  counters.nextVersion = Math.max(counters.nextVersion, command.firstNumber ?? 0);
  for (const member of members) admit(view, member, context);
  if (token !== undefined) addToken(view, token, context);
  return DONE;
}

/** Never lowers it: rows of the higher level may be there already. */
export function raiseFeatureLevel(view: RowView, { level }: RaiseFeatureLevel): Result {
  const { cluster } = view;
  assert(cluster !== undefined, 'only a founded cluster has a feature level');
  if (level > activeLevel(cluster)) view.put('meta', META_CLUSTER, { ...cluster, featureLevel: level });
  return DONE;
}
