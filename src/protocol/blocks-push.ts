/** @module Several small blocks to a datanode in one request, which passes them on along the chain. */
import { describeError, isHoldfastError } from '../common/errors.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { CHAIN_BROKEN } from './block-push.ts';
import type { Holder, NodeOutcome, WholeBlock } from './messages.ts';
import { WRITE_BLOCKS } from './methods.ts';

export interface BlocksPushTask {
  readonly blocks: readonly WholeBlock[];
  /** First to last. */
  readonly chain: readonly Holder[];
  /** Of the namespace, as in BlockWriteHeader. */
  readonly era: number;
  readonly signal: AbortSignal;
}

/** Blocks of one request, at most: of one fsync, and of one announcement. */
export const MAX_BLOCKS_TOGETHER = 128;
/** Their bytes, at most. */
export const MAX_BYTES_TOGETHER: number = 1024 * 1024;
/** For the way there, fsync and announcement, times the datanodes in the chain: the hop next to a silent node gives up first. */
const ANSWER_TIMEOUT_MS = 12_000;

/** An outcome for each datanode of the chain, in its order. Rejects only when the signal has fired, with its reason. */
export async function pushBlocks(network: Network, task: BlocksPushTask): Promise<readonly NodeOutcome[]> {
  const { blocks, chain, era, signal } = task;
  const [target, ...rest] = chain;
  if (target === undefined) return [];
  if (!network.isConnected(target.peer)) network.learn(target.peer, target.addresses);
  try {
    const request = { blocks: [...blocks], chain: rest, era };
    const options = { signal, timeoutMs: ANSWER_TIMEOUT_MS * chain.length };
    return (await call(network, target.peer, WRITE_BLOCKS, request, options)).nodes;
  } catch (error) {
    signal.throwIfAborted();
    return failedNodes(target, rest, error);
  }
}

/** Of a request that failed as a whole: its target is to blame, the rest of the chain is not. */
function failedNodes(target: Holder, rest: readonly Holder[], error: unknown): readonly NodeOutcome[] {
  const code = isHoldfastError(error) ? error.code : 'NETWORK_REMOTE_FAILED';
  const message = `Datanode ${target.node} before it in the chain failed.`;
  return [
    { node: target.node, code, message: describeError(error), failures: [] },
    ...rest.map(({ node }) => ({ node, code: CHAIN_BROKEN, message, failures: [] })),
  ];
}
