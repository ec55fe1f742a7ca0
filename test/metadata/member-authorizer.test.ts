/** @module Who may open a stream to a metadata node. */
import { describe, expect, it } from 'vitest';
import { signManifest } from '../../dht/manifest.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { MemberAuthorizer, type MemberAuthorizerComponents } from '../../src/metadata/member-authorizer.ts';
import { ACTIVE } from '../../src/metadata/member-directory.ts';
import type { Member } from '../../src/namespace/schema.ts';
import { MemoryNetwork, MemorySwitch } from '../../src/network/memory-network.ts';
import { serve } from '../../src/network/method.ts';
import type { TrafficClass } from '../../src/network/network.ts';
import { createManifestBook } from '../../src/protocol/manifest-exchange.ts';
import { MANIFEST } from '../../src/protocol/methods.ts';

const CLASSES: readonly TrafficClass[] = ['raft', 'control', 'bulk'];
const PEER = 'peer-1';

/** The classes that a member of this kind may open. */
async function admitted(state: string, role: string, inConfiguration: boolean): Promise<TrafficClass[]> {
  const member = { number: 1, peer: PEER, roles: [role], state } as Member;
  const authorizer = new MemberAuthorizer({
    members: {
      byPeer: () => member,
      activeByPeer: () => (state === ACTIVE ? member : undefined),
      learn: () => {},
      withRole: () => [],
    },
    barrier: { wait: () => Promise.resolve() },
    driver: { leader: 1, isInConfiguration: () => inConfiguration },
    clock: systemClock,
    logger: silentLogger,
  } as unknown as MemberAuthorizerComponents);
  const answers = await Promise.all(CLASSES.map((each) => authorizer.authorize(PEER, each)));
  return CLASSES.filter((_, position) => answers[position]);
}

describe('who may speak to a metadata node', () => {
  it('is any active member, and of raft a metadata node', async () => {
    expect(await admitted(ACTIVE, 'meta', true)).toEqual(CLASSES);
    expect(await admitted(ACTIVE, 'data', false)).toEqual(['control', 'bulk']);
  });

  it('is a removed metadata node until its removal from the configuration is committed: it may lead, and asks who can', async () => {
    expect(await admitted('left', 'meta', true)).toEqual(['raft', 'control']);
    expect(await admitted('left', 'meta', false)).toEqual([]);
  });
});

describe('a metadata node that nobody here can tell of', () => {
  const [FORMER, STRANGER, SELF] = ['peer-1', 'peer-8', 'peer-2'] as const;
  const KNOWN = { epoch: 3, peers: [FORMER, SELF] };

  /** Whether the stranger is let in, of whose chain one link is that `signer` signed. */
  async function letsIn(signer: string): Promise<boolean> {
    const links = new MemorySwitch({ clock: systemClock });
    const [self, stranger, other] = [SELF, STRANGER, signer].map(
      (peer) => new MemoryNetwork({ switch: links, clock: systemClock, random: systemRandom }, { peer }),
    ) as [MemoryNetwork, MemoryNetwork, MemoryNetwork];
    const nodes = [signer, SELF, STRANGER].map((peer, number) => ({ number, peer, addresses: [] }));
    const link = signManifest(other, { cluster: 'c', epoch: KNOWN.epoch + 1, nodes });
    stranger.authorize(() => true);
    serve(stranger, MANIFEST, async () => ({ links: [link.signed] }));
    await Promise.all([self.start(), stranger.start()]);
    const directory: Member[] = [];
    const find = (peer: string): Member | undefined => directory.find((member) => member.peer === peer);
    const parts = { network: self, logger: silentLogger };
    const authorizer = new MemberAuthorizer({
      ...parts,
      members: {
        byPeer: find,
        activeByPeer: find,
        learn: (member) => void directory.push(member),
        withRole: () => [],
      },
      kademlia: { manifests: createManifestBook(parts, { cluster: 'c', known: () => KNOWN }) },
      barrier: { wait: () => Promise.reject(new Error('no leader')) },
      driver: { leader: 0, isInConfiguration: () => false },
      clock: systemClock,
    });
    const isIn = await authorizer.authorize(STRANGER, 'raft');
    await Promise.all([self.stop(), stranger.stop()]);
    return isIn;
  }

  it('is let in when it shows that a metadata node known here has named it', async () => {
    expect(await letsIn(FORMER)).toBe(true);
  });

  it('stays a stranger when another stranger has', async () => {
    expect(await letsIn('peer-9')).toBe(false);
  });
});
