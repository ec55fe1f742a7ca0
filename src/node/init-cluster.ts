/** @module The founding of a cluster: its identity, its first node, its first token. */
import { toHex } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import { sha256 } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { bootstrapCluster, FOUNDER } from '../metadata/genesis.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../namespace/feature-level.ts';
import { MIN_ERA_MS } from '../namespace/limits.ts';
import { Cluster, Collection, Member, Token } from '../namespace/schema.ts';
import { loadOrCreateIdentity } from '../network/identity.ts';
import { briefAddresses, encodeToken } from '../protocol/token.ts';
import { openRaftLog } from '../storage/raft-log-file.ts';
import { contentsOf, DataDirectory } from './data-directory.ts';
import { directoryNotEmpty } from './errors.ts';
import { checkAnnounced, dialableAddresses, fixPorts } from './listen-address.ts';
import type { NodeConfig, NodeRole } from './node-config.ts';
import { prepareProfile, type ProfileOutcome } from './node-profile.ts';

export const DEFAULT_REPLICATION = 3;
export const DEFAULT_BLOCK_SIZE_BYTES: number = 8 * 1024 * 1024;
/** The first token admits anyone, any number of times, for a day. */
const FIRST_TOKEN_LIFETIME_MS: number = 24 * 60 * 60 * 1000;

const CLUSTER_ID_SIZE_BYTES = 16;
const TOKEN_ID_SIZE_BYTES = 8;
const TOKEN_SECRET_SIZE_BYTES = 24;

export interface Components {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What the person says of the node to be; the same for a founder and for one who joins. */
export interface NewNode {
  readonly directory: string;
  /** Where the user's client profile goes. */
  readonly profileDir: string;
  readonly name: string;
  readonly host: string;
  readonly hostGroup?: string;
  readonly zone?: string;
  readonly roles: readonly NodeRole[];
  /** Multiaddrs; port 0 is replaced by a free one for good. */
  readonly listen: readonly string[];
  readonly announce: readonly string[];
  readonly capacityBytes?: number;
}

export interface NewCluster {
  readonly name: string;
  readonly replication: number;
  readonly blockSizeBytes: number;
  /** In the place of a cluster that has lost every metadata node: see openRecovery. */
  readonly recovers?: boolean;
}

export interface Founded {
  readonly config: NodeConfig;
  readonly token: string;
  readonly tokenExpiresMs: number;
  readonly profile: ProfileOutcome;
}

/**
 * Founds a cluster in an empty directory. node.json is written last: without it the directory does not count as a node.
 * Errors: NODE_DIRECTORY_NOT_EMPTY, NODE_DIRECTORY_NOT_WRITABLE, NODE_ALREADY_RUNNING, NODE_INVALID_ADDRESS, NODE_PORT_IN_USE,
 * CLIENT_BAD_PROFILE, CLIENT_PROFILE_NOT_WRITABLE.
 */
export async function initCluster(
  components: Components,
  cluster: NewCluster,
  node: NewNode,
): Promise<Founded> {
  // Looked at twice: before anything is written into somebody's directory, and again once nobody else can.
  await refuseNonEmpty(node.directory);
  await using directory = await DataDirectory.claim(node.directory);
  await refuseNonEmpty(directory.path);

  // All that a person may have mistyped is looked at before the first file, which would be in the way of the next attempt.
  const listen = await fixPorts(node.listen);
  const announce = checkAnnounced(node.announce);
  const clusterId = toHex(components.random.bytes(CLUSTER_ID_SIZE_BYTES));
  const replaces = (): boolean => cluster.recovers ?? false;
  const profile = await prepareProfile(node.profileDir, clusterId, replaces);
  const { peer } = await loadOrCreateIdentity(directory.keyFile);
  const addresses = dialableAddresses(peer, listen, announce);
  const nowMs = components.clock.wallMs();
  const config: NodeConfig = {
    format: 1,
    clusterId,
    clusterName: cluster.name,
    epoch: 1,
    number: FOUNDER,
    peer,
    name: node.name,
    roles: node.roles,
    host: node.host,
    ...placeOf(node),
    listen,
    announce: node.announce,
    bootstrap: [{ number: FOUNDER, peer, addresses }],
    ...(node.capacityBytes === undefined ? {} : { capacityBytes: node.capacityBytes }),
  };
  const founder = memberOf(config, addresses, nowMs);
  const client = profile.newClient === undefined ? [] : [clientMember(profile.newClient, config, nowMs)];
  const token = makeToken(components.random, nowMs);

  const log = await openRaftLog(directory.raftLogFile, { logger: components.logger });
  try {
    await bootstrapCluster(log, {
      cluster: Cluster.fromPartial({
        id: clusterId,
        epoch: config.epoch,
        name: cluster.name,
        createdMs: nowMs,
        defaultReplication: cluster.replication,
        defaultBlockSizeBytes: cluster.blockSizeBytes,
        featureLevel: SUPPORTED_FEATURE_LEVEL,
        collection: cluster.recovers ? openRecovery(nowMs) : undefined,
      }),
      members: [founder, ...client],
      token: token.record,
      firstNumber: cluster.recovers ? nowMs : 0,
    });
  } finally {
    await log.close();
  }
  const outcome = await profile.save({ clusterId, clusterName: cluster.name, peers: [{ peer, addresses }] });
  await directory.saveConfig(config);
  return {
    config,
    token: encodeToken({
      clusterId,
      tokenId: token.record.id,
      secret: token.secret,
      addresses: briefAddresses(addresses),
    }),
    tokenExpiresMs: token.record.expiresMs,
    profile: outcome,
  };
}

/**
 * Datanodes come with blocks that no file refers to yet: nothing is collected until somebody says that all are found.
 * Milliseconds serve as numbers above all that the lost cluster can have given out: no era of it was shorter than
 * MIN_ERA_MS, and no cluster makes a thousand files a second from 1970 on.
 */
function openRecovery(nowMs: number): Collection {
  const era = Math.floor(nowMs / MIN_ERA_MS);
  return Collection.fromPartial({ era, recovering: true });
}

async function refuseNonEmpty(path: string): Promise<void> {
  const found = await contentsOf(path);
  if (found.length > 0) throw directoryNotEmpty(path, found);
}

/** What fails together with a node's machine, as far as somebody said. */
export function placeOf({
  zone,
  hostGroup,
}: Pick<NewNode, 'zone' | 'hostGroup'>): Pick<NewNode, 'zone' | 'hostGroup'> {
  return { ...(zone !== undefined && { zone }), ...(hostGroup !== undefined && { hostGroup }) };
}

function memberOf(config: NodeConfig, addresses: readonly string[], joinedMs: number): Member {
  return Member.fromPartial({
    number: config.number,
    peer: config.peer,
    roles: [...config.roles],
    name: config.name,
    host: config.host,
    ...placeOf(config),
    addresses: [...addresses],
    joinedMs,
    state: 'active',
  });
}

function clientMember(peer: string, config: NodeConfig, joinedMs: number): Member {
  return Member.fromPartial({
    number: FOUNDER + 1,
    peer,
    roles: ['client'],
    name: `${config.name}-user`,
    host: config.host,
    joinedMs,
    state: 'active',
  });
}

function makeToken(random: Random, nowMs: number): { record: Token; secret: Uint8Array } {
  const secret = random.bytes(TOKEN_SECRET_SIZE_BYTES);
  const record = Token.fromPartial({
    id: toHex(random.bytes(TOKEN_ID_SIZE_BYTES)),
    secretHash: sha256(secret),
    roles: ['meta', 'data', 'client'],
    unlimited: true,
    createdMs: nowMs,
    expiresMs: nowMs + FIRST_TOKEN_LIFETIME_MS,
  });
  return { record, secret };
}
