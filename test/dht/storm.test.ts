/** @module Seeded storms over one datanode and its holders: when all is quiet again, each holder knows exactly what it should. */
import { describe, expect, it } from 'vitest';
import { complaints, falselyAgreed, isFounded, lacking } from './storm-checks.ts';
import { StormWorld } from './storm-world.ts';

const PEERS = ['peerA', 'peerB', 'peerC', 'peerD', 'peerE'];
const EVENTS = 8;
/** Longer than everything that is still on its way, and all time-outs. */
const QUIET_MS = 25_000;
/** More shards than one comparison asks for. */
const MANY_BLOCKS = 2_500;

describe('after a storm', () => {
  for (const seed of [1, 2])
    it(`every holder has exactly the records of its shards, and agrees on them (seed ${seed})`, async () => {
      const world = new StormWorld(seed, PEERS.slice(0, 3 + (seed % 3)));
      world.addBlocks(500);
      await world.pass(12_000);
      expect(complaints(world)).toEqual([]);
      world.post.weather = 'storm';
      for (let event = 0; event < EVENTS; event++) {
        world.act();
        await world.pass(2_000 + ((seed * 7 + event * 13) % 5) * 1_000);
      }
      world.calm();
      await world.pass(QUIET_MS);
      expect([complaints(world), falselyAgreed(world)]).toEqual([[], []]);
      await world.stop();
    });
});

describe('in a storm', () => {
  for (const seed of [7, 8, 10])
    it(`an announcement is acknowledged when two holders have it, as far as the datanode can know (seed ${seed})`, async () => {
      const world = new StormWorld(seed, PEERS.slice(0, 3 + (seed % 3)));
      await world.pass(6_000);
      world.post.weather = 'storm';
      const taken: string[] = [];
      const unfounded: string[] = [];
      for (let event = 0; event < EVENTS; event++) {
        world.announceEach(10, (hash) => {
          taken.push(hash);
          if (!isFounded(world, hash)) unfounded.push(hash);
        });
        if (event % 2 === 1) world.restartMetadata(world.post.pick(PEERS.slice(0, 3)));
        await world.pass(1_000 + world.post.below(4_000));
      }
      world.calm();
      await world.pass(QUIET_MS);
      expect(unfounded).toEqual([]);
      expect(taken).toHaveLength(10 * EVENTS);
      await world.stop();
    });
});

describe('while members change all the time and nobody answers quickly', () => {
  it('holders learn everything that a datanode brings, and agree on nothing that they do not know', async () => {
    const world = new StormWorld(1, PEERS.slice(0, 3));
    world.addBlocks(2);
    await world.pass(12_000);
    world.addBlocks(MANY_BLOCKS);
    world.restartDatanode();
    world.post.weather = 'slow';
    // As on a machine that is overloaded: with each change of a member the list is another, and its epoch.
    for (let seconds = 0; seconds < 60; seconds++) {
      world.change();
      await world.pass(1_000);
      if (seconds % 10 === 9) expect(falselyAgreed(world)).toEqual([]);
    }
    expect(lacking(world)).toEqual([]);
    await world.stop();
  });
});
