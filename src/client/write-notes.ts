/** @module What the blocks of one write say of it, so that the file is found again from datanodes alone. */
import type { Clock } from '../common/clock.ts';
import type { Random } from '../common/random.ts';
import type { BackupMark, FileWrite } from '../protocol/messages.ts';

/** What stands before the bytes that are written: blocks of a file that is appended to. */
export interface KeptBlocks {
  /** Inode of that file. */
  readonly fileId: number;
  readonly count: number;
  readonly sizeBytes: number;
  /** Hash of the last of them; empty when there is none. */
  readonly lastHash: Uint8Array;
}

export interface WriteNotesOptions {
  readonly blockSizeBytes: number;
  readonly mtimeMs?: number | undefined;
  readonly mode?: number | undefined;
  readonly kept?: KeptBlocks | undefined;
  readonly backup?: BackupMark | undefined;
  /** See FileWrite: whether it came to be at its path is not known from its blocks alone. */
  readonly conditional?: boolean | undefined;
}

const ID_BYTES = 16;

export class WriteNotes {
  readonly #options: WriteNotesOptions;
  readonly #id: Uint8Array;
  readonly #startedMs: number;
  #previous: Uint8Array;
  #count: number;
  #sizeBytes: number;

  constructor(
    { clock, random }: { readonly clock: Clock; readonly random: Random },
    options: WriteNotesOptions,
  ) {
    this.#options = options;
    this.#id = random.bytes(ID_BYTES);
    this.#startedMs = clock.wallMs();
    this.#previous = options.kept?.lastHash ?? new Uint8Array();
    this.#count = options.kept?.count ?? 0;
    this.#sizeBytes = options.kept?.sizeBytes ?? 0;
  }

  /** The next block of the file, in order. */
  note(block: { readonly hash: Uint8Array; readonly sizeBytes: number; readonly isLast: boolean }): {
    readonly position: number;
    readonly write: FileWrite;
  } {
    const { blockSizeBytes, mtimeMs = 0, mode, backup, kept, conditional } = this.#options;
    const position = this.#count;
    const previous = this.#previous;
    this.#count += 1;
    this.#sizeBytes += block.sizeBytes;
    this.#previous = block.hash;
    const end = block.isLast
      ? { blockCount: this.#count, sizeBytes: this.#sizeBytes, mtimeMs, mode }
      : { blockCount: 0, sizeBytes: 0, mtimeMs: 0 };
    const of = { id: this.#id, startedMs: this.#startedMs, firstPosition: kept?.count ?? 0, conditional };
    return { position, write: { ...of, previous, blockSizeBytes, backup, ...end } };
  }
}
