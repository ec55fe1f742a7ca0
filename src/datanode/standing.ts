/** @module Whether the cluster still counts on this datanode: asked of a metadata node that turned it away. */
import { describeError, type HoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { call } from '../network/method.ts';
import type { CallOptions, Network, PeerId } from '../network/network.ts';
import { STANDING } from '../protocol/methods.ts';
import { standingVerdict } from '../protocol/standing.ts';
import { removed, superseded } from './errors.ts';
import type { MemberDirectory } from './member-directory.ts';

export interface StandingComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly logger: Logger;
}

export interface StandingOptions {
  readonly number: number;
  readonly clusterId: string;
  readonly epoch: number;
}

/** Why this datanode must stop: DATANODE_REMOVED or DATANODE_SUPERSEDED; undefined while it may go on, or nobody said. */
export async function askStanding(
  { network, members, logger }: StandingComponents,
  { number, clusterId: cluster, epoch: joined }: StandingOptions,
  peer: PeerId,
  options: CallOptions,
): Promise<HoldfastError | undefined> {
  const epoch = Math.max(joined, members.epoch);
  const request = { cluster, epoch, number };
  try {
    const answer = await call(network, peer, STANDING, request, options);
    const verdict = standingVerdict(answer, request, 'data');
    if (verdict === 'superseded') return superseded(number, cluster, epoch, answer.epoch);
    return verdict && removed(number, cluster);
  } catch (error) {
    // It says nothing; the next heartbeat asks again.
    if (options.signal?.aborted !== true)
      logger.debug('datanode.no-standing', { peer, error: describeError(error) });
    return undefined;
  }
}
