/** @module One command, start to end: session, handler, refusal. A pure function of the rows, the command and the context. */
import { configureCluster, recoverCluster } from './commands/cluster.ts';
import { assert, HoldfastError } from '../common/errors.ts';
import { closeAppend, openAppend } from './commands/append.ts';
import { beginEra, configureCollection } from './commands/collection.ts';
import { setAttributes } from './commands/attributes.ts';
import { setDrain, setLiveness } from './commands/datanodes.ts';
import { setPresence } from './commands/presence.ts';
import { makeDirectory, removeDirectory, removeTree, unlink } from './commands/directories.ts';
import { copyBlocks, copyFile } from './commands/copy.ts';
import { appendBlocks, closeFile, createFile, touch } from './commands/files.ts';
import { genesis, raiseFeatureLevel } from './commands/genesis.ts';
import { housekeeping } from './commands/housekeeping.ts';
import { abandonFile, renewLease } from './commands/leases.ts';
import { addMember, removeMember, replaceMember, updateMember } from './commands/members.ts';
import { rename } from './commands/rename.ts';
import { setReplication } from './commands/replication.ts';
import { findStoredResult, openSession, storeResult } from './commands/sessions.ts';
import { restoreEntry } from './commands/restore.ts';
import { makeSymlink } from './commands/symlinks.ts';
import { createToken, revokeToken } from './commands/tokens.ts';
import { noCluster, toRefused } from './errors.ts';
import { checkLevel } from './feature-level.ts';
import { refusedResult } from './results.ts';
import type { RowView } from './row-view.ts';
import type { Command, Result, SessionCommand } from './schema.ts';
import type { ApplyContext } from './tree.ts';

/**
 * Runs a command and leaves its changes in the view, for commit. A refused one changes nothing but its session.
 * May throw MISSING_ROWS; anything else that is thrown means that the state is broken.
 */
export function runCommand(view: RowView, request: SessionCommand, context: ApplyContext): Result {
  if (request.session === '') return runOrRefuse(view, () => dispatch(view, request, context));
  view.hint('session', [request.session]);
  let isNew = false;
  const result = runOrRefuse(view, () => {
    const stored = findStoredResult(view, request);
    if (stored !== undefined) return stored;
    isNew = true;
    return dispatch(view, request, context);
  });
  if (isNew) storeResult(view, request, result, context);
  return result;
}

function runOrRefuse(view: RowView, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.kind !== 'refused') throw error;
    view.rollback();
    return refusedResult(toRefused(error));
  }
}

function dispatch(view: RowView, request: SessionCommand, context: ApplyContext): Result {
  const kind = request.command?.kind;
  // Not a refusal: other nodes may have known what to do, and one that skips it would be a different replica.
  assert(kind !== undefined, 'every command in the log is one that this version knows');
  if (kind.$case !== 'genesis' && view.cluster === undefined) throw noCluster();
  checkLevel(kind, view.cluster);
  return handle(view, kind, context, request.session);
}

function handle(
  view: RowView,
  kind: NonNullable<Command['kind']>,
  context: ApplyContext,
  session: string,
): Result {
  switch (kind.$case) {
    case 'genesis':
      return genesis(view, kind.value, context);
    case 'openSession':
      return openSession(view, kind.value, context);
    case 'makeDirectory':
      return makeDirectory(view, kind.value, context);
    case 'createFile':
      return createFile(view, kind.value, context, session);
    case 'appendBlocks':
      return appendBlocks(view, kind.value, context);
    case 'closeFile':
      return closeFile(view, kind.value, context);
    case 'abandonFile':
      return abandonFile(view, kind.value);
    case 'renewLease':
      return renewLease(view, kind.value, context);
    case 'rename':
      return rename(view, kind.value, context);
    case 'copyFile':
      return copyFile(view, kind.value, context);
    case 'unlink':
      return unlink(view, kind.value, context);
    case 'removeDirectory':
      return removeDirectory(view, kind.value, context);
    case 'removeTree':
      return removeTree(view, kind.value, context);
    case 'setReplication':
      return setReplication(view, kind.value, context);
    case 'touch':
      return touch(view, kind.value, context);
    case 'addMember':
      return addMember(view, kind.value, context);
    case 'updateMember':
      return updateMember(view, kind.value, context);
    case 'removeMember':
      return removeMember(view, kind.value, context);
    case 'replaceMember':
      return replaceMember(view, kind.value, context);
    case 'createToken':
      return createToken(view, kind.value, context);
    case 'revokeToken':
      return revokeToken(view, kind.value);
    case 'housekeeping':
      return housekeeping(view, kind.value, context);
    case 'configureCluster':
      return configureCluster(view, kind.value);
    case 'recoverCluster':
      return recoverCluster(view, kind.value, context);
    case 'setLiveness':
      return setLiveness(view, kind.value, context);
    case 'setDrain':
      return setDrain(view, kind.value, context);
    case 'setPresence':
      return setPresence(view, kind.value, context);
    case 'raiseFeatureLevel':
      return raiseFeatureLevel(view, kind.value);
    case 'makeSymlink':
      return makeSymlink(view, kind.value, context);
    case 'setAttributes':
      return setAttributes(view, kind.value, context);
    case 'openAppend':
      return openAppend(view, kind.value, context, session);
    case 'closeAppend':
      return closeAppend(view, kind.value, context);
    case 'beginEra':
      return beginEra(view, kind.value);
    case 'configureCollection':
      return configureCollection(view, kind.value);
    case 'restoreEntry':
      return restoreEntry(view, kind.value, context);
    case 'copyBlocks':
      return copyBlocks(view, kind.value, context);
  }
}
