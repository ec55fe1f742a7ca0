/** @module Makes the results of commands. */
import type { Grant, Inode, Lease, Member, Refused, Result, Stat } from './schema.ts';

export const DONE: Result = { kind: { $case: 'done', value: {} } };

export function statResult(path: string, inode: Inode): Result {
  return { kind: { $case: 'stat', value: toStat(path, inode) } };
}

/** `appendedTo`: the file as it is, for a grant to append to it. */
export function grantResult(inode: Inode, lease: Lease, appendedTo?: Stat): Result {
  const grant: Grant = {
    inode: inode.id,
    fencingToken: lease.fencingToken,
    expiresMs: lease.expiresMs,
    replication: inode.replication,
    blockSizeBytes: inode.blockSizeBytes,
    blockCount: inode.blockCount,
    appendedTo,
  };
  return { kind: { $case: 'grant', value: grant } };
}

export function memberResult(member: Member): Result {
  return { kind: { $case: 'member', value: member } };
}

/** `files`: files removed at once; those of a detached tree are freed later and not counted. */
export function removedResult(files: number): Result {
  return { kind: { $case: 'removed', value: { files, replaced: false } } };
}

export function housekeepingResult(freedBlocks: number, more: boolean): Result {
  return { kind: { $case: 'housekeeping', value: { freedBlocks, more } } };
}

export function refusedResult(refused: Refused): Result {
  return { kind: { $case: 'refused', value: refused } };
}

/** What callers see of an inode. `path` is the canonical path it was found under, '' when it was asked for by number. */
export function toStat(path: string, inode: Inode): Stat {
  return {
    path,
    inode: inode.id,
    kind: inode.kind,
    sizeBytes: inode.sizeBytes,
    mtimeMs: inode.mtimeMs,
    ctimeMs: inode.ctimeMs,
    version: inode.version,
    replication: inode.replication,
    blockSizeBytes: inode.blockSizeBytes,
    blockCount: inode.blockCount,
    childCount: inode.childCount,
    owner: inode.owner,
    group: inode.group,
    mode: inode.mode,
    linkTarget: inode.linkTarget,
    tailBlocks: inode.tailBlocks,
    inheritedReplication: 0,
  };
}
