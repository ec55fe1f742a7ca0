/** @module A question that any metadata node can answer: asked of one after the other until one does, of another first by each datanode. */
import { toHex } from '../common/bytes.ts';
import { describeError } from '../common/errors.ts';
import { sha256 } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import { call, type Method } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { noMetadata } from './errors.ts';
import type { MemberDirectory } from './member-directory.ts';

export interface MetadataQuestionComponents {
  readonly network: Network;
  readonly members: Pick<MemberDirectory, 'metadataPeers'>;
  readonly logger: Logger;
}

/** Above what a linearizable read is given (DEFAULT_READ_LIMIT_MS). */
const QUESTION_TIMEOUT_MS = 5_000;

/** Errors: DATANODE_NO_METADATA when none answers. */
export async function askMetadata<Request, Response>(
  { network, members, logger }: MetadataQuestionComponents,
  method: Method<Request, Response>,
  request: Request,
  signal: AbortSignal,
): Promise<Response> {
  let last: unknown;
  for (const peer of inOrderOf(network.localPeer, members.metadataPeers())) {
    try {
      return await call(network, peer, method, request, { signal, timeoutMs: QUESTION_TIMEOUT_MS });
    } catch (error) {
      signal.throwIfAborted();
      logger.debug('datanode.not-answered', { method: method.name, peer, error: describeError(error) });
      last = error;
    }
  }
  throw noMetadata(method.name, last);
}

/** By rendezvous hashing (Thaler and Ravishankar, 1998): an order for each asker, of which most stays when one of `peers` goes. */
function inOrderOf(asker: PeerId, peers: readonly PeerId[]): readonly PeerId[] {
  const ranked = peers.map((peer) => ({ peer, rank: toHex(sha256(Buffer.from(`${asker} ${peer}`))) }));
  return ranked.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ peer }) => peer);
}
