/** @module Appends to one file: plans what of its end is written again, and sends that and the new bytes as one stream. */
import type { Stat } from '../namespace/schema.ts';
import { isHoldfastError } from '../common/errors.ts';
import { MAX_TAIL_BLOCKS } from '../namespace/limits.ts';
import { blocksToReplace, enoughBytes } from './append-plan.ts';
import { readBlock } from './block-read.ts';
import type { ClientContext } from './client-context.ts';
import type { AppendOptions, PutResult, PutSource } from './client-options.ts';
import { FileWriter, writeFile } from './file-writer.ts';
import { OpenFile } from './open-file.ts';
import { type PeekedSource, peekSource } from './peeked-source.ts';
import { planBlocks, type PlannedBlock } from './read-plan.ts';

/** See Client.append. */
export async function appendToFile(
  context: ClientContext,
  path: string,
  source: PutSource,
  options: AppendOptions,
): Promise<PutResult> {
  const signal = options.signal ?? new AbortController().signal;
  let file: OpenFile;
  try {
    file = await OpenFile.append(context, path, options.ifVersion ?? 0, signal);
  } catch (error) {
    // Nothing of the source was read yet. Whoever makes the file meanwhile is told by NAMESPACE_EXISTS.
    if (!isHoldfastError(error, 'NAMESPACE_NOT_FOUND') || (options.ifVersion ?? 0) > 0) throw error;
    return writeFile(context, path, source, { ...options, ifVersion: undefined, ifAbsent: true });
  }
  const task = { ...options, path, signal };
  const prepared = await prepare(context, file, source, task).catch(async (error: unknown) => {
    await file.abandon(error);
    throw error;
  });
  // From here on the writer abandons the file when it fails.
  return prepared.writer.write(prepared.bytes);
}

interface AppendTask extends AppendOptions {
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Reads no more of the source than it takes to plan. */
async function prepare(
  context: ClientContext,
  file: OpenFile,
  source: PutSource,
  task: AppendTask,
): Promise<{ readonly writer: FileWriter; readonly bytes: PutSource }> {
  const before = file.appendedTo;
  const end = await lastBlocks(context, before, task);
  const tail = end.slice(end.findLastIndex(({ block }) => block.sizeBytes === before.blockSizeBytes) + 1);
  const sizes = tail.map(({ block }) => block.sizeBytes);
  const peeked = await peekSource(source, enoughBytes(sizes));
  const replaced = blocksToReplace(sizes, peeked.seenBytes);
  const again = replaced === 0 ? [] : tail.slice(-replaced);
  const keepBlocks = before.blockCount - again.length;
  const againBytes = again.reduce((sum, { block }) => sum + block.sizeBytes, 0);
  const { sizeBytes, onProgress, mtimeMs = 0, signal } = task;
  const writer = new FileWriter(
    context,
    {
      ...task,
      path: before.path,
      blockSizeBytes: before.blockSizeBytes,
      copies: before.replication,
      kept: {
        fileId: before.inode,
        count: keepBlocks,
        sizeBytes: before.sizeBytes - againBytes,
        lastHash: end.at(-again.length - 1)?.block.hash ?? new Uint8Array(),
      },
      sizeBytes: sizeBytes === undefined ? undefined : sizeBytes + againBytes,
      // What was there before is no progress.
      onProgress: ({ doneBytes }) =>
        onProgress?.({ doneBytes: Math.max(0, doneBytes - againBytes), totalBytes: sizeBytes }),
    },
    { file, close: () => file.closeAppend(keepBlocks, mtimeMs, signal) },
  );
  return { writer, bytes: withTail(context, again, peeked, task) };
}

/** The blocks at the end, in order: all that are shorter than the file's block size, and one more, if there is one. */
async function lastBlocks(
  { freshPlans }: ClientContext,
  { path, inode, version, blockCount }: Stat,
  { signal }: AppendTask,
): Promise<readonly PlannedBlock[]> {
  if (blockCount === 0) return [];
  const first = Math.max(0, blockCount - MAX_TAIL_BLOCKS - 1);
  const blocks: PlannedBlock[] = [];
  for await (const planned of planBlocks(freshPlans, { path, inode, version, firstBlock: first }, { signal }))
    blocks.push(planned);
  return blocks;
}

async function* withTail(
  context: ClientContext,
  again: readonly PlannedBlock[],
  { bytes }: PeekedSource,
  { path, signal }: AppendTask,
): AsyncGenerator<Uint8Array> {
  for (const planned of again) {
    const range = { offset: 0, length: planned.block.sizeBytes };
    yield* await readBlock(context, planned, { path, range, signal });
  }
  yield* bytes;
}
