/** @module The bytes of a backup whose blocks are known but that no file refers to yet. */
import { fromHex } from '../../common/bytes.ts';
import { LOCATE } from '../../protocol/methods.ts';
import { readBlock } from '../block-read.ts';
import type { ClientContext } from '../client-context.ts';
import { holdersOf } from '../read-plan.ts';
import type { ChainBlock } from './block-chain.ts';

/** In order, each block verified by its hash. Errors: CLIENT_BLOCK_UNAVAILABLE. */
export async function* readBackup(
  context: ClientContext,
  path: string,
  blocks: readonly ChainBlock[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const { hash, sizeBytes } of blocks) {
    const answer = await context.metadata.ask(LOCATE, { hashes: [fromHex(hash)] }, { signal });
    const byNode = new Map(answer.holders.map((holder) => [holder.node, holder]));
    const holders = answer.blocks.flatMap((located) => holdersOf(located, byNode));
    const block = { hash: fromHex(hash), sizeBytes, nodes: holders.map(({ node }) => node) };
    const range = { offset: 0, length: sizeBytes };
    yield* await readBlock(context, { block, holders }, { path, range, signal });
  }
}
