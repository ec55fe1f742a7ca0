/** @module How a simulated cluster begins, and what those who join it say. */
import { sha256 } from '../../src/common/hashing.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import { MIN_BLOCK_SIZE_BYTES } from '../../src/namespace/limits.ts';
import type { Cluster, Member, Token } from '../../src/namespace/schema.ts';
import { memoryAddress } from '../../src/network/memory-network.ts';
import type { PeerId } from '../../src/network/network.ts';
import type { JoinRequest } from '../../src/protocol/messages.ts';
import { WORLD_EPOCH_MS } from '../world/process-clock.ts';

export const CLUSTER_ID = 'c1c1c1c1';
const TOKEN_SECRET: Uint8Array = new Uint8Array(24).fill(7);
const DAYS_30_MS = 2_592_000_000;
const ERA_MS = 2_000;
const PEER_LETTERS = 'abcdefghijkmnopqrstuvwxyz';

export interface Founding {
  readonly cluster: Cluster;
  readonly members: Member[];
  readonly token: Token;
}

/** `peer` founds, with a version of `featureLevel`; `voters`: how many may vote. */
export function founding(
  peer: PeerId,
  voters: number,
  featureLevel: number,
  blockSizeBytes: number = MIN_BLOCK_SIZE_BYTES,
): Founding {
  return {
    cluster: {
      id: CLUSTER_ID,
      epoch: 1,
      name: 'simulated',
      createdMs: WORLD_EPOCH_MS,
      defaultReplication: 3,
      defaultBlockSizeBytes: blockSizeBytes,
      featureLevel,
      voters: voters,
      voterReplacementMs: 5_000,
    },
    members: [{ ...newMember(peer, ['meta']), number: 1, state: 'active' }],
    token: {
      id: 'genesis',
      secretHash: sha256(TOKEN_SECRET),
      roles: ['meta', 'data', 'client'],
      usesLeft: 0,
      unlimited: true,
      createdMs: WORLD_EPOCH_MS,
      // Clocks jump by days.
      expiresMs: WORLD_EPOCH_MS + 100 * DAYS_30_MS,
      revoked: false,
      usedBy: [],
    },
  };
}

/** Garbage is collected within seconds, so that it races with everything in a run. */
export function collecting(founded: Founding): Founding {
  const collection = { era: 0, paused: false, undoneEra: 0, eraMs: ERA_MS, graceMs: ERA_MS };
  return { ...founded, cluster: { ...founded.cluster, collection } };
}

/** Peer ids by number: valid base58, told apart by their last characters. */
export function peerOf(number: number): PeerId {
  const letter = PEER_LETTERS[number % PEER_LETTERS.length];
  return `12D3KooWSimPeer${letter}${(number % 9) + 1}${Math.floor(number / PEER_LETTERS.length) + 1}`;
}

/** With the founder's token, which admits anybody. */
export function joinRequest(peer: PeerId, roles: readonly string[]): JoinRequest {
  return {
    cluster: CLUSTER_ID,
    tokenId: 'genesis',
    tokenSecret: TOKEN_SECRET,
    member: newMember(peer, roles),
    client: undefined,
    featureLevel: SUPPORTED_FEATURE_LEVEL,
  };
}

function newMember(peer: PeerId, roles: readonly string[]): Member {
  return {
    number: 0,
    peer,
    roles: [...roles],
    name: peer.slice(-4),
    host: '',
    zone: '',
    addresses: [memoryAddress(peer)],
    joinedMs: 0,
    state: '',
  };
}
