/** @module Several small blocks to datanodes in one request each: to the first of a chain, and from there to all the others. */
import { encodeMessage } from '../common/encode-message.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Network } from '../network/network.ts';
import { CHAIN_BROKEN } from './block-push.ts';
import { type Holder, type NodeOutcome, type WholeBlock, WriteBlocksRequest } from './messages.ts';
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

/**
 * To the first datanode, which passes them on. An outcome for each of the chain, in its order. Rejects only when the signal
 * has fired, with its reason.
 */
export async function pushBlocks(network: Network, task: BlocksPushTask): Promise<readonly NodeOutcome[]> {
  const [target, ...rest] = task.chain;
  return target === undefined ? [] : push(network, { ...task, target, rest, body: bodyOf(task, rest) });
}

/**
 * To each datanode at once: a few small blocks take each further one a round trip and no time of the line worth
 * mentioning, so that one after the other, as large ones go, would only add up the ways. As pushBlocks.
 */
export async function spreadBlocks(network: Network, task: BlocksPushTask): Promise<readonly NodeOutcome[]> {
  const body = bodyOf(task, []);
  const outcomes = await Promise.all(
    task.chain.map((target) => push(network, { ...task, target, rest: [], body })),
  );
  return outcomes.flat();
}

interface Push {
  readonly target: Holder;
  /** Those to whom `target` passes them on. */
  readonly rest: readonly Holder[];
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

function bodyOf({ blocks, era }: BlocksPushTask, rest: readonly Holder[]): Uint8Array {
  return encodeMessage(WriteBlocksRequest, { blocks: [...blocks], chain: [...rest], era });
}

async function push(network: Network, { target, rest, body, signal }: Push): Promise<readonly NodeOutcome[]> {
  const { trafficClass, name, response } = WRITE_BLOCKS;
  if (!network.isConnected(target.peer)) network.learn(target.peer, target.addresses);
  try {
    const options = { signal, timeoutMs: ANSWER_TIMEOUT_MS * (1 + rest.length) };
    return response.decode(await network.request(target.peer, trafficClass, name, body, options)).nodes;
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
