/** @module Which of the versions found at one path comes back: the newest that is whole, unless a backup knows better. */
import type { BlockChains, ChainBlock, Loss } from './block-chain.ts';
import { type BackupEntries, digestOf, type SavedEntry } from './backup-entries.ts';
import type { FoundVersion } from './found-blocks.ts';

/** What comes back at a path. */
export type Choice =
  | {
      readonly from: 'blocks';
      readonly version: FoundVersion;
      /** Of the entry that the backup has there, if any: owner, mode and replication are its. */
      readonly over: SavedEntry | undefined;
    }
  | { readonly from: 'backup'; readonly entry: SavedEntry };

export interface Chosen {
  /** Absent: nothing whole was found. */
  readonly choice?: Choice;
  /** A newer version that does not come back, or why nothing does. */
  readonly loss?: Loss;
  /** What was the file if the newest version was refused; it is put into lost+found. */
  readonly doubted?: Choice;
}

export interface ChoiceComponents {
  readonly chains: Pick<BlockChains, 'blocksOf'>;
  readonly backup: Pick<BackupEntries, 'header' | 'isOpen' | 'holds' | 'blocksOf'>;
  readonly sizes: (hashes: readonly string[]) => Promise<ReadonlyMap<string, number>>;
}

/**
 * Clocks of writers and of the cluster differ by less than this, in milliseconds. What was begun so shortly before a
 * backup may not be in it, and then comes back; also if it was deleted right before the backup.
 */
export const CLOCK_MARGIN_MS: number = 5 * 60_000;
/** Whole versions of one path looked at, newest first. */
const MAX_VERSIONS = 64;

/** `versions`: all of one path, the newest first. `entry`: what the backup has there. */
export async function chooseVersion(
  components: ChoiceComponents,
  versions: readonly FoundVersion[],
  entry: SavedEntry | undefined,
): Promise<Chosen> {
  let loss: Loss | undefined;
  let older: FoundVersion | undefined;
  let doubted: Choice | undefined;
  let newest: FoundVersion | undefined;
  for (const version of versions.slice(0, MAX_VERSIONS)) {
    const outcome = await components.chains.blocksOf(version);
    const age = await ageOf(components.backup, version, outcome.blocks, entry);
    if (age === 'saved') break;
    if (outcome.loss !== undefined) {
      if (age === 'newer' && newest === undefined) loss ??= outcome.loss;
      continue;
    }
    if (age === 'older') {
      older ??= version;
      continue;
    }
    if (newest !== undefined) {
      doubted = { from: 'blocks', version, over: entry };
      break;
    }
    newest = version;
    // Nothing tells a conditional write that was refused from one that was not: both may have been the file.
    if (!version.conditional) break;
  }
  if (newest?.conditional && entry?.inode.kind === 'file') doubted ??= { from: 'backup', entry };
  const withLoss = loss && { loss };
  if (newest !== undefined)
    return {
      choice: { from: 'blocks', version: newest, over: entry },
      ...withLoss,
      ...(doubted && { doubted }),
    };
  if (entry === undefined) return { ...withLoss };
  const missing = await missingOf(components, entry);
  if (missing === undefined) return { choice: { from: 'backup', entry }, ...withLoss };
  if (older !== undefined)
    return { choice: { from: 'blocks', version: older, over: entry }, loss: loss ?? missing };
  return { loss: loss ?? missing };
}

/** A block that the entry has and no datanode. */
export async function missingOf(
  { backup, sizes }: Pick<ChoiceComponents, 'backup' | 'sizes'>,
  entry: SavedEntry,
): Promise<Loss | undefined> {
  if (entry.inode.kind !== 'file') return undefined;
  const blocks = await backup.blocksOf(entry);
  const there = await sizes(blocks.map(({ hash }) => hash));
  const position = blocks.findIndex(({ hash, sizeBytes }) => there.get(hash) !== sizeBytes);
  const block = blocks[position];
  if (block === undefined) return undefined;
  const detail = `block ${block.hash} (position ${position}) is on no datanode that answers`;
  return { reason: 'block-missing', detail };
}

/**
 * `saved`: it is what the backup has. `older`: the backup came later, and has something else there or nothing. Without a
 * backup everything is newer.
 */
async function ageOf(
  backup: ChoiceComponents['backup'],
  version: FoundVersion,
  blocks: readonly ChainBlock[] | undefined,
  entry: SavedEntry | undefined,
): Promise<'saved' | 'newer' | 'older'> {
  const { header } = backup;
  if (header === undefined) return 'newer';
  const digest = blocks && digestOf(blocks);
  if (entry?.inode.kind === 'file' && digest === entry.digest) return 'saved';
  if (backup.isOpen(version.fileId)) return 'newer';
  const sinceMs = version.startedMs - header.timeMs;
  if (sinceMs > CLOCK_MARGIN_MS) return 'newer';
  if (sinceMs < -CLOCK_MARGIN_MS) return 'older';
  // It stood under another name by then.
  if (digest !== undefined && (await backup.holds(digest))) return 'older';
  return entry === undefined || version.startedMs > entry.inode.ctimeMs ? 'newer' : 'older';
}
