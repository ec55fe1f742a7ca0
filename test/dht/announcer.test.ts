/** @module The announcer against metadata nodes that die, hang, forget and come and go. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Announcer } from '../../dht/announcer.ts';
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS } from '../../dht/holder-lane.ts';
import {
  ANNOUNCE_TIMEOUT_MS,
  POSTPONED_COMPARISON_MS,
  RETRY_COMPARISON_MS,
} from '../../dht/lane-comparison.ts';
import { MAX_BATCH_HASHES } from '../../dht/packed-hashes.ts';
import type { PeerId } from '../../dht/ports.ts';
import { shardOfHash } from '../../dht/shard.ts';
import { TURN_MS } from '../../dht/telling-turns.ts';
import { CALLER, hashOf, HeldSet, IndexWorld } from './index-world.ts';
import { ManualClock, settle } from '../manual-clock.ts';
import { silentLogger } from '../../src/common/logger.ts';

const A = hashOf('a');
const B = hashOf('b');
const THREE = ['peerA', 'peerB', 'peerC'];

let world: IndexWorld;
let clock: ManualClock;
let held: HeldSet;
const announcers: Announcer[] = [];

beforeEach(() => {
  clock = new ManualClock();
  world = new IndexWorld(THREE, clock);
  held = new HeldSet();
});

afterEach(async () => {
  await Promise.all(announcers.splice(0).map((each) => each.stop()));
  expect(clock.pendingTimers).toBe(0);
});

function start(options: { generation?: number; maxUnsettledHashes?: number } = {}): Announcer {
  const { rpc, ring } = world;
  const announcer = new Announcer(
    { rpc, ring, held, clock, logger: silentLogger },
    { node: CALLER, generation: 1, ...options },
  );
  ring.onChange(() => announcer.holdersChanged());
  announcers.push(announcer);
  return announcer;
}

/** As a datanode does: first held, then announced. */
async function announce(announcer: Announcer, ...hashes: string[]): Promise<void> {
  held.add(...hashes);
  await announcer.announce(hashes);
}

async function withdraw(announcer: Announcer, ...hashes: string[]): Promise<void> {
  held.delete(...hashes);
  await announcer.withdraw(hashes);
}

/** One heartbeat to a holder and its answer. */
async function beat(announcer: Announcer, peer: PeerId): Promise<boolean | undefined> {
  const root = announcer.heldRoot(peer);
  const server = world.server(peer);
  const matches = root && server.matches({ node: CALLER, generation: 1, ...root });
  announcer.onAnswer(peer, { boot: server.boot, differs: matches === false });
  await settle();
  return matches;
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
    await announce(start(), A, B);
    await settle();
    for (const peer of THREE) expect(missing(peer, [A, B])).toEqual([]);
  });

  it('is acknowledged by two holders while the third is dead, and tells the third when it is back', async () => {
    world.health.set('peerC', 'dead');
    const announcer = start();
    await announce(announcer, A);
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

  it('is not acknowledged by a holder that took it and has forgotten it before another one answered', async () => {
    world.health.set('peerB', 'dead');
    world.health.set('peerC', 'dead');
    const announcer = start();
    held.add(A);
    const announced = announcer.announce([A]);
    await settle();
    expect(world.knows('peerA', A)).toBe(true);
    world.restart('peerA', 'peerA-2');
    world.health.set('peerA', 'dead');
    announcer.onAnswer('peerA', { boot: 'peerA-2', differs: false });
    world.health.set('peerB', 'up');
    await clock.advance(BACKOFF_MAX_MS);
    expect(world.knows('peerB', A)).toBe(true);
    expect(await isDone(announced)).toBe(false);
    world.health.set('peerA', 'up');
    await clock.advance(BACKOFF_MAX_MS);
    expect(await isDone(announced)).toBe(true);
    expect(world.knows('peerA', A)).toBe(true);
  });

  it('is not acknowledged by what a holder took in two lives, either', async () => {
    world.health.set('peerB', 'dead');
    world.health.set('peerC', 'dead');
    const announcer = start();
    held.add(A, B);
    const first = announcer.announce([A]);
    await settle();
    world.restart('peerA', 'peerA-2');
    // Its own answer is what tells of its new life.
    const second = announcer.announce([B]);
    await settle();
    expect(world.knows('peerA', A)).toBe(true);
    expect([await isDone(first), await isDone(second)]).toEqual([false, false]);
    world.health.set('peerB', 'up');
    await clock.advance(BACKOFF_MAX_MS);
    expect([await isDone(first), await isDone(second)]).toEqual([true, true]);
  });

  it('withdraws from a former holder of the shard, too, which may hold it again', async () => {
    const six = [...THREE, 'peerD', 'peerE', 'peerF'];
    world = new IndexWorld(six, clock);
    const farthest = world.ring.closest(shardOfHash(A), 6).slice(3);
    world.setMembers(farthest);
    const announcer = start();
    await announce(announcer, A);
    await settle();
    expect(farthest.map((peer) => world.knows(peer, A))).toEqual([true, true, true]);
    world.setMembers(six);
    await withdraw(announcer, A);
    await settle();
    for (const peer of six) expect(world.knows(peer, A)).toBe(false);
  });

  it('is content with the only holder there is', async () => {
    world = new IndexWorld(['peerA'], clock);
    await start().announce([A]);
    expect(world.knows('peerA', A)).toBe(true);
  });

  it('fails when no metadata node is known', async () => {
    world = new IndexWorld([], clock);
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
    await announce(start(), ...hashes);
    expect(world.batchesTo('peerA')[0]?.added).toHaveLength(MAX_BATCH_HASHES);
    await settle();
    expect(missing('peerA', hashes)).toHaveLength(0);
  });

  it('stops waiting when its signal fires, and still delivers', async () => {
    for (const peer of THREE) world.health.set(peer, 'dead');
    const abort = new AbortController();
    held.add(A);
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
    await announce(announcer, A);
    await withdraw(announcer, A);
    await settle();
    for (const peer of THREE) expect(world.knows(peer, A)).toBe(false);
  });

  it('wins over an announcement before it and loses to one after it, also while a holder lags', async () => {
    world.health.set('peerC', 'dead');
    const announcer = start();
    await announce(announcer, A, B);
    await withdraw(announcer, A, B);
    await announce(announcer, B);
    world.health.set('peerC', 'up');
    await clock.advance(BACKOFF_MAX_MS);
    for (const peer of THREE) expect([world.knows(peer, A), world.knows(peer, B)]).toEqual([false, true]);
  });

  it('is repeated under a higher sequence when the answer was lost', async () => {
    const announcer = start();
    await announce(announcer, A);
    world.health.set('peerC', 'lossy');
    await withdraw(announcer, A);
    await settle();
    world.health.set('peerC', 'up');
    await clock.advance(BACKOFF_MAX_MS);
    const [first, second] = world.batchesTo('peerC').filter((batch) => batch.removed.includes(A));
    expect(second?.sequence).toBeGreaterThan(first?.sequence ?? Infinity);
  });
});

describe('comparing', () => {
  const SOME = Array.from({ length: 500 }, (_, each) => hashOf(each));

  function ownOf(peer: PeerId): string[] {
    return held.all().filter((hash) => world.ring.closest(shardOfHash(hash), 3).includes(peer));
  }

  it('tells a holder that lost its memory everything held in its shards, and the others nothing', async () => {
    world = new IndexWorld([...THREE, 'peerD', 'peerE'], clock);
    held.add(...SOME);
    const announcer = start();
    announcer.onAnswer('peerD', { boot: 'peerD-1', differs: false });
    await settle();
    expect(ownOf('peerD').length).toBeGreaterThan(100);
    expect(world.table('peerD').recordCount).toBe(ownOf('peerD').length);
    expect(missing('peerD', ownOf('peerD'))).toEqual([]);
    expect(world.batchesTo('peerA')).toEqual([]);
  });

  it('sends nothing where both know the same, and says so with every heartbeat', async () => {
    const announcer = start();
    await announce(announcer, ...SOME);
    await settle();
    const sent = world.announced.length;
    const compared = world.compared.length;
    for (const peer of THREE)
      expect([await beat(announcer, peer), await beat(announcer, peer)]).toEqual([true, true]);
    expect([world.announced.length, world.compared.length]).toEqual([sent, compared]);
  });

  it('sends a shard that differs, alone', async () => {
    const announcer = start();
    await announce(announcer, ...SOME, A);
    await settle();
    world.table('peerB').dropShard(shardOfHash(A));
    const before = world.announced.length;
    expect(await beat(announcer, 'peerB')).toBe(false);
    await settle();
    const sent = world.announced.slice(before);
    expect(sent.map(({ peer, whole }) => [peer, whole])).toEqual([['peerB', [A.slice(0, 3)]]]);
    expect(await beat(announcer, 'peerB')).toBe(true);
  });

  it('takes from a holder what is not held any more, although nobody withdrew it', async () => {
    await announce(start(), A, B);
    await settle();
    held.delete(B);
    const later = start({ generation: 2 });
    for (const peer of THREE) later.onAnswer(peer, { boot: `${peer}-1`, differs: false });
    await settle();
    for (const peer of THREE) expect([world.knows(peer, A), world.knows(peer, B)]).toEqual([true, false]);
    const repeated = world.announced
      .filter((batch) => batch.generation === 2)
      .flatMap((batch) => batch.added);
    expect(repeated).toEqual([]);
  });

  it('notices a new boot in the answer to an announcement', async () => {
    const announcer = start();
    await announce(announcer, A);
    await settle();
    world.restart('peerB', 'peerB-2');
    await announce(announcer, B);
    await settle();
    expect(missing('peerB', [A, B])).toEqual([]);
  });

  it('is tried again at the next sign of life when it failed, though nobody says that anything differs', async () => {
    held.add(A);
    world.health.set('peerA', 'hang');
    const announcer = start();
    announcer.onAnswer('peerA', { boot: 'peerA-1', differs: false });
    await clock.advance(ANNOUNCE_TIMEOUT_MS);
    world.health.set('peerA', 'up');
    const answer = async (): Promise<number> => {
      announcer.onAnswer('peerA', { boot: 'peerA-1', differs: false });
      await settle();
      return world.compared.length;
    };
    expect(await answer()).toBe(1);
    await clock.advance(RETRY_COMPARISON_MS);
    expect(await answer()).toBeGreaterThan(1);
    expect(world.knows('peerA', A)).toBe(true);
  });

  it('follows what is wanted, though there was another before all of that was sent', async () => {
    // More than one batch of few shards.
    const inShard = (each: number): string =>
      (each % 200).toString(16).padStart(3, '0') + hashOf(each).slice(3);
    held.add(...Array.from({ length: 6_000 }, (_, each) => inShard(each)));
    const announcer = start();
    world.onAnnounce = () => {
      world.onAnnounce = undefined;
      announcer.onAnswer('peerA', { boot: 'peerA-1', differs: true });
      throw new Error('not taken');
    };
    announcer.onAnswer('peerA', { boot: 'peerA-1', differs: false });
    await clock.advance(BACKOFF_MIN_MS + 8 * TURN_MS);
    expect(world.ledger('peerA').agreements.with(CALLER).size).toBe(4_096);
  });

  it('waits for a holder that first asks the other holders, and looks again soon', async () => {
    held.add(A);
    world.awaited = [CALLER];
    world.restart('peerA', 'peerA-2');
    world.ledger('peerA').promise([shardOfHash(A)]);
    const announcer = start();
    announcer.onAnswer('peerA', { boot: 'peerA-2', differs: false });
    await settle();
    expect(world.knows('peerA', A)).toBe(false);
    world.ledger('peerA').promise([]);
    await clock.advance(POSTPONED_COMPARISON_MS);
    expect(world.knows('peerA', A)).toBe(true);
  });

  it('comes again when a holder says so, and in no haste', async () => {
    held.add(...Array.from({ length: 2 * MAX_BATCH_HASHES }, (_, each) => hashOf(each)));
    const announcer = start();
    announcer.onAnswer('peerA', { boot: 'peerA-1', differs: false });
    await clock.advance(1);
    const first = world.table('peerA').recordCount;
    expect(first).toBeLessThanOrEqual(MAX_BATCH_HASHES);
    const compared = world.compared.length;
    await clock.advance(TURN_MS - 50);
    expect([world.compared.length, world.table('peerA').recordCount]).toEqual([compared, first]);
    await clock.advance(10 * TURN_MS);
    expect(world.table('peerA').recordCount).toBe(2 * MAX_BATCH_HASHES);
  });

  it('goes on where a holder wants more than fits into one batch, in no larger steps', async () => {
    held.add(...Array.from({ length: MAX_BATCH_HASHES + 500 }, (_, each) => hashOf(each)));
    const announcer = start();
    announcer.onAnswer('peerA', { boot: 'peerA-1', differs: false });
    await clock.advance(6 * TURN_MS);
    expect(world.table('peerA').recordCount).toBe(MAX_BATCH_HASHES + 500);
    const sizes = world.batchesTo('peerA').map(({ added }) => added.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_BATCH_HASHES);
  });

  it('sends a shard that is too large for one batch in parts', async () => {
    const many = Array.from({ length: MAX_BATCH_HASHES + 100 }, (_, each) => `abc${hashOf(each).slice(3)}`);
    held.add(...many);
    const announcer = start();
    announcer.onAnswer('peerA', { boot: 'peerA-1', differs: false });
    for (let turn = 0; turn < 20; turn++) await clock.advance(1);
    expect(missing('peerA', many)).toEqual([]);
    expect(await beat(announcer, 'peerA')).toBe(true);
  });
});

describe('a holder silent for long', () => {
  it('costs bounded memory and gets everything when it is back', async () => {
    const announcer = start({ maxUnsettledHashes: 20 });
    // Its boot is known and stays the same: only the digests can show what was given up.
    announcer.onAnswer('peerC', { boot: 'peerC-1', differs: false });
    await settle();
    world.health.set('peerC', 'dead');
    for (let each = 0; each < 200; each++) {
      await announce(announcer, hashOf(each));
      expect(announcer.backlog().get('peerC')).toBeLessThanOrEqual(2 * 40 + 20);
    }
    world.health.set('peerC', 'up');
    await clock.advance(4 * BACKOFF_MAX_MS);
    expect(missing('peerC', held.all()).length).toBeGreaterThan(0);
    expect(await beat(announcer, 'peerC')).toBe(false);
    await clock.advance(1);
    expect(await beat(announcer, 'peerC')).toBe(true);
    expect(missing('peerC', held.all())).toEqual([]);
  });
});

describe('a changed membership', () => {
  const FOUR = [...THREE, 'peerD'];

  it('is learnt from the answer of a holder that knows it, and the announcement reaches whoever counts now', async () => {
    world = new IndexWorld(FOUR, clock);
    const [first, second, third, last] = world.ring.closest(shardOfHash(A), 4) as [
      string,
      string,
      string,
      string,
    ];
    const former = [first, second, last];
    world.setMembers(former);
    const own = world.newRing();
    const announcer = new Announcer(
      { rpc: world.rpc, ring: own, held, clock, logger: silentLogger },
      { node: CALLER, generation: 1 },
    );
    own.onChange(() => announcer.holdersChanged());
    announcers.push(announcer);
    world.setMembers(FOUR);
    await announce(announcer, A);
    await settle();
    expect(own.epoch).toBe(world.ring.epoch);
    expect(world.knows(third, A)).toBe(true);
  });

  it('sends nothing again that was announced: the holders hand it over', async () => {
    world = new IndexWorld(FOUR, clock);
    world.setMembers(THREE);
    const announcer = start();
    await announce(announcer, A, B);
    await settle();
    const sent = world.announced.length;
    world.setMembers(FOUR);
    await settle();
    world.setMembers(THREE);
    await settle();
    expect(world.announced.length).toBe(sent);
    expect([...announcer.backlog().keys()].toSorted()).toEqual(THREE);
  });

  it('acknowledges by the new holders what the old ones never answered', async () => {
    world = new IndexWorld([...THREE, 'peerD', 'peerE', 'peerF'], clock);
    world.setMembers(THREE);
    for (const peer of THREE) world.health.set(peer, 'hang');
    held.add(A);
    const announced = start().announce([A]);
    expect(await isDone(announced)).toBe(false);
    world.setMembers(['peerD', 'peerE', 'peerF']);
    expect(await isDone(announced)).toBe(true);
  });
});
