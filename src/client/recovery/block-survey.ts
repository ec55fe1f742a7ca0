/** @module Asks every datanode for all its blocks, page by page, and keeps what they say. */
import { toHex } from '../../common/bytes.ts';
import { describeError } from '../../common/errors.ts';
import type { Member } from '../../namespace/schema.ts';
import { call } from '../../network/method.ts';
import type { BlocksHereRequest, BlocksHereResponse } from '../../protocol/messages.ts';
import { BLOCKS_HERE } from '../../protocol/methods.ts';
import type { ClientContext } from '../client-context.ts';
import { membersWithRole } from '../cluster-nodes.ts';
import type { FoundBlocks } from './found-blocks.ts';

export interface SurveyedNode {
  readonly node: number;
  readonly name: string;
  readonly blocks: number;
  /** Why not all of it is known; absent when all is. */
  readonly failure?: string;
}

export interface SurveyOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((blocks: number) => void) | undefined;
}

/** Each is a page of headers that the datanode reads from its disk. */
const PAGE_BLOCKS = 500;
const PAGE_TIMEOUT_MS = 60_000;
/** Datanodes asked at a time. */
const LANES = 8;

/** Of every datanode of the cluster, also those that do not answer: what only they have will seem lost. */
export async function surveyDatanodes(
  context: ClientContext,
  found: FoundBlocks,
  options: SurveyOptions,
): Promise<readonly SurveyedNode[]> {
  const datanodes = await membersWithRole(context, 'data', options);
  const surveyed: SurveyedNode[] = [];
  const left = [...datanodes];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      surveyed.push(await surveyNode(context, next, found, options));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await found.seal();
  return surveyed.toSorted((a, b) => a.node - b.node);
}

async function surveyNode(
  context: ClientContext,
  member: Member,
  found: FoundBlocks,
  options: SurveyOptions,
): Promise<SurveyedNode> {
  const { number: node, name, peer, addresses } = member;
  if (!context.network.isConnected(peer)) context.network.learn(peer, addresses);
  let blocks = 0;
  // Put aside as garbage or surplus, a block is whole, and comes back into service once a file refers to it.
  for (const quarantined of [false, true]) {
    let after = '';
    for (let more = true; more; ) {
      const page = await askPage(context, peer, { after, limit: PAGE_BLOCKS, quarantined }, options.signal);
      if ('failure' in page) return { node, name, blocks, ...page };
      await found.add(page.blocks);
      blocks += page.blocks.length;
      options.onProgress?.(page.blocks.length);
      const last = page.blocks.at(-1);
      more = page.more && last !== undefined;
      after = last === undefined ? after : toHex(last.hash);
    }
  }
  return { node, name, blocks };
}

async function askPage(
  { network }: ClientContext,
  peer: string,
  request: BlocksHereRequest,
  signal: AbortSignal,
): Promise<BlocksHereResponse | { readonly failure: string }> {
  try {
    return await call(network, peer, BLOCKS_HERE, request, { signal, timeoutMs: PAGE_TIMEOUT_MS });
  } catch (error) {
    signal.throwIfAborted();
    return { failure: describeError(error) };
  }
}
