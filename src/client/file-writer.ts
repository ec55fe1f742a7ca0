/** @module Stores one file: several blocks on their way at once, their references appended in order, closed at the end. */
import { relayAbort } from '../common/abort-relay.ts';
import { MIB } from '../common/bytes.ts';
import { ByteBudget } from '../common/byte-budget.ts';
import { orAborted } from '../common/deadline.ts';
import { currentEra } from '../namespace/collection.ts';
import { activeLevel } from '../namespace/feature-level.ts';
import {
  MAX_BLOCK_SIZE_BYTES,
  MAX_REPLICATION,
  maxFileBlocks,
  MIN_BLOCK_SIZE_BYTES,
} from '../namespace/limits.ts';
import type { CreateFile, Stat } from '../namespace/schema.ts';
import type { BackupMark } from '../protocol/messages.ts';
import { BlockPlacer } from './block-placer.ts';
import { type SourceBlock, splitBlocks, type WholeBlock } from './block-splitter.ts';
import { writeBlock } from './block-write.ts';
import type { ClientContext } from './client-context.ts';
import type { AckMode, PutOptions, PutResult, PutSource } from './client-options.ts';
import { CopyTally } from './copy-tally.ts';
import { invalidArgument } from './errors.ts';
import { PUT_PATIENCE_MS } from './metadata-peers.ts';
import { OpenFile } from './open-file.ts';
import { referTo, type WrittenBlocks } from './retained-blocks.ts';
import { statResult } from './result.ts';
import { SafeBlocks, type SentBlock } from './safe-blocks.ts';
import { type KeptBlocks, WriteNotes } from './write-notes.ts';

/** Bytes of blocks held until datanodes have them: four of the default size, or a single larger one. */
const MAX_HELD_BYTES: number = 32 * MIB;
/** Blocks on their way at once, however small they are. */
const MAX_BLOCKS_IN_FLIGHT = 8;
/** A file of at most this many blocks is created whole in one step, without a lease. */
const SMALL_FILE_BLOCKS = 4;
/** Two copies outlive the loss of a datanode. */
const QUORUM_COPIES = 2;
/** References appended in one command. */
const APPEND_BATCH_BLOCKS = 64;

/** See Client.put. */
export async function writeFile(
  context: ClientContext,
  path: string,
  source: PutSource,
  options: PutOptions & { readonly backup?: BackupMark },
): Promise<PutResult> {
  options.signal?.throwIfAborted();
  const cluster = await context.cluster();
  const { blockSizeBytes = cluster.defaultBlockSizeBytes, replication } = options;
  checkRange('blockSizeBytes', blockSizeBytes, MIN_BLOCK_SIZE_BYTES, MAX_BLOCK_SIZE_BYTES);
  checkBlockCount(options.sizeBytes ?? 0, blockSizeBytes, maxFileBlocks(activeLevel(cluster)));
  if (replication !== undefined) checkRange('replication', replication, 1, MAX_REPLICATION);
  const copies = replication ?? (await context.defaultReplication.of(path, options));
  return new FileWriter(context, { ...options, path, blockSizeBytes, copies }).write(source);
}

export interface FileWriterOptions extends PutOptions {
  readonly path: string;
  readonly blockSizeBytes: number;
  /** Copies that each block gets now; the file's `replication` is decided by the namespace when the options name none. */
  readonly copies: number;
  /** What stands before the bytes, of a file that is appended to. */
  readonly kept?: KeptBlocks;
  /** It is a backup of the namespace. */
  readonly backup?: BackupMark;
}

/** A file that is open already, and how it is closed once everything is appended. */
export interface OpenedFile {
  readonly file: OpenFile;
  readonly close: () => Promise<Stat>;
}

export class FileWriter {
  readonly #context: ClientContext;
  readonly #options: FileWriterOptions;
  readonly #placer: BlockPlacer;
  readonly #notes: WriteNotes;
  readonly #awaited: AwaitedCopies;
  readonly #held = new ByteBudget(MAX_HELD_BYTES);
  readonly #slots = new ByteBudget(MAX_BLOCKS_IN_FLIGHT);
  /** Fires when the caller gives up, and when any part has failed: then all the others stop. */
  readonly #stopping = new AbortController();
  readonly #signal: AbortSignal = this.#stopping.signal;
  readonly #safe = new SafeBlocks();
  readonly #tally: CopyTally;
  #file: OpenFile | undefined;
  readonly #close: (file: OpenFile) => Promise<Stat>;
  #doneBytes = 0;

  /** Without `opened` a file is made at the path: at once when it is large, at the end and in one step when it is not. */
  constructor(context: ClientContext, options: FileWriterOptions, opened?: OpenedFile) {
    this.#context = context;
    this.#options = options;
    const conditional = this.#precondition() !== undefined || undefined;
    this.#notes = new WriteNotes(context, { ...options, conditional });
    this.#file = opened?.file;
    this.#close = opened?.close ?? ((file) => this.#closeFile(file));
    this.#tally = new CopyTally(options.copies);
    this.#awaited = awaitedCopies(options.ack, options.copies);
    this.#placer = new BlockPlacer(context, {
      copies: this.#awaited.copies,
      required: this.#awaited.required,
      blockSizeBytes: options.blockSizeBytes,
      expectedBytes: options.sizeBytes,
      patienceMs: PUT_PATIENCE_MS,
      signal: this.#signal,
    });
  }

  async write(source: PutSource): Promise<PutResult> {
    const release = relayAbort(this.#options.signal, this.#stopping);
    try {
      if (this.#isSurelyLarge()) this.#file ??= await this.#createFile();
      await this.#transfer(source);
      const stat = await this.#finish();
      const underReplicatedBlocks = this.#tally.below(stat.replication);
      return { stat, underReplicatedBlocks, copies: this.#tally.fewest };
    } catch (error) {
      this.#stopping.abort(error);
      await this.#file?.abandon(error);
      throw error;
    } finally {
      release();
    }
  }

  /** Reads, sends and appends side by side; room for a block is made before it is read. */
  async #transfer(source: PutSource): Promise<void> {
    const { blockSizeBytes } = this.#options;
    const blocks = splitBlocks(source, blockSizeBytes);
    let inOrder: Promise<void> = Promise.resolve();
    try {
      for (let position = 0; ; position += 1) {
        await this.#held.acquire(blockSizeBytes, this.#signal);
        await this.#slots.acquire(1, this.#signal);
        const next = await orAborted(blocks.next(), this.#signal);
        if (next.done === true) break;
        if (position === SMALL_FILE_BLOCKS) this.#file ??= await this.#createFile();
        inOrder = this.#noteInOrder(inOrder, next.value, this.#send(next.value));
        // Whoever waits next sees the reason through the signal.
        inOrder.catch((error: unknown) => this.#stopping.abort(error));
      }
      await inOrder;
    } catch (error) {
      // Not awaited: a source that waits for input would hold the failure back.
      blocks.return(undefined).catch(() => {});
      throw error;
    }
  }

  async #send({ isLast, free, ...block }: SourceBlock): Promise<SentBlock> {
    const { path: pathHint, blockSizeBytes, kept } = this.#options;
    const note = this.#notes.note({ ...block, isLast });
    const fileId = kept?.fileId ?? this.#file?.inode ?? 0;
    const { copies } = this.#awaited;
    const wait = this.#context.quorum.watch((reason) => this.#stopping.abort(reason));
    try {
      const era = currentEra(await this.#context.cluster());
      const task = { ...block, ...note, pathHint, fileId, era };
      const options = { copies, signal: this.#signal, moved: () => wait.moved() };
      const { holders, hasLeft } = await writeBlock(this.#context, this.#placer, task, options);
      if (hasLeft) free();
      return { holders, era };
    } finally {
      wait.end();
      this.#held.release(blockSizeBytes);
      this.#slots.release(1);
    }
  }

  async #noteInOrder(before: Promise<void>, block: WholeBlock, sending: Promise<SentBlock>): Promise<void> {
    const [sent] = await Promise.all([sending, before]);
    this.#safe.add(block, sent);
    this.#tally.add(sent.holders.length);
    this.#doneBytes += block.sizeBytes;
    this.#options.onProgress?.({ doneBytes: this.#doneBytes, totalBytes: this.#options.sizeBytes });
    if (this.#safe.count >= APPEND_BATCH_BLOCKS) await this.#append();
  }

  async #append(): Promise<void> {
    if (this.#safe.count > 0) await this.#file?.append(await this.#takeSafe(), this.#signal);
  }

  #takeSafe(): Promise<WrittenBlocks> {
    return this.#safe.take(() => this.#placer.requiredCopies());
  }

  async #finish(): Promise<Stat> {
    if (this.#file !== undefined) {
      await this.#append();
      return this.#close(this.#file);
    }
    const signal = this.#signal;
    const written = await this.#takeSafe();
    const value = { ...this.#description(), complete: true, blocks: [...written.blocks] };
    // Without the long patience of large files: little is lost, and without a quorum a write is to be refused soon.
    const result = await referTo(this.#context, written, signal, (writtenEra) =>
      this.#context.mutations.run({ $case: 'createFile', value: { ...value, writtenEra } }, { signal }),
    );
    return statResult('createFile', result);
  }

  #closeFile(file: OpenFile): Promise<Stat> {
    return file.close(this.#precondition(), this.#options.mtimeMs ?? 0, this.#signal);
  }

  #createFile(): Promise<OpenFile> {
    return OpenFile.create(this.#context, this.#description(), this.#signal);
  }

  #description(): CreateFile {
    const { path, parents = false, replication = 0, blockSizeBytes, mtimeMs = 0, mode } = this.#options;
    const precondition = this.#precondition();
    const attributes = this.#context.attributes(mode);
    const noContent = { complete: false, blocks: [], leaseMs: 0 };
    return { path, parents, replication, blockSizeBytes, mtimeMs, precondition, attributes, ...noContent };
  }

  #precondition(): CreateFile['precondition'] {
    const { ifAbsent = false, ifVersion = 0 } = this.#options;
    return ifAbsent || ifVersion > 0 ? { ifAbsent, ifVersion } : undefined;
  }

  #isSurelyLarge(): boolean {
    const { sizeBytes = 0, blockSizeBytes } = this.#options;
    return sizeBytes > SMALL_FILE_BLOCKS * blockSizeBytes;
  }
}

interface AwaitedCopies {
  /** That the client itself has made. */
  readonly copies: number;
  /** Without which a block does not count as written; absent: see BlockPlacer. */
  readonly required?: number;
}

/** The copies beyond those awaited are the keepers' to make. */
function awaitedCopies(ack: AckMode | undefined, copies: number): AwaitedCopies {
  switch (ack) {
    case undefined:
      return { copies };
    case 'all':
      return { copies, required: copies };
    case 'quorum':
      return { copies: Math.min(QUORUM_COPIES, copies) };
    case 'one':
      return { copies: 1, required: 1 };
  }
}

/** Now, not when so many of them are written. */
function checkBlockCount(sizeBytes: number, blockSizeBytes: number, mostBlocks: number): void {
  if (sizeBytes <= mostBlocks * blockSizeBytes) return;
  const wanted = `at least ${Math.ceil(sizeBytes / mostBlocks)}, since a file has at most ${mostBlocks} blocks and this one ${sizeBytes} bytes`;
  throw invalidArgument('blockSizeBytes', blockSizeBytes, wanted);
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && least <= value && value <= most) return;
  throw invalidArgument(name, value, `a whole number from ${least} to ${most}`);
}
