/** @module Blocks as datanodes tell of them, of files that are written here by name: 'a' is a full block, 'b:5' one of 5 bytes. */
import { onTestFinished } from 'vitest';
import { toHex } from '../../../src/common/bytes.ts';
import { sha256 } from '../../../src/common/hashing.ts';
import { BlockHere, type BlockNote } from '../../../src/protocol/messages.ts';
import { FoundBlocks } from '../../../src/client/recovery/found-blocks.ts';
import { temporaryDirectory } from '../../storage/temporary-directory.ts';

export const BLOCK_BYTES = 1_000;

export interface Written {
  /** Names of all blocks of the file then. */
  readonly names: readonly string[];
  readonly fileId: number;
  /** Hex. */
  readonly id: string;
}

export interface WriteOptions {
  readonly atMs?: number;
  readonly fileId?: number;
  readonly conditional?: boolean;
  /** Blocks kept of the file before, when this is an append. */
  readonly kept?: readonly string[];
  /** The last block never came. */
  readonly unfinished?: boolean;
  readonly backup?: { readonly cluster: string; readonly index: number; readonly timeMs: number };
}

export class WrittenBlocks {
  readonly #notes = new Map<string, BlockNote[]>();
  #writes = 0;

  write(path: string, names: readonly string[], options: WriteOptions = {}): Written {
    const { kept = [], fileId = 0, conditional, unfinished = false, backup } = options;
    this.#writes += 1;
    const id = new Uint8Array(16).fill(this.#writes);
    const all = [...kept, ...names];
    for (const [offset, name] of names.entries()) {
      const position = kept.length + offset;
      const isEnd = offset === names.length - 1;
      if (isEnd && unfinished) break;
      const previous = all[position - 1];
      const write = {
        id,
        startedMs: options.atMs ?? this.#writes,
        previous: previous === undefined ? new Uint8Array() : hashOf(previous),
        blockSizeBytes: BLOCK_BYTES,
        firstPosition: kept.length,
        conditional,
        blockCount: isEnd ? all.length : 0,
        sizeBytes: isEnd ? all.reduce((sum, each) => sum + sizeOf(each), 0) : 0,
        mtimeMs: 0,
        backup,
      };
      const notes = this.#notes.get(name) ?? [];
      this.#notes.set(name, [...notes, { fileId, pathHint: path, position, write }]);
    }
    return { names: all, fileId, id: toHex(id) };
  }

  /** As the datanodes tell it, without the blocks, or the places of blocks, that are lost. */
  async found(
    lost: {
      readonly blocks?: readonly string[];
      /** Only bad copies are left of them. */
      readonly rotten?: readonly string[];
      readonly place?: (name: string, note: BlockNote) => boolean;
    } = {},
  ): Promise<FoundBlocks> {
    const found = await FoundBlocks.create(`${await temporaryDirectory()}/found.db`);
    onTestFinished(() => found.close());
    const here = [...this.#notes]
      .filter(([name]) => !lost.blocks?.includes(name))
      .map(([name, notes]) => {
        const kept = notes.filter((note) => !lost.place?.(name, note));
        const [first = {}, ...also] = kept;
        const quarantine = lost.rotten?.includes(name) ? 'corrupt' : '';
        const named = { hash: hashOf(name), sizeBytes: sizeOf(name), quarantine };
        return BlockHere.fromPartial({ ...first, ...named, also });
      });
    await found.add(here);
    await found.seal();
    return found;
  }
}

export function hashOf(name: string): Uint8Array {
  return sha256(Buffer.from(name));
}

export function hexOf(names: readonly string[]): string[] {
  return names.map((name) => toHex(hashOf(name)));
}

function sizeOf(name: string): number {
  const [, size] = name.split(':');
  return size === undefined ? BLOCK_BYTES : Number(size);
}
