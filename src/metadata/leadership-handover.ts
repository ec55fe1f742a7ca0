/** @module Moving leadership: a leader that stops hands over first, so that nobody waits for an election time-out. */
import type { Status } from '../../raft/raw-node.ts';
import type { NodeId } from '../../raft/types.ts';
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Network } from '../network/network.ts';
import { within } from './deadline.ts';
import { notTransferred } from './member-errors.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { RaftDriver } from './raft-driver.ts';

/** An end is not held up for longer, in milliseconds; the core gives a transfer up after an election time-out anyway. */
export const HANDOVER_LIMIT_MS = 1_000;

export interface HandoverComponents {
  readonly driver: RaftDriver;
  readonly members: MemberDirectory;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who should lead next: of the voters heard of lately, the one with most of the log. Undefined when there is none. Pure. */
export function successorOf(
  status: Status,
  isCandidate: (id: NodeId) => boolean = () => true,
): NodeId | undefined {
  return status.progress
    .filter(({ id, isLearner, recentActive }) => id !== status.id && !isLearner && recentActive)
    .filter(({ id }) => isCandidate(id))
    .toSorted((a, b) => b.match - a.match)[0]?.id;
}

/** As successorOf, among those this node has a connection to. */
export function reachableSuccessor({ driver, members, network }: HandoverComponents): NodeId | undefined {
  return successorOf(driver.status(), (id) => {
    const peer = members.byNumber(id)?.peer;
    return peer !== undefined && network.isConnected(peer);
  });
}

/** On the leader: resolves with the new leader. Throws METADATA_NOT_TRANSFERRED after HANDOVER_LIMIT_MS. */
export async function transferLeadership(
  { driver, clock }: Pick<HandoverComponents, 'driver' | 'clock'>,
  to: NodeId,
): Promise<NodeId> {
  const changed = Promise.withResolvers<NodeId>();
  const stopListening = driver.listen({
    leaderChanged: (leader) => {
      if (leader !== 0 && leader !== driver.id) changed.resolve(leader);
    },
  });
  try {
    driver.transferLeader(to);
    return await within({ clock, limitMs: HANDOVER_LIMIT_MS }, changed.promise, () =>
      notTransferred(to, driver.id),
    );
  } finally {
    stopListening();
  }
}

/** Resolves once another node leads, or cannot in time. Does nothing on a node that does not lead. Never rejects. */
export async function handOverLeadership(components: HandoverComponents): Promise<void> {
  const { driver, logger } = components;
  if (!driver.isLeader) return;
  const successor = reachableSuccessor(components);
  if (successor === undefined) return;
  try {
    logger.info('raft.handed-over', { to: await transferLeadership(components, successor) });
  } catch (error) {
    // The others find a leader by themselves, only later.
    logger.warn('raft.not-handed-over', { to: successor, error: describeError(error) });
  }
}
