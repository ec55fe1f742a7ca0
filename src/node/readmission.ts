/** @module Asking the other metadata nodes for a new number: what a node does that has lost what it may have promised. */
import { type Clock, sleep } from '../common/clock.ts';
import { describeError, type HoldfastError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { verdictOf } from '../metadata/standing-worker.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../namespace/feature-level.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type { JoinResponse, StandingResponse } from '../protocol/messages.ts';
import { REJOIN, STANDING } from '../protocol/methods.ts';
import { rejoinFailed } from './errors.ts';
import type { BootstrapPeer, NodeConfig } from './node-config.ts';

/** What the node on this disk may have promised is not all there; it must not vote, and can come back only as another. */
const LOST_STATE = [
  'STORAGE_CORRUPT_LOG',
  'STORAGE_LOG_BEHIND',
  'STORAGE_LOST_LOG',
  'STORAGE_LOST_MARKER',
  'METADATA_LOG_INCONSISTENT',
  'METADATA_ROLLED_BACK',
  'METADATA_COPY_OUTLIVED',
];
/** A cluster that starts at the same time has found its leader by then. */
const REJOIN_LIMIT_MS = 20_000;
/** For one metadata node to answer. */
const CALL_TIMEOUT_MS = 8_000;
const ROUND_PAUSE_MS = 500;
/** What is said to somebody who is no metadata node of the cluster, or no member at all. */
const TURNED_AWAY = ['NETWORK_NOT_A_MEMBER', 'METADATA_NOT_ALLOWED'];

export function hasLostState(error: unknown): error is HoldfastError {
  return isHoldfastError(error, ...LOST_STATE);
}

export interface ReadmissionComponents {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Readmission {
  /** As what it last belonged to the cluster. */
  readonly self: Pick<NodeConfig, 'clusterId' | 'epoch' | 'number'>;
  readonly others: readonly BootstrapPeer[];
  readonly lost: HoldfastError;
}

/**
 * Only the leader can answer, and there may be none yet. Errors: NODE_REJOIN_FAILED (with what the last one said), and
 * for a node that cannot come back at all METADATA_REMOVED, METADATA_SUPERSEDED, NAMESPACE_FEATURE_LEVEL_TOO_LOW.
 */
export async function askForNumber(
  { network, clock, logger }: ReadmissionComponents,
  asked: Readmission,
): Promise<JoinResponse> {
  const { others, lost } = asked;
  const { number } = asked.self;
  const untilMs = clock.monotonicMs() + REJOIN_LIMIT_MS;
  let last: unknown;
  for (const { peer, addresses } of others) network.learn(peer, addresses);
  do {
    for (const { peer } of others) {
      try {
        const request = { number, reason: lost.code, featureLevel: SUPPORTED_FEATURE_LEVEL };
        return await call(network, peer, REJOIN, request, { timeoutMs: CALL_TIMEOUT_MS });
      } catch (error) {
        logger.debug('node.rejoin-not-yet', { peer, error: describeError(error) });
        if (isHoldfastError(error, 'NAMESPACE_FEATURE_LEVEL_TOO_LOW')) throw error;
        if (isHoldfastError(error, ...TURNED_AWAY)) await checkStanding(network, peer, asked, logger);
        // The leader's own reason says more than another's "I am not the leader".
        if (last === undefined || !isHoldfastError(error, 'METADATA_NOT_LEADER')) last = error;
      }
    }
    await sleep(clock, ROUND_PAUSE_MS);
  } while (clock.monotonicMs() < untilMs);
  throw rejoinFailed(number, lost, last);
}

/**
 * There is no way back for a number that has left, or that a recovery left behind: then more than the log is gone.
 * Throws METADATA_REMOVED or METADATA_SUPERSEDED.
 */
async function checkStanding(
  network: Network,
  peer: string,
  { self }: Readmission,
  logger: Logger,
): Promise<void> {
  const { clusterId: cluster, epoch, number } = self;
  const request = { cluster, epoch, number };
  let answer: StandingResponse;
  try {
    answer = await call(network, peer, STANDING, request, { timeoutMs: CALL_TIMEOUT_MS });
  } catch (error) {
    // It may be starting; it is asked again in the next round.
    logger.debug('node.no-standing', { peer, error: describeError(error) });
    return;
  }
  const verdict = verdictOf(answer, request);
  if (verdict !== undefined) throw verdict;
}
