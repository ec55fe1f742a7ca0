/** @module A leader that stops hands over first: the others have a leader at once, and wait for no election time-out. */
import type { Status } from '../../raft/raw-node.ts';
import type { NodeId } from '../../raft/types.ts';
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Network } from '../network/network.ts';
import { within } from './deadline.ts';
import { stopped } from './errors.ts';
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

/** Resolves once another node leads, or cannot in time. Does nothing on a node that does not lead. Never rejects. */
export async function handOverLeadership(components: HandoverComponents): Promise<void> {
  const { driver, members, network, clock, logger } = components;
  if (!driver.isLeader) return;
  const successor = successorOf(driver.status(), (id) => {
    const peer = members.byNumber(id)?.peer;
    return peer !== undefined && network.isConnected(peer);
  });
  if (successor === undefined) return;
  const changed = Promise.withResolvers<void>();
  const stopListening = driver.listen({
    leaderChanged: (leader) => {
      if (leader !== 0 && leader !== driver.id) changed.resolve();
    },
  });
  try {
    driver.transferLeader(successor);
    await within({ clock, limitMs: HANDOVER_LIMIT_MS }, changed.promise, stopped);
    logger.info('raft.handed-over', { to: driver.leader });
  } catch (error) {
    // The others find a leader by themselves, only later.
    logger.warn('raft.not-handed-over', { to: successor, error: describeError(error) });
  } finally {
    stopListening();
  }
}
