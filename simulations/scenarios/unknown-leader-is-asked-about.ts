/** @module A bug of our own (simulation seed 43, hell): a node that was away never follows a leader that joined meanwhile. */
import { equal } from 'node:assert/strict';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { MemberAuthorizer } from '../../src/metadata/member-authorizer.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import type { Member } from '../../src/namespace/schema.ts';
import type { Membership } from '../../dht/membership-ring.ts';
import { serve } from '../../src/network/method.ts';
import type { Network } from '../../src/network/network.ts';
import { createManifestBook, type ManifestBook } from '../../src/protocol/manifest-exchange.ts';
import { WHO_IS } from '../../src/protocol/methods.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { founding, peerOf } from '../cluster/founding.ts';
import { networkPair } from '../network-pair.ts';

export const scenario: BugScenario = {
  claim: 'a node without a leader asks the nodes it knows about a stranger, and hears it when they know it',
  async run() {
    await using networks = await networkPair();
    const known = memberOf(2);
    const leader = memberOf(3);
    serve(networks.second, WHO_IS, async ({ peer }) => ({
      member: peer === leader.peer ? leader : undefined,
    }));
    const directory = [known];
    const find = (peer: string): Member | undefined => directory.find((member) => member.peer === peer);
    const authorizer = new MemberAuthorizer({
      network: networks.first,
      members: {
        byPeer: find,
        activeByPeer: find,
        withRole: () => directory,
        learn: (member) => void directory.push(member),
      },
      kademlia: { manifests: noManifests(networks.first) },
      barrier: { wait: () => Promise.reject(new Error('there is no leader to ask')) },
      driver: { leader: 0, isInConfiguration: () => true },
      clock: systemClock,
      logger: silentLogger,
    });
    equal(await authorizer.authorize(leader.peer, 'raft'), true);
  },
};

/** It trusts nobody: what the stranger has to show is worth nothing here. */
function noManifests(network: Network): ManifestBook {
  const known = (): Membership => ({ epoch: 0, peers: [] });
  return createManifestBook({ network, logger: silentLogger }, { cluster: 'c', known });
}

function memberOf(number: number): Member {
  const [founder] = founding(peerOf(number), 3, SUPPORTED_FEATURE_LEVEL).members;
  return { ...(founder as Member), number };
}
