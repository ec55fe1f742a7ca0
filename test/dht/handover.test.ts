/** @module Taking shards over: within bounds, in parts where they are large, and from somebody else where one fails. */
import { describe, expect, it } from 'vitest';
import { Handover, SHARDS_PER_PULL } from '../../dht/handover.ts';
import { MAX_PULLED_BLOCKS } from '../../dht/pull-answer.ts';
import { MAX_BATCH_HASHES, packHashes } from '../../dht/packed-hashes.ts';
import type { HandoverRpc, PeerId } from '../../dht/ports.ts';
import { SHARD_COUNT } from '../../dht/shard.ts';
import { CALLER, hashOf, IndexWorld } from './index-world.ts';
import { ManualClock } from '../manual-clock.ts';
import { silentLogger } from '../../src/common/logger.ts';

const NEVER = new AbortController().signal;
const OLD = ['peerA', 'peerB'];
const NEW = 'peerC';

describe('a newcomer', () => {
  const clock = new ManualClock();

  /** Everybody but the newcomer knows `hashes`. */
  function joined(hashes: readonly string[]): IndexWorld {
    const world = new IndexWorld(OLD);
    let sequence = 0;
    for (let at = 0; at < hashes.length; at += MAX_BATCH_HASHES) {
      const added = packHashes(hashes.slice(at, at + MAX_BATCH_HASHES));
      const batch = { node: CALLER, generation: 1, sequence: ++sequence, added, removed: new Uint8Array(0) };
      for (const peer of OLD) world.server(peer).announce(CALLER, { ...batch, whole: [], epoch: 1 });
    }
    world.awaited = [CALLER];
    world.restart(NEW, `${NEW}-1`);
    world.setMembers([...OLD, NEW]);
    return world;
  }

  function handoverOf(world: IndexWorld, rpc: HandoverRpc, recordsPerSecond = 1e9): Handover {
    const parts = {
      ring: world.ring,
      table: world.table(NEW),
      ledger: world.ledger(NEW),
      logger: silentLogger,
    };
    const known = { isDatanode: () => true, awaited: () => world.awaited };
    return new Handover({ ...parts, ...known, rpc, clock }, { self: NEW, recordsPerSecond });
  }

  async function step(handover: Handover): Promise<'busy' | 'idle'> {
    const done = handover.work(NEVER);
    await clock.advance(1);
    return done;
  }

  it('takes over no more records a second than it may, while clients want something, too', async () => {
    const world = joined(Array.from({ length: 800 }, (_, each) => hashOf(each)));
    const perSecond = 400;
    const handover = handoverOf(world, world.rpc, perSecond);
    const startMs = clock.monotonicMs();
    let work: Promise<unknown> | undefined;
    while (world.ledger(NEW).missing().length > 0) {
      work ??= handover.work(NEVER).finally(() => (work = undefined));
      await clock.advance(100);
    }
    expect(world.table(NEW).recordCount).toBe(800);
    const seconds = (clock.monotonicMs() - startMs) / 1_000;
    // The last batches are taken at once, and their time is not waited for.
    const lastShare = (OLD.length * SHARDS_PER_PULL) / SHARD_COUNT;
    expect(seconds).toBeGreaterThan((1 - lastShare) * (800 / perSecond));
    expect(seconds).toBeLessThan(2 * (800 / perSecond));
    await clock.advance(1_000);
  });

  it('takes a shard that is too large for one answer in parts, and has it whole only then', async () => {
    const inShard = (each: number): string => `abc${hashOf(each).slice(3)}`;
    const hashes = Array.from({ length: MAX_PULLED_BLOCKS + 500 }, (_, each) => inShard(each));
    const world = joined(hashes);
    const handover = handoverOf(world, world.rpc);
    for (let steps = 0; world.ledger(NEW).missing().length > 0; steps++) {
      if (steps > 200) throw new Error('it is never whole');
      if (world.ledger(NEW).isComplete(0xabc)) expect(world.table(NEW).recordCount).toBe(hashes.length);
      await step(handover);
    }
    expect(world.table(NEW).recordCount).toBe(hashes.length);
  });

  it('takes from others what one of those who have it does not hand over', async () => {
    const world = joined(Array.from({ length: 2_000 }, (_, each) => hashOf(each)));
    const asked: PeerId[] = [];
    const pull: HandoverRpc['pull'] = (peer, request, signal) => {
      asked.push(peer);
      return peer === 'peerA' ? Promise.reject(new Error('no')) : world.rpc.pull(peer, request, signal);
    };
    const handover = handoverOf(world, { ...world.rpc, pull });
    for (let steps = 0; world.ledger(NEW).missing().length > 0; steps++) {
      if (steps > 200) throw new Error('it is never whole');
      await step(handover);
    }
    expect(world.table(NEW).recordCount).toBe(2_000);
    expect(new Set(asked)).toEqual(new Set(OLD));
  });
});
