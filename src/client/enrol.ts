/** @module Makes this machine's user a client of a cluster, with a token (`holdfast connect`). */
import { hostname } from 'node:os';
import { type Clock, systemClock } from '../common/clock.ts';
import { isHoldfastError } from '../common/errors.ts';
import { type Logger, silentLogger } from '../common/logger.ts';
import { type Random, systemRandom } from '../common/random.ts';
import { Member } from '../namespace/schema.ts';
import type { Network } from '../network/network.ts';
import { type AdmissionOptions, askForAdmission } from '../protocol/admission.ts';
import type { JoinRequest, JoinResponse } from '../protocol/messages.ts';
import { JOIN } from '../protocol/methods.ts';
import { decodeToken } from '../protocol/token.ts';
import { openClientNetwork } from './client-network.ts';
import { noMetadata, otherCluster, unexpectedAnswer } from './errors.ts';
import { metadataNodesOf } from './known-metadata.ts';
import { localUser } from './local-user.ts';
import { loadProfile, type Profile, saveProfile } from './profile.ts';

export interface EnrolOptions extends AdmissionOptions {
  /** How `cluster status` and `member` lists call this client; user@host when absent. */
  readonly name?: string;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** From now on, ask nodes in the local network that answer multicast, too, when the metadata nodes have moved. */
  readonly mdns?: boolean;
  /** Started, with the identity to enrol; made from the profile directory's key when absent. */
  readonly network?: Network;
}

/**
 * Joins with role client and leaves a profile in `profileDir`. Repeating it with the same token is harmless.
 * Errors: PROTOCOL_BAD_TOKEN, NAMESPACE_TOKEN_*, NAMESPACE_ROLE_NOT_ALLOWED, NAMESPACE_WRONG_CLUSTER,
 * CLIENT_OTHER_CLUSTER (the directory belongs to another cluster), CLIENT_PROFILE_NOT_WRITABLE, CLIENT_NO_METADATA.
 */
export async function enrol(token: string, profileDir: string, options: EnrolOptions = {}): Promise<Profile> {
  const contents = decodeToken(token);
  await refuseOtherCluster(profileDir, contents.clusterId);
  const clock = options.clock ?? systemClock;
  const network =
    options.network ??
    (await openClientNetwork(profileDir, {
      clock,
      random: options.random ?? systemRandom,
      logger: options.logger ?? silentLogger,
    }));
  try {
    const request: JoinRequest = {
      cluster: contents.clusterId,
      tokenId: contents.tokenId,
      tokenSecret: contents.secret,
      member: describeClient(network, options.name ?? `${(await localUser()).user}@${hostname()}`),
      client: undefined,
    };
    const joined = profileFrom(await admission({ network, clock }, contents.addresses, request, options));
    const profile = options.mdns === true ? { ...joined, mdns: true } : joined;
    await saveProfile(profileDir, profile);
    return profile;
  } finally {
    if (options.network === undefined) await network.stop();
  }
}

async function refuseOtherCluster(profileDir: string, clusterId: string): Promise<void> {
  try {
    const { clusterId: present } = await loadProfile(profileDir);
    if (present !== clusterId) throw otherCluster(profileDir, present, clusterId);
  } catch (error) {
    if (!isHoldfastError(error, 'CLIENT_NO_PROFILE')) throw error;
  }
}

function describeClient(network: Network, name: string): Member {
  return Member.fromPartial({
    peer: network.localPeer,
    roles: ['client'],
    name,
    host: hostname(),
  });
}

async function admission(
  components: { readonly network: Network; readonly clock: Clock },
  addresses: readonly string[],
  request: JoinRequest,
  options: AdmissionOptions,
): Promise<JoinResponse> {
  try {
    return await askForAdmission(components, addresses, request, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (isHoldfastError(error) && error.kind === 'refused') throw error;
    throw noMetadata(JOIN.name, 'unavailable', addresses, error);
  }
}

function profileFrom({ cluster, metadataNodes }: JoinResponse): Profile {
  const peers = metadataNodesOf(metadataNodes);
  if (cluster === undefined || peers.length === 0) throw unexpectedAnswer(JOIN.name, 'no cluster');
  return { clusterId: cluster.id, clusterName: cluster.name, peers };
}
