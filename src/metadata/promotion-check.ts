/** @module Asks those that are to vote whether they are there, and whether their state, and not only their log, has caught up. */
import type { Index, NodeId } from '../../raft/types.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { POSITION } from '../protocol/methods.ts';
import type { MemberDirectory } from './member-directory.ts';

export interface PromotionCheckComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly logger: Logger;
}

/** Entries that a newcomer may still have to apply: some tens of milliseconds, during which it answers late. */
export const MAX_UNAPPLIED_ENTRIES = 500;
const ANSWER_LIMIT_MS = 1_000;

/** Where the leader's log stands, and stood a round ago (commit-rounds.ts). */
export interface LogEnd {
  readonly commit: Index;
  readonly roundStart: Index;
}

/**
 * Those of `nodes` that answer and have applied nearly all up to the end, or keep up with it. Raft counts a log as caught up once it
 * is written; whoever still has thousands of entries to apply then is the one that every change waits for as soon as it votes.
 */
export async function thoseWhoHaveApplied(
  components: PromotionCheckComponents,
  nodes: readonly NodeId[],
  { commit, roundStart }: LogEnd,
): Promise<NodeId[]> {
  const needed = Math.min(commit - MAX_UNAPPLIED_ENTRIES, roundStart);
  const answers = await Promise.all(nodes.map((node) => hasApplied(components, node, needed)));
  return nodes.filter((_, position) => answers[position]);
}

async function hasApplied(
  { network, members, logger }: PromotionCheckComponents,
  node: NodeId,
  needed: Index,
): Promise<boolean> {
  const peer = members.byNumber(node)?.peer;
  if (peer === undefined) return false;
  try {
    const { applied } = await call(network, peer, POSITION, {}, { timeoutMs: ANSWER_LIMIT_MS });
    return applied >= needed;
  } catch (error) {
    logger.debug('raft.promotion-postponed', { node, error: describeError(error) });
    // A release that knows no positions: what raft says of its log must do.
    return isHoldfastError(error, 'NETWORK_NO_SUCH_METHOD');
  }
}
