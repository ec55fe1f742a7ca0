/** @module A question that any metadata node can answer: asked of one after the other until one does. */
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { call, type Method } from '../network/method.ts';
import type { Network } from '../network/network.ts';
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
  for (const peer of members.metadataPeers()) {
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
