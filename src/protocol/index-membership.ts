/** @module Which members hold the location index: everybody derives it from the same list. */
import { type Membership, membershipEpoch } from '../../dht/membership-ring.ts';
import type { Member } from '../namespace/schema.ts';

export type { Membership };

/** Of which list of members: raft index of its last change, and the epoch of the cluster. */
export interface ListVersion {
  readonly version: number;
  readonly epoch: number;
}

/** The metadata nodes that are there. If all were away, nobody could have said so. */
export function indexMembership(members: readonly Member[], { version, epoch }: ListVersion): Membership {
  const present = members.filter(
    ({ state, roles, away }) => state === 'active' && roles.includes('meta') && away !== true,
  );
  return { epoch: membershipEpoch(epoch, version), peers: present.map(({ peer }) => peer) };
}

/** Every metadata node, those that are away too: their signatures count. */
export function metadataMembership(members: readonly Member[], { version, epoch }: ListVersion): Membership {
  const active = members.filter(({ state, roles }) => state === 'active' && roles.includes('meta'));
  return { epoch: membershipEpoch(epoch, version), peers: active.map(({ peer }) => peer) };
}
