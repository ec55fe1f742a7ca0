/** @module The way back of a metadata node whose log cannot be trusted: a new number, an empty log, the old files kept. */
import { sleep } from '../common/clock.ts';
import { describeError, type HoldfastError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { verdictOf } from '../metadata/standing-worker.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../namespace/feature-level.ts';
import { loadOrCreateIdentity } from '../network/identity.ts';
import { createLibp2pNetwork } from '../network/libp2p-network.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type { JoinResponse, StandingResponse } from '../protocol/messages.ts';
import { REJOIN, STANDING } from '../protocol/methods.ts';
import { openRaftLog } from '../storage/raft-log-file.ts';
import { DataDirectory } from './data-directory.ts';
import { rejoinAlone, rejoinFailed } from './errors.ts';
import type { Components } from './init-cluster.ts';
import type { BootstrapPeer, NodeConfig } from './node-config.ts';
import { loadPeers } from './peer-book.ts';

/** What the node on this disk may have promised is not all there; it must not vote, and can come back only as another. */
const LOST_STATE = [
  'STORAGE_CORRUPT_LOG',
  'STORAGE_LOG_BEHIND',
  'STORAGE_LOST_LOG',
  'STORAGE_LOST_MARKER',
  'METADATA_LOG_INCONSISTENT',
  'METADATA_ROLLED_BACK',
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

/**
 * Asks the other metadata nodes for a new number under the same key, puts log, namespace and snapshots aside (renamed
 * into `lost-NUMBER`, never deleted), and leaves an empty log, with which the node starts as a learner. Blocks stay.
 * Cut short anywhere, the next start finds no trustworthy log and does it again, under yet another number.
 * Errors: NODE_REJOIN_ALONE (no other metadata node is known), NODE_REJOIN_FAILED (with what the last one said), and for
 * a node that cannot come back at all METADATA_REMOVED, METADATA_SUPERSEDED, NAMESPACE_FEATURE_LEVEL_TOO_LOW.
 */
export async function rejoinCluster(
  components: Components,
  path: string,
  lost: HoldfastError,
): Promise<NodeConfig> {
  await using directory = await DataDirectory.claim(path);
  const config = await directory.config();
  const peers = (await loadPeers(directory.peersFile, components.logger)) ?? config.bootstrap;
  const others = peers.filter(({ peer }) => peer !== config.peer);
  if (others.length === 0) throw rejoinAlone(directory.path, config.number, lost);
  components.logger.error('node.state-lost', { number: config.number, error: lost.message });

  const identity = await loadOrCreateIdentity(directory.keyFile);
  const network = await createLibp2pNetwork({ ...components, identity }, { listen: [], announce: [] });
  await network.start();
  let answer: JoinResponse;
  try {
    answer = await askInRounds({ ...components, network }, { config, others, lost });
  } finally {
    await network.stop();
  }
  const kept = await directory.setAside(`lost-${config.number}`);
  const renewed = renewedConfig(config, answer, lost);
  await directory.saveConfig(renewed);
  const log = await openRaftLog(directory.raftLogFile, components);
  await log.close();
  components.logger.warn('node.rejoined', { was: config.number, number: renewed.number, kept });
  return renewed;
}

interface Asked {
  readonly config: NodeConfig;
  readonly others: readonly BootstrapPeer[];
  readonly lost: HoldfastError;
}

/** Only the leader can answer, and there may be none yet. */
async function askInRounds(
  { network, clock, logger }: Components & { readonly network: Network },
  asked: Asked,
): Promise<JoinResponse> {
  const { others, lost } = asked;
  const { number } = asked.config;
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
  { config }: Asked,
  logger: Logger,
): Promise<void> {
  const { clusterId: cluster, epoch, number } = config;
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

function renewedConfig(config: NodeConfig, answer: JoinResponse, lost: HoldfastError): NodeConfig {
  const { cluster, member, metadataNodes } = answer;
  if (cluster === undefined || member === undefined || cluster.id !== config.clusterId)
    throw rejoinFailed(config.number, lost, new Error('The answer names no member of this cluster.'));
  return {
    ...config,
    epoch: cluster.epoch,
    number: member.number,
    bootstrap: metadataNodes.map(({ number, peer, addresses }) => ({ number, peer, addresses })),
  };
}
