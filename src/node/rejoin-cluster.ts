/** @module The way back of a metadata node whose log cannot be trusted: a new number, an empty log, the old files kept. */
import type { HoldfastError } from '../common/errors.ts';
import { loadOrCreateIdentity } from '../network/identity.ts';
import { createLibp2pNetwork } from '../network/libp2p-network.ts';
import type { JoinResponse } from '../protocol/messages.ts';
import { openRaftLog } from '../storage/raft-log-file.ts';
import { DataDirectory } from './data-directory.ts';
import { rejoinAlone, rejoinFailed } from './errors.ts';
import type { Components } from './init-cluster.ts';
import type { NodeConfig } from './node-config.ts';
import { loadPeers } from './peer-book.ts';
import { askForNumber } from './readmission.ts';

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
  const others = peers.filter(({ peer, isDatanode }) => peer !== config.peer && isDatanode !== true);
  if (others.length === 0) throw rejoinAlone(directory.path, config.number, lost);
  components.logger.error('node.state-lost', { number: config.number, error: lost.message });

  const identity = await loadOrCreateIdentity(directory.keyFile);
  const network = await createLibp2pNetwork({ ...components, identity }, { listen: [], announce: [] });
  await network.start();
  let answer: JoinResponse;
  try {
    answer = await askForNumber({ ...components, network }, { self: config, others, lost });
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
