/** @module Joining: a token becomes a member number. */
import { isHoldfastError } from '../common/errors.ts';
import type { Profile } from '../client/profile.ts';
import type { Logger } from '../common/logger.ts';
import { type Identity, loadOrCreateIdentity } from '../network/identity.ts';
import { createLibp2pNetwork } from '../network/libp2p-network.ts';
import { type AdmissionOptions, askForAdmission } from '../protocol/admission.ts';
import type { JoinRequest, JoinResponse } from '../protocol/messages.ts';
import { openRaftLog } from '../storage/raft-log-file.ts';
import { decodeToken, type TokenContents } from '../protocol/token.ts';
import { contentsOf, DataDirectory, existingConfig } from './data-directory.ts';
import { alreadyJoined, directoryNotEmpty, joinUnreachable, otherCluster } from './errors.ts';
import { type Components, type NewNode, placeOf } from './init-cluster.ts';
import { joinRequest } from './join-request.ts';
import { checkAnnounced, dialableAddresses, fixPorts } from './listen-address.ts';
import { layManifests } from './manifest-file.ts';
import { isNodeRole, type NodeConfig } from './node-config.ts';
import { prepareProfile, type ProfileOutcome } from './node-profile.ts';

/** What an interrupted join leaves behind; everything else means that the directory is somebody's. */
const JOIN_LEFTOVERS = ['key', 'raft.db', 'raft.db-wal', 'raft.db-shm', 'raft.db.mark', 'manifests'];

export interface Joined {
  readonly config: NodeConfig;
  readonly profile: ProfileOutcome;
}

export type JoinOptions = AdmissionOptions;

/**
 * Joins the cluster that `token` names. May be repeated with the same directory after any interruption: the key is made
 * first, and the cluster answers a second request of the same peer as it answered the first.
 * Errors: PROTOCOL_BAD_TOKEN, NODE_JOIN_UNREACHABLE, NAMESPACE_TOKEN_*, NAMESPACE_WRONG_CLUSTER, NODE_OTHER_CLUSTER,
 * NODE_ALREADY_JOINED, NODE_DIRECTORY_NOT_EMPTY and those of claiming the directory.
 */
export async function joinCluster(
  components: Components,
  token: string,
  node: NewNode,
  options: JoinOptions = {},
): Promise<Joined> {
  const contents = decodeToken(token);
  // Looked at twice: before anything is written into somebody's directory, and again once nobody else can.
  await refuseForeignDirectory(node.directory, contents.clusterId);
  await using directory = await DataDirectory.claim(node.directory);
  await refuseForeignDirectory(directory.path, contents.clusterId);

  const listen = await fixPorts(node.listen);
  const identity = await loadOrCreateIdentity(directory.keyFile);
  const addresses = dialableAddresses(identity.peer, listen, checkAnnounced(node.announce));
  const profile = await prepareProfile(node.profileDir, contents.clusterId);
  const applicant = { ...node, peer: identity.peer, addresses };
  const request = joinRequest(contents, applicant, profile.newClient);
  const response = await askToJoin({ ...components, identity }, contents, request, options);
  const config = configFrom(response, node, identity.peer, listen);
  const outcome = await profile.save(profileBeside(config, addresses));
  if (config.roles.includes('meta')) await layMetadata(directory, response, components.logger);
  await directory.saveConfig(config);
  return { config, profile: outcome };
}

/** Asks at the addresses of the token. Errors: NODE_JOIN_UNREACHABLE, what is refused, and what is in the way of an answer. */
export async function askToJoin(
  components: Components & { readonly identity: Identity },
  { addresses }: TokenContents,
  request: JoinRequest,
  options: JoinOptions,
): Promise<JoinResponse> {
  const network = await createLibp2pNetwork(components, { listen: [], announce: [] });
  await network.start();
  try {
    return await askForAdmission({ ...components, network }, addresses, request, options);
  } catch (error) {
    if (!isHoldfastError(error) || error.kind === 'refused' || !error.code.startsWith('NETWORK_'))
      throw error;
    throw joinUnreachable(addresses, error);
  } finally {
    await network.stop();
  }
}

/**
 * What a metadata node has before its first start: an empty log, so that a start that finds none knows that it was lost, and the
 * signatures that whoever admitted it knew.
 */
export async function layMetadata(
  directory: DataDirectory,
  { manifests }: Pick<JoinResponse, 'manifests'>,
  logger: Logger,
): Promise<void> {
  const log = await openRaftLog(directory.raftLogFile, { logger });
  await log.close();
  if (manifests !== undefined) await layManifests(directory.manifestFile, manifests);
}

async function refuseForeignDirectory(path: string, clusterId: string): Promise<void> {
  const found = await contentsOf(path);
  const existing = await existingConfig(path);
  if (existing !== undefined && existing.clusterId !== clusterId)
    throw otherCluster(path, clusterId, existing.clusterId);
  if (existing !== undefined) throw alreadyJoined(path, existing.number);
  if (found.some((name) => !JOIN_LEFTOVERS.includes(name) && !name.endsWith('.tmp')))
    throw directoryNotEmpty(path, found);
}

/** What the user of a new node knows first: the metadata nodes of now, and the node itself, which will know those of later. */
export function profileBeside(
  { clusterId, clusterName, peer, roles, bootstrap }: NodeConfig,
  addresses: readonly string[],
): Profile {
  const peers = bootstrap.map((node) => ({ peer: node.peer, addresses: node.addresses }));
  return { clusterId, clusterName, peers, datanodes: roles.includes('meta') ? [] : [{ peer, addresses }] };
}

export function configFrom(
  response: JoinResponse,
  node: Omit<NewNode, 'directory' | 'profileDir'>,
  peer: string,
  listen: readonly string[],
): NodeConfig {
  const { cluster, member } = response;
  if (cluster === undefined || member === undefined)
    throw joinUnreachable([], new Error('The answer to the join names no cluster or no member.'));
  return {
    format: 1,
    clusterId: cluster.id,
    clusterName: cluster.name,
    epoch: cluster.epoch,
    number: member.number,
    peer,
    name: node.name,
    roles: member.roles.filter(isNodeRole),
    host: node.host,
    ...placeOf(node),
    listen,
    announce: node.announce,
    bootstrap: response.metadataNodes.map(({ number, peer: other, addresses }) => ({
      number,
      peer: other,
      addresses,
    })),
    ...(node.capacityBytes === undefined ? {} : { capacityBytes: node.capacityBytes }),
  };
}
