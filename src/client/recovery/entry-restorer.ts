/** @module Puts what is planned into the namespace; what is there already stays, so that it may be done again at any time. */
import { fromHex } from '../../common/bytes.ts';
import { isHoldfastError } from '../../common/errors.ts';
import { currentEra } from '../../namespace/collection.ts';
import { MAX_BLOCKS_PER_COMMAND } from '../../namespace/limits.ts';
import { type BlockRef, RestoreEntry, type Stat } from '../../namespace/schema.ts';
import type { ClientContext } from '../client-context.ts';
import { OpenFile } from '../open-file.ts';
import { planBlocks } from '../read-plan.ts';
import { statOf, statResult } from '../result.ts';
import { STAT } from '../../protocol/methods.ts';

/** `restored`: put there now. `there`: it was, as planned. `kept`: something else stands there since the recovery began. */
export type Restoration = 'restored' | 'there' | 'kept';

export interface RestorableEntry {
  /** Without content. */
  readonly entry: RestoreEntry;
  /** In order; of a directory or link none. */
  readonly blocks: readonly BlockRef[];
}

/** References appended in one command, of files too large for a single one. */
const APPEND_BLOCKS = 512;

export class EntryRestorer {
  readonly #context: ClientContext;
  readonly #signal: AbortSignal;
  /** What was changed before this came with an earlier run of the recovery. */
  readonly #openedMs: number;

  /** `openedMs`: when the cluster that takes the place of the lost one was founded. */
  constructor(
    context: ClientContext,
    { signal, openedMs }: { readonly signal: AbortSignal; readonly openedMs: number },
  ) {
    this.#context = context;
    this.#signal = signal;
    this.#openedMs = openedMs;
  }

  /** Errors: those of Client.put; NAMESPACE_RECOVERY_NOT_OPEN; NAMESPACE_NOT_A_DIRECTORY where something else took the way there. */
  async restore(item: RestorableEntry): Promise<Restoration> {
    if (item.entry.kind === 'directory') {
      await this.#put(item, undefined);
      return 'restored';
    }
    try {
      await this.#put(item, { ifAbsent: true, ifVersion: 0 });
      return 'restored';
    } catch (error) {
      if (!isHoldfastError(error, 'NAMESPACE_EXISTS')) throw error;
    }
    return await this.#overExisting(item);
  }

  async #overExisting(item: RestorableEntry): Promise<Restoration> {
    const { entry } = item;
    const stat = await this.#stat(entry.path);
    if (await this.#isSame(stat, item)) return 'there';
    // An earlier run had not seen every datanode, and found an older version.
    const isRestored = stat.ctimeMs < this.#openedMs;
    if (stat.kind === 'directory' || !isRestored || stat.ctimeMs >= entry.ctimeMs) return 'kept';
    await this.#put(item, { ifAbsent: false, ifVersion: stat.version });
    return 'restored';
  }

  async #stat(path: string): Promise<Stat> {
    const request = { path, stale: false, noFollow: true };
    const { stat } = await this.#context.metadata.ask(STAT, request, { signal: this.#signal });
    return statOf(STAT.name, stat);
  }

  async #isSame(stat: Stat, { entry, blocks }: RestorableEntry): Promise<boolean> {
    if (stat.kind !== entry.kind) return false;
    if (stat.kind !== 'file') return stat.linkTarget === entry.linkTarget;
    if (stat.sizeBytes !== entry.sizeBytes || stat.blockCount !== blocks.length) return false;
    let position = 0;
    const { path, inode, version } = stat;
    if (blocks.length === 0) return true;
    const file = { path, inode, version, firstBlock: 0 };
    for await (const { block } of planBlocks(this.#context.freshPlans, file, { signal: this.#signal })) {
      const wanted = blocks[position];
      if (wanted === undefined || Buffer.compare(block.hash, wanted.hash) !== 0) return false;
      position += 1;
    }
    return true;
  }

  async #put({ entry, blocks }: RestorableEntry, precondition: RestoreEntry['precondition']): Promise<void> {
    const isLarge = blocks.length > MAX_BLOCKS_PER_COMMAND;
    if (!isLarge) return this.#run({ ...entry, precondition, blocks: [...blocks] });
    const { path, replication, blockSizeBytes, mtimeMs } = entry;
    const content = { complete: false, blocks: [], leaseMs: 0, parents: true, attributes: undefined };
    const file = await OpenFile.create(
      this.#context,
      { path, replication, blockSizeBytes, mtimeMs, precondition, ...content },
      this.#signal,
    );
    try {
      const era = currentEra(await this.#context.cluster());
      for (let from = 0; from < blocks.length; from += APPEND_BLOCKS)
        await file.append(
          { blocks: blocks.slice(from, from + APPEND_BLOCKS), era, requiredCopies: 1, writtenTo: [] },
          this.#signal,
        );
      await file.restore({ ...entry, precondition }, this.#signal);
    } catch (error) {
      await file.abandon(error);
      throw error;
    }
  }

  async #run(entry: RestoreEntry): Promise<void> {
    const command = { $case: 'restoreEntry' as const, value: entry };
    statResult('restoreEntry', await this.#context.mutations.run(command, { signal: this.#signal }));
  }
}

/** A block as references name it. */
export function blockRef({
  hash,
  sizeBytes,
}: {
  readonly hash: string;
  readonly sizeBytes: number;
}): BlockRef {
  return { hash: fromHex(hash), sizeBytes };
}
