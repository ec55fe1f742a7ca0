/** @module The bytes of a backup whose blocks are known but that no file refers to yet. */
import { fromHex } from '../../common/bytes.ts';
import { Holder } from '../../protocol/messages.ts';
import { COPIES } from '../../protocol/methods.ts';
import { readBlock } from '../block-read.ts';
import type { ClientContext } from '../client-context.ts';
import { askEach, membersWithRole } from '../cluster-nodes.ts';
import type { ChainBlock } from './block-chain.ts';

/**
 * In order, each block verified by its hash. The datanodes themselves say who has it: they have only just come over, and
 * the index may not know their blocks yet. Errors: CLIENT_BLOCK_UNAVAILABLE.
 */
export async function* readBackup(
  context: ClientContext,
  path: string,
  blocks: readonly ChainBlock[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const datanodes = await membersWithRole(context, 'data', { signal });
  for (const { hash, sizeBytes } of blocks) {
    const request = { hashes: [fromHex(hash)], verify: false };
    const answers = await askEach(context, datanodes, COPIES, request, { signal });
    const holders = answers
      .filter(({ answer }) => answer?.copies[0]?.state === 'good')
      .map(({ member: { number, peer, addresses, host } }) =>
        Holder.fromPartial({ node: number, peer, addresses, host, alive: true }),
      );
    const block = { hash: fromHex(hash), sizeBytes, nodes: holders.map(({ node }) => node) };
    const range = { offset: 0, length: sizeBytes };
    yield* await readBlock(context, { block, holders }, { path, range, signal });
  }
}
