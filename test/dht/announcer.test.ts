/** @module The announcer against metadata nodes that die, hang, forget and come and go. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Announcer } from '../../dht/announcer.ts';
import { ANNOUNCE_TIMEOUT_MS, BACKOFF_MAX_MS } from '../../dht/holder-lane.ts';
import { MAX_BATCH_HASHES } from '../../dht/packed-hashes.ts';
import type { PeerId } from '../../dht/ports.ts';
import { Ring } from '../../dht/ring.ts';
import { shardOfHash } from '../../dht/shard.ts';
import { CALLER, hashOf, IndexWorld } from './index-world.ts';
import { ManualClock, quietLogger, settle } from './manual-clock.ts';

const A = hashOf('a');
const B = hashOf('b');
const THREE = ['peerA', 'peerB', 'peerC'];

let world: IndexWorld;
let clock: ManualClock;
let held: Set<string>;
const announcers: Announcer[] = [];

beforeEach(() => {
  world = new IndexWorld(THREE);
  clock = new ManualClock();
  held = new Set();
});

afterEach(async () => {
  await Promise.all(announcers.splice(0).map((each) => each.stop()));
  expect(clock.pendingTimers).toBe(0);
});

function start(
  options: { generation?: number; maxUnsettledHashes?: number; pause?: () => Promise<void> } = {},
): Announcer {
  const { pause, ...rest } = options;
  const announcer = new Announcer(
    {
      rpc: world.rpc,
      ring: world.liveRing(),
      clock,
      logger: quietLogger,
      async *held() {
        for (const hash of held) {
          yield hash;
          await pause?.();
        }
      },
    },
    { node: CALLER, generation: 1, ...rest },
  );
  announcers.push(announcer);
  return announcer;
}

/** Whether a promise has settled by now, without waiting for it. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await settle();
  return done;
}

function missing(peer: PeerId, hashes: Iterable<string>): string[] {
  return [...hashes].filter((hash) => !world.knows(peer, hash));
}

describe('announce', () => {
  it('tells all three holders', async () => {
    await start().announce([A, B]);
    await settle();
    for (const peer of THREE) expect(missing(peer, [A, B])).toEqual([]);
  });

  it('is acknowledged by two holders while the third is dead, and tells the third when it is back', async () => {
    world.health.set('peerC', 'dead');
    const announcer = start();
    await announcer.announce([A]);
    expect(world.knows('peerC', A)).toBe(false);
    world.health.set('peerC', 'up');
    await clock.advance(BACKOFF_MAX_MS);
    expect(world.knows('peerC', A)).toBe(true);
    expect(announcer.backlog().get('peerC')).toBe(0);
  });

  it('is not acknowledged by one holder alone', async () => {
    world.health.set('peerB', 'dead');
    world.health.set('peerC', 'hang');
    const announced = start().announce([A]);
    expect(await isDone(announced)).toBe(false);
    world.health.set('peerC', 'up');
    await clock.advance(ANNOUNCE_TIMEOUT_MS + BACKOFF_MAX_MS);
    expect(await isDone(announced)).toBe(true);
  });

  it('withdraws from a former holder of the shard, too, which may hold it again', async () => {
    world = new IndexWorld([...THREE, 'peerD', 'peerE', 'peerF']);
    const all = world.ring.current.all();
    const nearest = world.ring.current.closest(shardOfHash(A), all.length);
    const former = nearest[0] as PeerId;
    world.ring.current = new Ring(nearest.slice(0, 3));
    const announcer = start();
    await announcer.announce([A]);
    await settle();
    expect(world.knows(former, A)).toBe(true);
    // It steps back behind those that come: the ring's order is by distance, so here the farthest three hold.
    const farthest = nearest.slice(3);
    world.ring.current = {
      closest: () => farthest,
      all: () => nearest,
    } as unknown as Ring;
    announcer.holdersChanged();
    await announcer.withdraw([A]);
    await settle();
    for (const peer of nearest) expect(world.knows(peer, A)).toBe(false);
  });

  it('is content with the only holder there is', async () => {
    world = new IndexWorld(['peerA']);
    await start().announce([A]);
    expect(world.knows('peerA', A)).toBe(true);
  });

  it('fails when no metadata node is known', async () => {
    world = new IndexWorld([]);
    await expect(start().announce([A])).rejects.toMatchObject({ code: 'DHT_NO_METADATA_PEERS' });
  });

  it('refuses what is no hash before anything is sent', async () => {
    await expect(start().announce([A, 'nonsense'])).rejects.toMatchObject({ code: 'DHT_BAD_BATCH' });
    await settle();
    expect(world.announced).toEqual([]);
  });

  it('joins concurrent calls into one batch a holder', async () => {
    const announcer = start();
    await Promise.all(Array.from({ length: 50 }, (_, each) => announcer.announce([hashOf(each)])));
    await settle();
    for (const peer of THREE) expect(world.batchesTo(peer)[0]?.added).toHaveLength(50);
  });

  it('splits what is too much for one batch', async () => {
    const hashes = Array.from({ length: MAX_BATCH_HASHES + 1 }, (_, each) => hashOf(each));
    await start().announce(hashes);
    expect(world.batchesTo('peerA')[0]?.added).toHaveLength(MAX_BATCH_HASHES);
    await settle();
    expect(missing('peerA', hashes)).toEqual([]);
  });

  it('stops waiting when its signal fires, and still delivers', async () => {
    for (const peer of THREE) world.health.set(peer, 'dead');
    const abort = new AbortController();
    const announced = start().announce([A], { signal: abort.signal });
    await settle();
    abort.abort(new Error('enough'));
    await expect(announced).rejects.toThrow('enough');
    for (const peer of THREE) world.health.set(peer, 'up');
    await clock.advance(BACKOFF_MAX_MS);
    expect(world.knows('peerA', A)).toBe(true);
  });

  it('waits for room when too much is unanswered', async () => {
    for (const peer of THREE) world.health.set(peer, 'hang');
    const announcer = start({ maxUnsettledHashes: 10 });
    const many = announcer.announce(Array.from({ length: 25 }, (_, each) => hashOf(each)));
    await settle();
    expect(announcer.unsettledCount).toBe(10);
    for (const peer of THREE) world.health.set(peer, 'up');
    await clock.advance(ANNOUNCE_TIMEOUT_MS + BACKOFF_MAX_MS);
    await many;
    expect(announcer.unsettledCount).toBe(0);
  });

  it('ends with DHT_STOPPED when the announcer stops', async () => {
    for (const peer of THREE) world.health.set(peer, 'hang');
    const announcer = start();
    const refused = expect(announcer.announce([A])).rejects.toMatchObject({ code: 'DHT_STOPPED' });
    await settle();
    await announcer.stop();
    await refused;
    await expect(announcer.announce([B])).rejects.toMatchObject({ code: 'DHT_STOPPED' });
  });
});

describe('withdraw', () => {
  it('removes the record everywhere', async () => {
    const announcer = start();
    await announcer.announce([A]);
    await announcer.withdraw([A]);
    await settle();
    for (const peer of THREE) expect(world.knows(peer, A)).toBe(false);
  });

  it('wins over an announcement before it and loses to one after it, also while a holder lags', async () => {
    world.health.set('peerC', 'dead');
    const announcer = start();
    await announcer.announce([A, B]);
    await announcer.withdraw([A, B]);
    await announcer.announce([B]);
    world.health.set('peerC', 'up');
    await clock.advance(BACKOFF_MAX_MS);
    for (const peer of THREE) expect([world.knows(peer, A), world.knows(peer, B)]).toEqual([false, true]);
  });

  it('is repeated under a higher sequence when the answer was lost', async () => {
    const announcer = start();
    await announcer.announce([A]);
    world.health.set('peerC', 'lossy');
    await announcer.withdraw([A]);
    await settle();
    world.health.set('peerC', 'up');
    await clock.advance(BACKOFF_MAX_MS);
    const [first, second] = world.batchesTo('peerC').filter((batch) => batch.removed.includes(A));
    expect(second?.sequence).toBeGreaterThan(first?.sequence ?? Infinity);
  });
});

describe('a new boot', () => {
  it('is told everything held in its shards', async () => {
    world = new IndexWorld([...THREE, 'peerD', 'peerE']);
    for (let each = 0; each < 500; each++) held.add(hashOf(each));
    const announcer = start();
    announcer.onBoot('peerD', 'peerD-1');
    await settle();
    const own = [...held].filter((hash) =>
      world.ring.current.closest(shardOfHash(hash), 3).includes('peerD'),
    );
    expect(own.length).toBeGreaterThan(100);
    expect(world.table('peerD').recordCount).toBe(own.length);
    expect(missing('peerD', own)).toEqual([]);
    expect(world.batchesTo('peerA')).toEqual([]);
  });

  it('is told once, however often it is seen', async () => {
    held.add(A);
    const announcer = start();
    for (let each = 0; each < 3; each++) announcer.onBoot('peerA', 'peerA-1');
    await settle();
    announcer.onBoot('peerA', 'peerA-1');
    await settle();
    expect(world.batchesTo('peerA').flatMap((batch) => batch.added)).toEqual([A]);
    expect(world.batchesTo('peerA').filter((batch) => batch.reset)).toHaveLength(1);
  });

  it('is noticed in the answer to an announcement', async () => {
    held.add(A);
    const announcer = start();
    await announcer.announce([A]);
    await settle();
    world.restart('peerB', 'peerB-2');
    held.add(B);
    await announcer.announce([B]);
    await settle();
    expect(missing('peerB', [A, B])).toEqual([]);
  });

  it('forgets earlier starts only with the last batch', async () => {
    held.add(A).add(B);
    await start().announce([A, B]);
    await settle();
    held.delete(B);
    const later = start({ generation: 2 });
    for (const peer of THREE) later.onBoot(peer, `${peer}-1`);
    await settle();
    const batches = world.batchesTo('peerA').filter((batch) => batch.generation === 2);
    expect(batches.map((batch) => batch.reset)).toEqual([...batches.slice(1).map(() => false), true]);
    for (const peer of THREE) expect([world.knows(peer, A), world.knows(peer, B)]).toEqual([true, false]);
  });

  it('does not bring back what was withdrawn while the listing ran', async () => {
    held.add(A).add(B);
    const gate = Promise.withResolvers<void>();
    const announcer = start({ pause: () => gate.promise });
    announcer.onBoot('peerA', 'peerA-1');
    await settle();
    await announcer.withdraw([B]);
    gate.resolve();
    await settle();
    expect([world.knows('peerA', A), world.knows('peerA', B)]).toEqual([true, false]);
  });

  it('is told no faster than it takes the records', async () => {
    for (let each = 0; each < 3 * MAX_BATCH_HASHES; each++) held.add(hashOf(each));
    world.health.set('peerA', 'hang');
    const announcer = start();
    announcer.onBoot('peerA', 'peerA-1');
    await settle();
    await settle();
    expect(announcer.backlog().get('peerA')).toBeLessThanOrEqual(2 * MAX_BATCH_HASHES);
    world.health.set('peerA', 'up');
    await clock.advance(ANNOUNCE_TIMEOUT_MS + BACKOFF_MAX_MS);
    expect(world.table('peerA').recordCount).toBe(held.size);
  });
});

describe('a holder silent for long', () => {
  it('costs bounded memory and gets everything when it is back', async () => {
    const announcer = start({ maxUnsettledHashes: 20 });
    // Its boot is known and stays the same: only the overflow itself can ask for the re-announcement.
    announcer.onBoot('peerC', 'peerC-1');
    await settle();
    world.health.set('peerC', 'dead');
    for (let each = 0; each < 200; each++) {
      held.add(hashOf(each));
      await announcer.announce([hashOf(each)]);
      expect(announcer.backlog().get('peerC')).toBeLessThanOrEqual(2 * 40 + 20);
    }
    world.health.set('peerC', 'up');
    await clock.advance(4 * BACKOFF_MAX_MS);
    expect(missing('peerC', held)).toEqual([]);
  });
});

describe('a changed ring', () => {
  it('gives a newcomer its shards and nothing else', async () => {
    const before = world.ring.current;
    world = new IndexWorld([...THREE, 'peerD']);
    const after = world.ring.current;
    world.ring.current = before;
    for (let each = 0; each < 400; each++) held.add(hashOf(each));
    const announcer = start();
    await announcer.announce([...held]);
    await settle();
    const sent = world.announced.length;
    world.ring.current = after;
    announcer.holdersChanged();
    announcer.onBoot('peerD', 'peerD-1');
    await settle();
    const own = [...held].filter((hash) => after.closest(shardOfHash(hash), 3).includes('peerD'));
    expect(missing('peerD', own)).toEqual([]);
    expect(world.table('peerD').recordCount).toBe(own.length);
    expect(new Set(world.announced.slice(sent).map((batch) => batch.peer))).toEqual(new Set(['peerD']));
  });

  it('gives a member the shards it inherits from one that left', async () => {
    world = new IndexWorld([...THREE, 'peerD']);
    for (let each = 0; each < 400; each++) held.add(hashOf(each));
    const announcer = start();
    await announcer.announce([...held]);
    await settle();
    world.ring.current = new Ring(THREE);
    announcer.holdersChanged();
    await settle();
    for (const peer of THREE) expect(missing(peer, held)).toEqual([]);
    expect([...announcer.backlog().keys()].toSorted()).toEqual(THREE);
  });

  it('acknowledges by the new holders what the old ones never answered', async () => {
    world = new IndexWorld([...THREE, 'peerD', 'peerE', 'peerF']);
    world.ring.current = new Ring(THREE);
    for (const peer of THREE) world.health.set(peer, 'hang');
    const announcer = start();
    const announced = announcer.announce([A]);
    expect(await isDone(announced)).toBe(false);
    world.ring.current = new Ring(['peerD', 'peerE', 'peerF']);
    announcer.holdersChanged();
    expect(await isDone(announced)).toBe(true);
  });
});
