/** @module What this datanode holds, page by page, with the file each block came from. */
import { fromHex } from '../common/bytes.ts';
import { isHoldfastError } from '../common/errors.ts';
import type { BlockHere, BlockNote, BlocksHereRequest, BlocksHereResponse } from '../protocol/messages.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { BlockInfo, QuarantinedBlock } from '../storage/block-info.ts';
import { noteFrom, readableNotes } from './block-origins.ts';
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
  { after, limit, quarantined }: BlocksHereRequest,
): Promise<BlocksHereResponse> {
  const pageSize = limit === 0 ? MAX_PAGE_BLOCKS : Math.min(limit, MAX_PAGE_BLOCKS);
  const from = after === '' ? undefined : after;
  const page = quarantined ? blocks.quarantined(from, pageSize + 1) : blocks.list(from, pageSize + 1);
  const described = await Promise.all(page.slice(0, pageSize).map((info) => describe(blocks, info)));
  return { blocks: described, more: page.length > pageSize, node, load: await load.report() };
}

async function describe(blocks: BlockStore, info: BlockInfo | QuarantinedBlock): Promise<BlockHere> {
  const { hash, sizeBytes } = info;
  const named = { hash: fromHex(hash), sizeBytes, also: [], quarantine: '' };
  const unknown = { ...named, fileId: 0, pathHint: '', position: 0, write: undefined };
  if ('reason' in info) {
    const { reason } = info;
    // Of what is whole the files are known by the copies in service, or gone. A bad copy may be all that is left of one.
    const [first, ...also] = reason === 'corrupt' ? readableNotes(await blocks.quarantinedOrigins(hash)) : [];
    return { ...unknown, ...first, also, quarantine: reason };
  }
  try {
    const [first, ...also] = (await blocks.origins(hash)).map(noteFrom);
    return { ...named, ...(first as BlockNote), also };
  } catch (error) {
    // Removed or found rotten since it was listed: its name and size are still worth telling.
    if (!isHoldfastError(error, 'STORAGE_NO_BLOCK', 'STORAGE_CORRUPT_BLOCK')) throw error;
    return unknown;
  }
}
