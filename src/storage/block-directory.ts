/** @module The directories of a block store: where a block's file is, and what is found there at start. */
import { statSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HASH_SIZE_BYTES, type BlockHash } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import { sizeFromFile } from './block-file.ts';
import { type BlockInfo, QUARANTINE_REASONS, type QuarantinedBlock } from './block-info.ts';
import { isSystemError, syncDirectory, syncFile } from './durable-file.ts';
import { storageFailed } from './errors.ts';
import { makeDirectory } from './make-directory.ts';

const BLOCK_NAME = new RegExp(`^[0-9a-f]{${HASH_SIZE_BYTES * 2}}$`);
const FAN_OUT = 256;

/** Of a block that is a file of its own, in the store at `root`. */
export function blockFilePath(root: string, hash: BlockHash): string {
  return join(root, 'blocks', hash.slice(0, 2), hash);
}

/** Whether a store was ever opened in `root`: not where nothing is, nor in the empty directory that a disk is to be mounted on. */
export async function hasBlockStore(root: string): Promise<boolean> {
  try {
    const found = await readdir(root);
    return found.includes('blocks') || found.includes('packed.db');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw storageFailed('look into the block store', root, error);
  }
}

/** `blocks/ab/<hash>`, `incoming/` for what is being written, `quarantine/` for what is out of service, `packed.db`, `origins.db`. */
export class BlockDirectory {
  readonly root: string;
  readonly #logger: Logger;

  constructor(root: string, logger: Logger) {
    this.root = root;
    this.#logger = logger;
  }

  get packedPath(): string {
    return join(this.root, 'packed.db');
  }

  get originsPath(): string {
    return join(this.root, 'origins.db');
  }

  blockPath(hash: BlockHash): string {
    return blockFilePath(this.root, hash);
  }

  incomingPath(hash: BlockHash, attempt: number): string {
    return join(this.root, 'incoming', `${hash}.${attempt}`);
  }

  /** The name says why: block and note move in one rename. */
  quarantinePath({ hash, reason, era, index, sinceMs }: QuarantinedBlock): string {
    return join(this.root, 'quarantine', [hash, reason, era, index, sinceMs].join('.'));
  }

  /** Makes all directories durably, and drops what was half written when the process ended. */
  async prepare(): Promise<void> {
    await rm(join(this.root, 'incoming'), { recursive: true, force: true });
    for (const name of ['incoming', 'quarantine', 'blocks']) await makeDirectory(join(this.root, name));
    for (const name of fanOut()) await makeDirectory(join(this.root, 'blocks', name));
    await syncDirectory(join(this.root, 'blocks'));
    await syncDirectory(this.root);
  }

  /** As scan(), for the small blocks. Before SQLite opens them: that somebody else closes a file takes its locks away. */
  async settlePacked(): Promise<void> {
    for (const path of [this.packedPath, `${this.packedPath}-wal`])
      await syncFile(path).catch((error: unknown) => {
        if (!isSystemError(error, 'ENOENT')) throw error;
      });
  }

  /** As `origins.db.damaged`, in the place of one that was put aside before; what SQLite keeps beside it first. */
  async setOriginsAside(): Promise<void> {
    for (const suffix of ['-shm', '-wal', ''])
      await rename(`${this.originsPath}${suffix}`, `${this.originsPath}.damaged${suffix}`).catch(
        (error: unknown) => {
          if (!isSystemError(error, 'ENOENT')) throw error;
        },
      );
    await syncDirectory(this.root);
  }

  /** All copies that were taken out of service. What has no such name is logged and left alone. */
  async *scanQuarantine(): AsyncGenerator<QuarantinedBlock> {
    const directory = join(this.root, 'quarantine');
    for (const file of await readdir(directory)) {
      const path = join(directory, file);
      const { size, ctimeMs } = statSync(path);
      const note = parseNote(file, ctimeMs);
      if (note === undefined) {
        this.#logger.warn('not a quarantined block, ignored', { path });
        continue;
      }
      // A bad copy may have any size.
      const block = { ...note, sizeBytes: sizeFromFile(size) ?? size };
      await rename(path, this.quarantinePath(block));
      yield block;
    }
  }

  /**
   * All blocks that have a file, its name durable: a process may have been killed before it saw to that, and what is found here
   * counts for whoever writes it again. What is no block, or has a size no block has, is logged and left alone.
   */
  async *scan(): AsyncGenerator<BlockInfo> {
    for (const name of fanOut()) {
      const directory = join(this.root, 'blocks', name);
      const files = await readdir(directory);
      if (files.length > 0) await syncDirectory(directory);
      for (const file of files) {
        const path = join(directory, file);
        // Synchronous: 3 microseconds instead of 40, and nothing is served yet that it could hold up.
        const sizeBytes = sizeFromFile(statSync(path).size);
        if (sizeBytes !== undefined && BLOCK_NAME.test(file) && file.startsWith(name))
          yield { hash: file, sizeBytes };
        else this.#logger.warn('not a block file, ignored', { path });
      }
    }
  }
}

/** `<hash>.<reason>.<era>.<index>.<sinceMs>`; earlier releases wrote `<hash>` alone, of bad copies only. */
function parseNote(name: string, changedMs: number): Omit<QuarantinedBlock, 'sizeBytes'> | undefined {
  const [hash = '', given, ...numbers] = name.split('.');
  if (!BLOCK_NAME.test(hash)) return undefined;
  if (given === undefined)
    return { hash, reason: 'corrupt', era: 0, index: 0, sinceMs: Math.floor(changedMs) };
  const reason = QUARANTINE_REASONS.find((known) => known === given);
  const [era, index, sinceMs] = numbers.map(Number);
  const isWhole = [era, index, sinceMs].every((value) => Number.isSafeInteger(value));
  if (reason === undefined || !isWhole) return undefined;
  return { hash, reason, era: era as number, index: index as number, sinceMs: sinceMs as number };
}

function fanOut(): string[] {
  return Array.from({ length: FAN_OUT }, (_, at) => at.toString(16).padStart(2, '0'));
}
