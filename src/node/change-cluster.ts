/** @module `node rejoin`: a node whose cluster is lost becomes one of another cluster, and brings its key and its blocks along. */
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { type Identity, loadOrCreateIdentity } from '../network/identity.ts';
import { createLibp2pNetwork } from '../network/libp2p-network.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { STANDING } from '../protocol/methods.ts';
import { decodeToken } from '../protocol/token.ts';
import { openRaftLog } from '../storage/raft-log-file.ts';
import { DataDirectory, readConfig } from './data-directory.ts';
import { alreadyJoined, stillAnswers, stillHasLog, systemCode } from './errors.ts';
import { type Components, placeOf } from './init-cluster.ts';
import {
  askToJoin,
  configFrom,
  type Joined,
  type JoinOptions,
  layMetadata,
  profileBeside,
} from './join-cluster.ts';
import { joinRequest } from './join-request.ts';
import { dialableAddresses } from './listen-address.ts';
import type { BootstrapPeer, NodeConfig, NodeRole } from './node-config.ts';
import { prepareProfile } from './node-profile.ts';
import { loadPeers, mergedPeers } from './peer-book.ts';

export interface ChangeOptions extends JoinOptions {
  /** Where the user's client profile is; one of the former cluster makes room for one of the new. */
  readonly profileDir: string;
  /** Absent: those it had. */
  readonly roles?: readonly NodeRole[] | undefined;
  /** Also when the former cluster still answers, or this node has its log. */
  readonly force?: boolean;
}

export interface Changed extends Joined {
  readonly formerCluster: string;
  /** Where what it knew of that is now. */
  readonly kept: string;
}

/** A busy machine takes seconds to answer, and a node that wrongly leaves its cluster is missed there. Where nobody listens that is known at once. */
const ASK_TIMEOUT_MS = 15_000;
/** Of the former cluster's id, in the name of the directory that keeps what was known of it. */
const SHORT_ID_CHARACTERS = 8;

/**
 * For the directory of a stopped node. Nothing is deleted: log and namespace of the former cluster, and whom it knew there,
 * are put aside. May be repeated after any interruption. Errors: those of joinCluster, NODE_NOT_INITIALISED,
 * NODE_ALREADY_RUNNING; NODE_CLUSTER_ANSWERS and NODE_STILL_HAS_LOG unless `force`.
 */
export async function changeCluster(
  components: Components,
  path: string,
  token: string,
  options: ChangeOptions,
): Promise<Changed> {
  const contents = decodeToken(token);
  // Claiming makes a directory; where no node lives there is nothing to claim.
  await readConfig(path);
  await using directory = await DataDirectory.claim(path);
  const former = await directory.config();
  if (former.clusterId === contents.clusterId) throw alreadyJoined(directory.path, former.number);
  const identity = await loadOrCreateIdentity(directory.keyFile);
  if (!options.force) await refuseWhatIsNotLost({ ...components, identity }, directory, former);

  const node = { ...former, ...placeOf(former), roles: options.roles ?? former.roles };
  const profile = await prepareProfile(
    options.profileDir,
    contents.clusterId,
    (cluster) => cluster === former.clusterId,
  );
  const addresses = dialableAddresses(identity.peer, node.listen, node.announce);
  const applicant = { ...node, peer: identity.peer, addresses };
  const request = joinRequest(contents, applicant, profile.newClient);
  const response = await askToJoin({ ...components, identity }, contents, request, options);
  const config = configFrom(response, node, identity.peer, former.listen);
  const outcome = await profile.save(profileBeside(config, addresses));
  const kept = await directory.setClusterAside(`former-${former.clusterId.slice(0, SHORT_ID_CHARACTERS)}`);
  if (config.roles.includes('meta')) await layMetadata(directory, response, components.logger);
  await directory.saveConfig(config);
  return { config, profile: outcome, formerCluster: former.clusterId, kept };
}

async function refuseWhatIsNotLost(
  components: Components & { readonly identity: Identity },
  directory: DataDirectory,
  former: NodeConfig,
): Promise<void> {
  const lastIndex = await ownLogEnd(directory, components.logger);
  if (lastIndex > 0) throw stillHasLog(directory.path, former.clusterId, lastIndex);
  const known = mergedPeers(
    (await loadPeers(directory.peersFile, components.logger)) ?? [],
    former.bootstrap,
  ).filter(({ peer, isDatanode }) => peer !== former.peer && isDatanode !== true);
  const network = await createLibp2pNetwork(components, { listen: [], announce: [] });
  await network.start();
  try {
    const answers = await Promise.all(
      known.map((peer) => isThere({ network, logger: components.logger }, peer, former)),
    );
    const nodes = known.filter((_peer, position) => answers[position]).map(({ number }) => number);
    if (nodes.length > 0) throw stillAnswers(directory.path, former.clusterId, nodes);
  } finally {
    await network.stop();
  }
}

/** 0 where there is no log, or none that can be read: then nothing of it would be lost. */
async function ownLogEnd(directory: DataDirectory, logger: Logger): Promise<number> {
  if (!(await directory.contents()).includes('raft.db')) return 0;
  try {
    const log = await openRaftLog(directory.raftLogFile, { logger, mustExist: true, acceptLoss: true });
    const lastIndex = log.lastIndex();
    await log.close();
    return lastIndex;
  } catch (error) {
    logger.warn('node.former-log-unreadable', { error: describeError(error), code: systemCode(error) });
    return 0;
  }
}

/** One that says it belongs to another cluster, or is no metadata node, has changed over itself. */
async function isThere(
  { network, logger }: { readonly network: Network; readonly logger: Logger },
  { peer, addresses, number }: BootstrapPeer,
  { clusterId: cluster, epoch, number: own }: NodeConfig,
): Promise<boolean> {
  network.learn(peer, addresses);
  try {
    const request = { cluster, epoch, number: own };
    const standing = await call(network, peer, STANDING, request, { timeoutMs: ASK_TIMEOUT_MS });
    return standing.cluster === cluster;
  } catch (error) {
    logger.debug('node.former-peer-silent', { node: number, error: describeError(error) });
    return isHoldfastError(error, 'METADATA_NOT_READY');
  }
}
