/** @module The ring and the keeper it implies. */
import { describe, expect, it } from 'vitest';
import { keeper } from '../../dht/keeper.ts';
import { MembershipRing } from '../../dht/membership-ring.ts';
import { Ring } from '../../dht/ring.ts';
import { HOLDERS_PER_SHARD, peerKadId, SHARD_COUNT, shardKadId } from '../../dht/shard.ts';

const PEERS = ['peerA', 'peerB', 'peerC', 'peerD', 'peerE', 'peerF'];

function distance(shard: number, peer: string): bigint {
  return number(shardKadId(shard)) ^ number(peerKadId(peer));
}

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

describe('Ring', () => {
  it('returns the nearest members first, for each shard', () => {
    const ring = new Ring(PEERS);
    for (let shard = 0; shard < SHARD_COUNT; shard += 37) {
      const order = PEERS.toSorted((a, b) => (distance(shard, a) < distance(shard, b) ? -1 : 1));
      expect(ring.closest(shard, 3)).toEqual(order.slice(0, 3));
      expect(ring.closest(shard, 100)).toEqual(order);
    }
  });

  it('gives the same answer whatever the order and the repetition of its members', () => {
    const shuffled = new Ring([...PEERS.toReversed(), 'peerA']);
    for (let shard = 0; shard < SHARD_COUNT; shard += 101)
      expect(shuffled.closest(shard, 3)).toEqual(new Ring(PEERS).closest(shard, 3));
    expect(shuffled.all()).toHaveLength(PEERS.length);
  });

  it('moves only the shards a newcomer is close to', () => {
    const before = new Ring(PEERS);
    const after = new Ring([...PEERS, 'peerG']);
    for (let shard = 0; shard < SHARD_COUNT; shard += 11) {
      const holders = after.closest(shard, 3);
      if (!holders.includes('peerG')) expect(holders).toEqual(before.closest(shard, 3));
    }
  });
});

describe('MembershipRing', () => {
  it('knows the members as soon as there are any, though nobody has told it to look', () => {
    let peers: readonly string[] = [];
    const ring = new MembershipRing(() => ({ epoch: peers.length, peers }));
    expect(ring.closest(7, 3)).toEqual([]);
    peers = PEERS;
    expect(ring.closest(7, 3)).toEqual(new Ring(PEERS).closest(7, 3));
  });
});

describe('the members', () => {
  it('are the same since the epoch in which they last changed, and not since before there was a list', () => {
    let membership = { epoch: 0, peers: PEERS };
    const ring = new MembershipRing(() => membership);
    const since = (epoch: number, peers: readonly string[]): number => {
      membership = { epoch, peers: [...peers] };
      ring.refresh();
      return ring.membersSince;
    };
    expect(since(5, PEERS)).toBe(5);
    expect(since(6, PEERS)).toBe(5);
    expect(since(8, PEERS.slice(1))).toBe(8);
    expect(since(9, PEERS)).toBe(9);
  });
});

describe('keeper', () => {
  const ring = new Ring(PEERS);

  it('is the closest holder that is alive', () => {
    const [first, second] = ring.closest(5, HOLDERS_PER_SHARD);
    expect(keeper(ring, 5, () => true)).toBe(first);
    expect(keeper(ring, 5, (peer) => peer !== first)).toBe(second);
  });

  it('is nobody while no holder of the shard is alive, since others have no records', () => {
    const holders = ring.closest(5, HOLDERS_PER_SHARD);
    expect(keeper(ring, 5, (peer) => !holders.includes(peer))).toBeUndefined();
  });
});
