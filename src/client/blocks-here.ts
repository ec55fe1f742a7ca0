/** @module What one datanode holds, asked of the node itself (`holdfast lshere`). */
import { toHex } from '../common/bytes.ts';
import { call } from '../network/method.ts';
import type { PeerId } from '../network/network.ts';
import type { BlockHere } from '../protocol/messages.ts';
import { BLOCKS_HERE, WHO_IS } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import type { OperationOptions } from './client-options.ts';

const PAGE_BLOCKS = 500;

export interface BlocksHereOptions extends OperationOptions {
  /** What is out of service as garbage, surplus or corrupt instead, by hash and size alone. */
  readonly quarantined?: boolean;
}

export async function* listBlocksHere(
  context: ClientContext,
  peer: PeerId,
  { signal, quarantined = false }: BlocksHereOptions,
): AsyncGenerator<BlockHere> {
  const { member } = await context.metadata.ask(WHO_IS, { peer }, { signal });
  if (member !== undefined) context.network.learn(peer, member.addresses);
  let after = '';
  for (let more = true; more; ) {
    const request = { after, limit: PAGE_BLOCKS, quarantined };
    const page = await call(context.network, peer, BLOCKS_HERE, request, signal && { signal });
    yield* page.blocks;
    const last = page.blocks.at(-1);
    if (last !== undefined) after = toHex(last.hash);
    more = page.more && last !== undefined;
  }
}
