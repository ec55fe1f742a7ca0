/** @module Which files would be lost with a datanode: those with a block that no other living datanode holds. */
import { isHoldfastError } from '../src/common/errors.ts';
import type { Client } from '../src/client/client.ts';

export interface SoleFiles {
  /** A few of them, in the order of the tree. */
  readonly paths: readonly string[];
  /** False when there may be more: enough were found, or looked at. */
  readonly isComplete: boolean;
}

const MAX_NAMED_FILES = 10;
/** Each costs a question; a person waits. */
const MAX_LOOKED_AT = 10_000;

/** Walks over the whole tree, until it has seen enough. Files that are removed meanwhile are no loss. */
export async function soleFiles(client: Client, node: number, signal: AbortSignal): Promise<SoleFiles> {
  const paths: string[] = [];
  let lookedAt = 0;
  for await (const { path, stat } of client.walk('/', { signal })) {
    if (stat.kind !== 'file' || stat.blockCount === 0) continue;
    if (paths.length >= MAX_NAMED_FILES || lookedAt >= MAX_LOOKED_AT) return { paths, isComplete: false };
    lookedAt += 1;
    if (await isOnlyOn(client, path, node, signal)) paths.push(path);
  }
  return { paths, isComplete: true };
}

async function isOnlyOn(client: Client, path: string, node: number, signal: AbortSignal): Promise<boolean> {
  try {
    const { blocks, holders } = await client.locate(path, { signal });
    const alive = new Set(holders.filter((holder) => holder.alive).map((holder) => holder.node));
    return blocks.some(
      ({ nodes }) => nodes.includes(node) && !nodes.some((other) => other !== node && alive.has(other)),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (isHoldfastError(error, 'NAMESPACE_NOT_FOUND', 'CLIENT_FILE_CHANGED')) return false;
    throw error;
  }
}
