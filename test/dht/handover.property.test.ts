/** @module Metadata nodes come, go and die while blocks are announced: lookups never miss one, and in the end each shard is where it belongs. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { COMPARE_FIRST_MS, type Handover } from '../../dht/handover.ts';
import { Locator } from '../../dht/locator.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import type { PeerId } from '../../dht/ports.ts';
import { HOLDERS_PER_SHARD, shardOfHash } from '../../dht/shard.ts';
import { CALLER, hashOf, IndexWorld } from './index-world.ts';
import { ManualClock } from '../manual-clock.ts';
import { silentLogger } from '../../src/common/logger.ts';

const PEERS = ['peerA', 'peerB', 'peerC', 'peerD', 'peerE', 'peerF', 'peerG'];
const FIRST = PEERS.slice(0, 4);
const NEVER = new AbortController().signal;

/** A cluster with one datanode, whose announcements reach the holders at once. */
class World {
  readonly clock = new ManualClock();
  readonly index = new IndexWorld(FIRST);
  readonly announced: string[] = [];
  readonly #handovers = new Map<PeerId, Handover>();
  #members: readonly PeerId[] = FIRST;
  #boots = 1;
  #sequence = 0;

  constructor() {
    for (const peer of FIRST) this.#begin(peer);
    this.index.awaited = [CALLER];
  }

  handover(of: PeerId): Handover {
    const handover = this.#handovers.get(of);
    if (handover === undefined) throw new Error(`${of} hands nothing over`);
    return handover;
  }

  announce(): void {
    const hash = hashOf(this.announced.length);
    this.announced.push(hash);
    const words = { removed: new Uint8Array(0), whole: [], epoch: this.index.ring.epoch };
    const batch = { node: CALLER, generation: 1, sequence: ++this.#sequence, ...words };
    for (const peer of this.index.ring.closest(shardOfHash(hash), HOLDERS_PER_SHARD))
      this.index.server(peer).announce(CALLER, { ...batch, added: packHashes([hash]) });
  }

  join(...peers: readonly PeerId[]): void {
    const newcomers = peers.filter((peer) => !this.#members.includes(peer));
    for (const peer of newcomers) {
      this.index.restart(peer, `boot-${++this.#boots}`);
      this.#begin(peer);
    }
    if (newcomers.length > 0) this.#setMembers([...this.#members, ...newcomers]);
  }

  /** It dies, or is told to leave: its shards are lost to the others from now on. */
  die(peer: PeerId): void {
    if (!this.#members.includes(peer) || this.#members.length === HOLDERS_PER_SHARD) return;
    this.index.health.set(peer, 'dead');
    this.#handovers.delete(peer);
    this.#setMembers(this.#members.filter((each) => each !== peer));
  }

  /** It comes back at once, with nothing. */
  restart(peer: PeerId): void {
    if (!this.#members.includes(peer)) return;
    this.index.restart(peer, `boot-${++this.#boots}`);
    this.#begin(peer);
  }

  /** One step of one node; true when there is more to do. */
  async step(peer: PeerId): Promise<boolean> {
    const done = this.#handovers.get(peer)?.work(NEVER);
    for (let turn = 0; turn < 4; turn++) await this.clock.advance(10);
    return (await done) === 'busy';
  }

  async settle(): Promise<void> {
    for (let quiet = 0, round = 0; quiet < 2; round++) {
      if (round > 400) throw new Error('the hand-over does not end');
      const busy = await Promise.all(this.#members.map((peer) => this.step(peer)));
      quiet = busy.some(Boolean) ? 0 : quiet + 1;
    }
  }

  async lookUpAll(): Promise<number> {
    const { rpc, ring } = this.index;
    const locator = new Locator({ rpc, ring, clock: this.clock, logger: silentLogger });
    const found = await locator.lookup(this.announced);
    return found.filter((nodes) => nodes.includes(CALLER)).length;
  }

  expectSettled(): void {
    const { ring } = this.index;
    for (const peer of this.#members) {
      const own = this.announced.filter((hash) =>
        ring.closest(shardOfHash(hash), HOLDERS_PER_SHARD).includes(peer),
      );
      expect(this.index.table(peer).recordCount).toBe(own.length);
      expect(own.every((hash) => this.index.knows(peer, hash))).toBe(true);
      expect([
        this.index.ledger(peer).missing(),
        this.index.ledger(peer).leaving(this.index.table(peer)),
      ]).toEqual([[], []]);
    }
  }

  #begin(peer: PeerId): void {
    this.#handovers.set(peer, this.index.handover(peer, this.clock));
  }

  #setMembers(members: readonly PeerId[]): void {
    this.#members = members;
    this.index.setMembers(members);
    for (const peer of members) this.index.ledger(peer).missing();
  }
}

const peer = fc.constantFrom(...PEERS);
const change = fc.oneof(
  fc.record({ kind: fc.constant('join' as const), peer }),
  fc.record({ kind: fc.constant('die' as const), peer }),
  fc.record({ kind: fc.constant('restart' as const), peer }),
);
/** Others between two changes take steps and announce; whoever is to be without loss has handed over before the next one dies. */
const between = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('announce' as const) }),
    fc.record({ kind: fc.constant('step' as const), peer }),
  ),
  { maxLength: 6 },
);

it('finds every announced block at every moment, and moves each shard to exactly those who are closest', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(change, between), { minLength: 1, maxLength: 5 }), async (script) => {
      const world = new World();
      for (let count = 0; count < 40; count++) world.announce();
      for (const [next, meanwhile] of script) {
        world[next.kind](next.peer);
        for (const act of meanwhile) {
          if (act.kind === 'announce') world.announce();
          else await world.step(act.peer);
          expect(await world.lookUpAll()).toBe(world.announced.length);
        }
        await world.settle();
        world.expectSettled();
      }
    }),
    { numRuns: 6 },
  );
});

it('drops what it had begun to take over, or was told by mistake, of shards that are not its own', async () => {
  const world = new World();
  for (let count = 0; count < 40; count++) world.announce();
  world.join('peerE');
  await world.step('peerE');
  world.die('peerA');
  await world.settle();
  const table = world.index.table('peerE');
  const [hash = ''] = world.announced.filter((each) => !world.index.knows('peerE', each));
  const batch = {
    removed: new Uint8Array(0),
    whole: [],
    epoch: 1,
    node: CALLER,
    generation: 1,
    sequence: 1_000,
  };
  world.index.server('peerE').announce(CALLER, { ...batch, added: packHashes([hash]) });
  expect(table.isEmpty(shardOfHash(hash))).toBe(false);
  await world.settle();
  world.expectSettled();
});

it('keeps what it has while none of the new holders has it', async () => {
  const world = new World();
  for (let count = 0; count < 200; count++) world.announce();
  // Seven at once: some shards change all three of their holders.
  world.join('peerE', 'peerF', 'peerG');
  for (const former of FIRST) await world.step(former);
  expect(await world.lookUpAll()).toBe(world.announced.length);
  await world.settle();
  world.expectSettled();
  expect(await world.lookUpAll()).toBe(world.announced.length);
});

it('does not take a shard that comes back to it for complete: what came meanwhile was told to others', async () => {
  const world = new World();
  for (let count = 0; count < 40; count++) world.announce();
  world.join('peerE');
  for (let count = 0; count < 200; count++) world.announce();
  world.die('peerE');
  await world.settle();
  world.expectSettled();
});

it('keeps its records while it is away, and needs no others where datanodes agree with it when it is back', async () => {
  const world = new World();
  for (let count = 0; count < 40; count++) world.announce();
  await world.settle();
  const table = world.index.table('peerA');
  const before = table.recordCount;
  world.index.setMembers(FIRST.slice(1));
  for (const each of [...FIRST, ...FIRST]) await world.step(each);
  expect(table.recordCount).toBe(before);

  world.index.setMembers(FIRST);
  const ledger = world.index.ledger('peerA');
  ledger.reset();
  const handover = world.handover('peerA');
  handover.compareFirst();
  for (let steps = 0; steps < 5; steps++) await world.step('peerA');
  expect([ledger.missing().length, handover.pulled]).toEqual([ledger.owned.size, 0]);

  const { digests, generation, sequence } = table.node(CALLER) ?? {};
  const root = digests?.root(ledger.owned) ?? new Uint8Array(0);
  const held = { node: CALLER, generation: generation ?? 0, sequence: sequence ?? 0 };
  expect(world.index.server('peerA').matches({ ...held, epoch: world.index.ring.epoch, root })).toBe(true);
  expect([ledger.missing(), handover.pulled]).toEqual([[], 0]);
});

it('takes over what datanodes did not agree with in time, once it is back', async () => {
  const world = new World();
  for (let count = 0; count < 40; count++) world.announce();
  await world.settle();
  world.index.setMembers(FIRST.slice(1));
  for (const each of FIRST) await world.step(each);
  const ledger = world.index.ledger('peerA');
  ledger.reset();
  const handover = world.handover('peerA');
  handover.compareFirst();
  await world.clock.advance(COMPARE_FIRST_MS);
  await world.step('peerA');
  world.index.setMembers(FIRST);
  await world.step('peerA');
  expect(ledger.missing().length).toBe(ledger.owned.size);
  await world.clock.advance(COMPARE_FIRST_MS);
  await world.settle();
  expect(ledger.missing()).toEqual([]);
});

it('moves the ideal share when a node joins, and no more', async () => {
  const world = new World();
  for (let count = 0; count < 4_000; count++) world.announce();
  world.join('peerE');
  await world.settle();
  world.expectSettled();
  const share = (world.announced.length * HOLDERS_PER_SHARD) / 5;
  expect(world.index.table('peerE').recordCount / share).toBeGreaterThan(0.8);
  expect(world.index.table('peerE').recordCount / share).toBeLessThan(1.2);
});
