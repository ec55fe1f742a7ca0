/** @module Copies a file by reference: in one step, or in parts when it has too many blocks for that. */
import { isHoldfastError } from '../common/errors.ts';
import type { CopyFile } from '../namespace/schema.ts';
import type { ClientContext } from './client-context.ts';
import type { OperationOptions } from './client-options.ts';
import { OpenFile } from './open-file.ts';

/** See TreeClient.copy. */
export async function copyFile(
  context: ClientContext,
  command: CopyFile,
  options: OperationOptions,
): Promise<void> {
  try {
    await context.mutations.run({ $case: 'copyFile', value: command }, options);
  } catch (error) {
    if (!isHoldfastError(error, 'NAMESPACE_TOO_MANY_BLOCKS')) throw error;
    await copyInParts(context, command, options);
  }
}

/** Nobody sees the copy before it is whole. */
async function copyInParts(
  context: ClientContext,
  { from, to, noClobber }: CopyFile,
  options: OperationOptions,
): Promise<void> {
  const signal = options.signal ?? new AbortController().signal;
  const source = await context.freshPlans.stat(from, { signal });
  const precondition = noClobber ? { ifAbsent: true, ifVersion: 0 } : undefined;
  const { replication, blockSizeBytes, mode } = source;
  const unsaid = { parents: false, mtimeMs: 0, complete: false, blocks: [], leaseMs: 0 };
  const attributes = context.attributes(mode);
  const description = { path: to, replication, blockSizeBytes, precondition, attributes, ...unsaid };
  const copy = await OpenFile.create(context, description, signal);
  try {
    await copy.takeBlocksOf(source.inode, signal);
    await copy.close(precondition, 0, signal);
  } catch (error) {
    await copy.abandon(error);
    throw error;
  }
}
