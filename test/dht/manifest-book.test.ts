/** @module Whose word counts about where the metadata nodes are. Real keys: what is forged here is forged as an attacker would. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ManifestBook } from '../../dht/manifest-book.ts';
import { signManifest } from '../../dht/manifest.ts';
import type { Membership } from '../../dht/membership-ring.ts';
import type { SignedManifest } from '../../dht/messages.ts';
import type { Signatures } from '../../dht/ports.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { isSignedBy, signAs } from '../../src/network/peer-signature.ts';
import { silentLogger } from '../../src/common/logger.ts';

const CLUSTER = 'ours';

let a: Signatures;
let b: Signatures;
let c: Signatures;
let stranger: Signatures;

beforeAll(async () => {
  [a, b, c, stranger] = await Promise.all([newPeer(), newPeer(), newPeer(), newPeer()]);
});

async function newPeer(): Promise<Signatures> {
  const { peer, privateKey } = await createIdentity();
  return { localPeer: peer, sign: (bytes) => signAs(privateKey, bytes), verify: isSignedBy };
}

/** By the first of `peers`, naming all of them. */
function signed(epoch: number, peers: readonly Signatures[], cluster = CLUSTER): SignedManifest {
  const nodes = peers.map(({ localPeer }, number) => ({
    number,
    peer: localPeer,
    addresses: [`/at/${epoch}`],
  }));
  return signManifest(peers[0] as Signatures, { cluster, epoch, nodes }).signed;
}

function bookOf(known: readonly Signatures[], epoch = 0): ManifestBook {
  const membership: Membership = { epoch, peers: known.map(({ localPeer }) => localPeer) };
  return new ManifestBook(
    { signatures: c, logger: silentLogger },
    { cluster: CLUSTER, known: () => membership },
  );
}

const refused = (code: string): object => expect.objectContaining({ code, kind: 'refused' });

describe('a book of manifests', () => {
  it('believes a metadata node that it knows, and then those whom that one names', () => {
    const book = bookOf([a]);
    expect(book.take({ links: [signed(3, [a, b])] })).toBe(true);
    expect(book.current?.nodes.map(({ peer }) => peer)).toEqual([a.localPeer, b.localPeer]);
    expect(book.trusts(b.localPeer)).toBe(true);
    expect(book.take({ links: [signed(4, [b, c])] })).toBe(true);
    expect(book.trusts(c.localPeer)).toBe(true);
    expect(book.take({ links: [signed(4, [b, c])] })).toBe(false);
  });

  it('is led from one signer to the next when all whom it knew have been replaced', () => {
    const witness = bookOf([a]);
    witness.take({ links: [signed(3, [a, b])] });
    witness.take({ links: [signed(5, [b, c])] });
    witness.take({ links: [signed(9, [c])] });
    const book = bookOf([a]);
    expect(book.take(witness.chain())).toBe(true);
    expect(book.current?.epoch).toBe(9);
    expect(book.trusts(c.localPeer)).toBe(true);
    expect(book.trusts(stranger.localPeer)).toBe(false);
  });

  it('passes on to who was away what it was given of those who left before it came, and believes them no more for that', () => {
    const newcomer = bookOf([c], 9);
    newcomer.restore({ links: [signed(5, [b, c]), signed(3, [a, b])] });
    newcomer.take({ links: [signed(9, [c])] });
    expect(() => newcomer.take({ links: [signed(11, [a, stranger])] })).toThrow(refused('DHT_BAD_MANIFEST'));
    expect([a, b, stranger].map(({ localPeer }) => newcomer.trusts(localPeer))).toEqual([
      false,
      false,
      false,
    ]);
    const away = bookOf([a]);
    expect(away.take(newcomer.chain())).toBe(true);
    expect(away.trusts(c.localPeer)).toBe(true);
  });

  it('checks a signature that it has checked before no more, and a changed one all the same', () => {
    let checks = 0;
    const verify: Signatures['verify'] = (...words) => {
      checks += 1;
      return isSignedBy(...words);
    };
    const book = new ManifestBook(
      { signatures: { ...c, verify }, logger: silentLogger },
      { cluster: CLUSTER, known: () => ({ epoch: 0, peers: [a.localPeer] }) },
    );
    const first = signed(3, [a, b]);
    for (let times = 0; times < 3; times += 1) book.take({ links: [first] });
    expect(checks).toBe(1);
    const bent = Uint8Array.from(first.signature, (byte, at) => (at === 0 ? byte ^ 1 : byte));
    for (const bad of [
      { ...first, signature: bent },
      { ...first, manifest: signed(4, [a, b]).manifest },
    ])
      expect(() => book.take({ links: [bad] })).toThrow(refused('DHT_BAD_MANIFEST'));
  });

  it('does not believe a stranger, a member that is no metadata node, another cluster, or a forged name or signature', () => {
    const book = bookOf([a]);
    const good = signed(3, [a, b]);
    const forged = { ...signed(8, [stranger, a]), signer: a.localPeer };
    const changed = { ...good, manifest: Uint8Array.from([...good.manifest, 0]) };
    const unnamed = signManifest(a, { cluster: CLUSTER, epoch: 8, nodes: [] }).signed;
    for (const bad of [
      signed(8, [stranger, a]),
      signed(8, [b, a]),
      signed(8, [a], 'theirs'),
      forged,
      changed,
      unnamed,
    ])
      expect(() => book.take({ links: [bad] })).toThrow(refused('DHT_BAD_MANIFEST'));
    expect(book.current).toBeUndefined();
    expect(book.chain().links).toEqual([]);
  });

  it('takes what is good out of a chain and leaves the rest', () => {
    const book = bookOf([a]);
    book.take({ links: [signed(99, [stranger]), signed(3, [a, b])] });
    expect(book.current?.epoch).toBe(3);
    expect(book.chain().links).toHaveLength(1);
  });

  it('refuses an old manifest that is replayed, after a restart too', () => {
    const old = signed(3, [a, b]);
    const book = bookOf([a]);
    book.take({ links: [signed(7, [a, b])] });
    expect(() => book.take({ links: [old] })).toThrow(refused('DHT_STALE_MANIFEST'));
    const restarted = bookOf([a]);
    restarted.restore(book.chain());
    expect(() => restarted.take({ links: [old] })).toThrow(refused('DHT_STALE_MANIFEST'));
    expect(restarted.current?.epoch).toBe(7);
  });

  it('does not let one who was removed bring itself or others back', () => {
    const list = bookOf([b, c], 10);
    expect(() => list.take({ links: [signed(11, [a, stranger])] })).toThrow(refused('DHT_BAD_MANIFEST'));
    // Once it was named, by somebody who still is one: older than what is known, that vouches for nobody.
    list.take({ links: [signed(9, [b, a]), signed(11, [a, stranger])] });
    expect(list.trusts(a.localPeer)).toBe(false);
    expect(list.trusts(stranger.localPeer)).toBe(false);
  });
});
