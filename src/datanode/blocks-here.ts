/** @module What this datanode holds, page by page, with the file each block came from. */
import { fromHex } from '../common/bytes.ts';
import { isHoldfastError } from '../common/errors.ts';
import type { BlockHere, BlocksHereRequest, BlocksHereResponse } from '../protocol/messages.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { BlockInfo } from '../storage/block-info.ts';
import type { LoadMeter } from './load-meter.ts';

export interface BlocksHereComponents {
  readonly blocks: BlockStore;
  readonly load: LoadMeter;
}

/** Blocks in one answer, at most: each costs a read of its header. */
const MAX_PAGE_BLOCKS = 1_000;

export async function listBlocksHere(
  { blocks, load }: BlocksHereComponents,
  node: number,
  { after, limit }: BlocksHereRequest,
): Promise<BlocksHereResponse> {
  const pageSize = limit === 0 ? MAX_PAGE_BLOCKS : Math.min(limit, MAX_PAGE_BLOCKS);
  const page = blocks.list(after === '' ? undefined : after, pageSize + 1);
  const described = await Promise.all(page.slice(0, pageSize).map((info) => describe(blocks, info)));
  return { blocks: described, more: page.length > pageSize, node, load: await load.report() };
}

async function describe(blocks: BlockStore, { hash, sizeBytes }: BlockInfo): Promise<BlockHere> {
  try {
    return { hash: fromHex(hash), sizeBytes, ...(await blocks.origin(hash)) };
  } catch (error) {
    // Removed or found rotten since it was listed: its name and size are still worth telling.
    if (!isHoldfastError(error, 'STORAGE_NO_BLOCK', 'STORAGE_CORRUPT_BLOCK')) throw error;
    return { hash: fromHex(hash), sizeBytes, fileId: 0, pathHint: '', position: 0 };
  }
}
