/**
 * @module A datanode and its metadata nodes in a storm, from one seed: requests and answers come late or never, nodes are
 * called away and come back, restart and forget; and everybody hears of it at a time of his own.
 */
import { Announcer } from '../../dht/announcer.ts';
import { startDeadline } from '../../dht/deadline.ts';
import { Handover } from '../../dht/handover.ts';
import { LocationServer } from '../../dht/location-server.ts';
import type { LocationTable } from '../../dht/location-table.ts';
import { type Membership, MembershipRing } from '../../dht/membership-ring.ts';
import type { BlockHash, LocationRpc, PeerId } from '../../dht/ports.ts';
import { HOLDERS_PER_SHARD, shardOfHash } from '../../dht/shard.ts';
import { ShardLedger } from '../../dht/shard-ledger.ts';
import { TellingTurns } from '../../dht/telling-turns.ts';
import { hashOf, HeldSet } from './index-world.ts';
import { ManualClock } from '../manual-clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { StormPost } from './storm-post.ts';
import { newTable } from './new-table.ts';

export const DATANODE = 7;
const HEARTBEAT_MS = 3_000;
const WORK_MS = 400;
const NEVER = new AbortController().signal;

/** What the metadata nodes have agreed on: who is away, since which entry of their log. */
interface Registry {
  version: number;
  readonly away: Set<PeerId>;
  readonly absences: Map<PeerId, number>;
}

/** A metadata node, as tests look at it. */
export interface StormHolder extends Pick<Holder, 'table' | 'ledger' | 'ring'> {
  readonly peer: PeerId;
  /** The last that the datanode heard from it was of its present life. */
  readonly isHeard: boolean;
}

interface Holder {
  readonly table: LocationTable;
  readonly ledger: ShardLedger;
  readonly server: LocationServer;
  readonly ring: MembershipRing;
  readonly handover: Handover;
  /** As far as its log is applied. */
  readonly list: { applied: Membership };
  absences: number | undefined;
  isWorking: boolean;
}

interface Datanode {
  readonly generation: number;
  readonly ring: MembershipRing;
  readonly announcer: Announcer;
  readonly beating: Set<PeerId>;
  readonly list: { known: Membership };
  /** Of each holder the life that it heard from last. */
  readonly boots: Map<PeerId, string>;
}

export class StormWorld {
  readonly clock: ManualClock = new ManualClock();
  readonly held: HeldSet = new HeldSet();
  readonly post: StormPost;
  readonly #peers: readonly PeerId[];
  readonly #registry: Registry = { version: 1, away: new Set(), absences: new Map() };
  readonly #holders = new Map<PeerId, Holder>();
  #datanode: Datanode;
  #blocks = 0;
  #boots = 0;
  #generation = 0;

  constructor(seed: number, peers: readonly PeerId[]) {
    this.post = new StormPost(this.clock, seed);
    this.#peers = peers;
    for (const peer of peers) this.restartMetadata(peer);
    this.#datanode = this.#startDatanode();
  }

  /** Time goes on, with heartbeats, and the steps of the workers. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += WORK_MS) {
      if (passed % HEARTBEAT_MS < WORK_MS) for (const peer of this.#peers) void this.#beat(peer);
      for (const peer of this.#peers) this.#work(peer);
      await this.clock.advance(WORK_MS);
    }
  }

  /** Something happens. */
  act(): void {
    const peer = this.post.pick(this.#peers);
    switch (this.post.pick(['add', 'remove', 'away', 'back', 'flap', 'meta', 'data', 'found'] as const)) {
      case 'add':
        return void this.#announce(this.addBlocks(this.post.below(200)));
      case 'remove':
        return this.#remove(this.post.below(100));
      case 'away':
        return this.setAway(peer, true);
      case 'back':
        return this.setAway(peer, false);
      case 'flap':
        return this.change();
      case 'meta':
        return this.restartMetadata(peer);
      case 'data':
        return this.restartDatanode();
      case 'found':
        this.addBlocks(this.post.below(3_000));
        return this.restartDatanode();
    }
  }

  /** From now on everybody answers at once, and nobody is away. */
  calm(): void {
    this.post.weather = 'calm';
    for (const peer of this.#peers) this.setAway(peer, false);
  }

  /** Held, but nobody is told. */
  addBlocks(count: number): BlockHash[] {
    const hashes = Array.from({ length: count }, () => hashOf(this.#blocks++));
    this.held.add(...hashes);
    return hashes;
  }

  /** Blocks that come and are announced one by one; `onTaken` is told when a holder or two have taken one. */
  announceEach(count: number, onTaken: (hash: BlockHash) => void): void {
    for (const hash of this.addBlocks(count))
      this.#datanode.announcer.announce([hash]).then(() => onTaken(hash), stopped);
  }

  setAway(peer: PeerId, isAway: boolean): void {
    const { away, absences } = this.#registry;
    if (away.has(peer) === isAway) return;
    if (isAway && away.size === this.#peers.length - 1) return;
    if (isAway) {
      away.add(peer);
      absences.set(peer, (absences.get(peer) ?? 0) + 1);
    } else away.delete(peer);
    this.change();
  }

  /** Something of a member changed, and be it only how lively a datanode is. */
  change(): void {
    this.#registry.version++;
  }

  restartMetadata(peer: PeerId): void {
    const table = newTable();
    const list = { applied: this.#membership() };
    const ring = new MembershipRing(() => list.applied, peer);
    const ledger = new ShardLedger(ring, peer);
    const awaited = (): readonly number[] => [DATANODE];
    const { clock } = this;
    const isDatanode = (): boolean => true;
    const parts = { table, ledger, ring, awaited, isDatanode, turns: new TellingTurns({ clock }) };
    const server = new LocationServer(parts, { boot: `boot-${++this.#boots}` });
    const handover = new Handover(
      { rpc: this.#rpc(), ring, table, ledger, isDatanode, awaited, clock, logger: silentLogger },
      { self: peer },
    );
    const own = { table, ledger, ring, server, handover, list };
    this.#holders.set(peer, { ...own, absences: undefined, isWorking: false });
  }

  restartDatanode(): void {
    void this.#datanode.announcer.stop();
    this.#datanode = this.#startDatanode();
  }

  async stop(): Promise<void> {
    await this.#datanode.announcer.stop();
  }

  /** Every holder with what it has. */
  holders(): readonly StormHolder[] {
    const { boots } = this.#datanode;
    return this.#peers.map((peer) => {
      const holder = this.#holder(peer);
      return { ...holder, peer, isHeard: boots.get(peer) === holder.server.boot };
    });
  }

  /** Those of the block's shard, as the datanode believes. */
  holdersOf(hash: BlockHash): readonly StormHolder[] {
    const closest = this.#datanode.ring.closest(shardOfHash(hash), HOLDERS_PER_SHARD);
    return this.holders().filter(({ peer }) => closest.includes(peer));
  }

  get datanodeEpoch(): number {
    return this.#datanode.ring.epoch;
  }

  #membership(): Membership {
    const { version, away } = this.#registry;
    return { epoch: version, peers: this.#peers.filter((peer) => !away.has(peer)) };
  }

  #holder(peer: PeerId): Holder {
    const holder = this.#holders.get(peer);
    if (holder === undefined) throw new Error(`No such peer: ${peer}`);
    return holder;
  }

  /** A step of the worker of a metadata node, which also applies what the log says by now, or not yet. */
  #work(peer: PeerId): void {
    const holder = this.#holder(peer);
    if (this.post.weather === 'storm' && this.post.random() < 0.4) return;
    holder.list.applied = this.#membership();
    if (holder.isWorking) return;
    holder.isWorking = true;
    holder.ring.refresh();
    const absences = this.#registry.absences.get(peer) ?? 0;
    if (holder.absences !== undefined && holder.absences !== absences) {
      holder.ledger.reset();
      holder.handover.compareFirst();
    }
    holder.absences = absences;
    void holder.handover.work(NEVER).finally(() => (holder.isWorking = false));
  }

  #startDatanode(): Datanode {
    const { clock, held } = this;
    const generation = ++this.#generation;
    const list = { known: { epoch: 0, peers: this.#peers } };
    const ring = new MembershipRing(() => list.known);
    const boots = new Map<PeerId, string>();
    const announcer = new Announcer(
      { rpc: this.#rpc(boots), ring, held, clock, logger: silentLogger },
      { node: DATANODE, generation },
    );
    ring.onChange(() => announcer.holdersChanged());
    return { generation, ring, announcer, list, boots, beating: new Set() };
  }

  /** As the session of a datanode: one heartbeat at a time to each, and the answer brings the list of members. */
  async #beat(peer: PeerId): Promise<void> {
    const datanode = this.#datanode;
    const { announcer, ring, generation } = datanode;
    if (datanode.beating.has(peer)) return;
    datanode.beating.add(peer);
    const deadline = startDeadline(this.clock, HEARTBEAT_MS, 'send a heartbeat');
    try {
      const root = announcer.heldRoot(peer);
      const answer = await this.#call(peer, deadline.signal, ({ server, list: { applied } }) => {
        const isSame = root && server.matches({ node: DATANODE, generation, ...root });
        if (root === undefined) server.hear(DATANODE, generation);
        return { boot: server.boot, differs: isSame === false, applied };
      });
      if (answer.applied.epoch > datanode.list.known.epoch) {
        datanode.list.known = answer.applied;
        ring.refresh();
      }
      datanode.boots.set(peer, answer.boot);
      announcer.onAnswer(peer, answer);
    } catch {
      // The next heartbeat is another attempt.
    } finally {
      deadline.release();
      datanode.beating.delete(peer);
    }
  }

  /** `boots` learns of the lives that answer. */
  #rpc(boots: Map<PeerId, string> = new Map()): LocationRpc {
    const heard = async <T extends { boot: string }>(peer: PeerId, answer: Promise<T>): Promise<T> => {
      boots.set(peer, (await answer).boot);
      return answer;
    };
    return {
      announce: (peer, request, signal) =>
        heard(
          peer,
          this.#call(peer, signal, ({ server }) => server.announce(DATANODE, request)),
        ),
      compare: (peer, request, signal) =>
        heard(
          peer,
          this.#call(peer, signal, ({ server }) => server.compare(DATANODE, request)),
        ),
      lookup: (peer, request, signal) => this.#call(peer, signal, ({ server }) => server.lookup(request)),
      holdings: (peer, request, signal) => this.#call(peer, signal, ({ server }) => server.holdings(request)),
      pull: (peer, request, signal) => this.#call(peer, signal, ({ server }) => server.pull(request)),
      status: () => Promise.reject(new Error('not asked here')),
    };
  }

  #call<T>(peer: PeerId, signal: AbortSignal, serve: (holder: Holder) => T | Promise<T>): Promise<T> {
    const holder = this.#holder(peer);
    return this.post.call(signal, () => {
      // A life that is over answers no more.
      if (this.#holders.get(peer) !== holder) throw new Error(`${peer} was restarted`);
      return serve(holder);
    });
  }

  #announce(hashes: readonly BlockHash[]): void {
    this.#datanode.announcer.announce(hashes).catch(stopped);
  }

  #remove(count: number): void {
    const all = this.held.all();
    const hashes = [
      ...new Set(Array.from({ length: Math.min(count, all.length) }, () => this.post.pick(all))),
    ];
    this.held.delete(...hashes);
    this.#datanode.announcer.withdraw(hashes).catch(stopped);
  }
}

/** The datanode was restarted meanwhile. */
function stopped(error: unknown): void {
  if ((error as { code?: string }).code !== 'DHT_STOPPED') throw error;
}
