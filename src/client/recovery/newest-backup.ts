/** @module Which of the backups that were found on datanodes is used: the newest that can be read whole. */
import { describeError, isHoldfastError } from '../../common/errors.ts';
import type { BackupMark } from '../../protocol/messages.ts';
import type { ClientContext } from '../client-context.ts';
import { BackupEntries } from './backup-entries.ts';
import { readBackup } from './backup-source.ts';
import type { BlockChains } from './block-chain.ts';
import type { FoundBlocks } from './found-blocks.ts';

/** A backup newer than the one in use, which was finished once and cannot be read now. */
export interface PassedBackup {
  readonly path: string;
  readonly mark: BackupMark | undefined;
  /** For people. */
  readonly reason: string;
}

export interface TakenBackup {
  readonly entries: BackupEntries;
  readonly backup: BackupMark | undefined;
  readonly passed: readonly PassedBackup[];
}

/** The newest that is whole; each one that is not is passed over, with its reason. */
export async function newestBackup(
  context: ClientContext,
  { found, chains }: { readonly found: FoundBlocks; readonly chains: BlockChains },
  signal: AbortSignal,
): Promise<TakenBackup> {
  const passed: PassedBackup[] = [];
  for (const version of await found.backups()) {
    const { backup: mark, path } = version;
    const { blocks, loss } = await chains.blocksOf(version);
    if (loss !== undefined) {
      passed.push({ path, mark, reason: loss.detail });
      continue;
    }
    try {
      const entries = await BackupEntries.load(found.database, readBackup(context, path, blocks, signal));
      return { entries, backup: mark, passed };
    } catch (error) {
      if (!isHoldfastError(error, 'NAMESPACE_BACKUP_DAMAGED', 'CLIENT_BLOCK_UNAVAILABLE')) throw error;
      passed.push({ path, mark, reason: describeError(error) });
    }
  }
  return { entries: await BackupEntries.empty(found.database), backup: undefined, passed };
}
