/** @module What is restored at a path: as the backup has it, or as its blocks tell. */
import { RestoreEntry } from '../../namespace/schema.ts';
import type { SavedEntry } from './backup-entries.ts';
import type { FoundVersion } from './found-blocks.ts';

export function entryFromBackup(path: string, { inode }: SavedEntry): RestoreEntry {
  const { kind, sizeBytes, mtimeMs, ctimeMs, version, replication, blockSizeBytes, linkTarget } = inode;
  const { owner, group, mode } = inode;
  return RestoreEntry.fromPartial({
    path,
    kind,
    sizeBytes,
    mtimeMs,
    ctimeMs,
    version,
    replication,
    blockSizeBytes,
    linkTarget,
    attributes: { owner, group, mode },
  });
}

/** Blocks know neither owner nor replication; an entry that the backup has at the path does. */
export function entryFromBlocks(
  path: string,
  version: FoundVersion,
  saved: SavedEntry | undefined,
): RestoreEntry {
  const { startedMs, sizeBytes, mtimeMs, blockSizeBytes, mode } = version;
  const before = saved?.inode.kind === 'file' ? saved.inode : undefined;
  return RestoreEntry.fromPartial({
    path,
    kind: 'file',
    sizeBytes,
    blockSizeBytes,
    ctimeMs: startedMs,
    mtimeMs: mtimeMs || startedMs,
    replication: before?.replication ?? 0,
    attributes: { owner: before?.owner ?? '', group: before?.group ?? '', mode: mode ?? before?.mode },
  });
}
