/** @module A datanode's side of the index: tells the holders of each shard what it has, and keeps them told. */
import { Delivery, Receipt } from './delivery.ts';
import { noMetadataPeers, stopped } from './errors.ts';
import { Gate } from './gate.ts';
import { HolderLane } from './holder-lane.ts';
import type { AnnounceResponse } from './messages.ts';
import { checkHash } from './packed-hashes.ts';
import type { BlockHash, Clock, LocationRpc, Logger, MetadataRing, PeerId } from './ports.ts';
import { Reannouncement } from './reannouncement.ts';
import { HOLDERS_PER_SHARD, SHARD_COUNT, shardOfHash } from './shard.ts';

/** Calls wait once this many hashes are on their way without enough answers. */
export const DEFAULT_MAX_UNSETTLED_HASHES = 65_536;
/** A silent holder's lane keeps this many times as much before it gives up settled records for a re-announcement. */
const LANE_FACTOR = 2;

export interface AnnouncerComponents {
  readonly rpc: LocationRpc;
  readonly ring: MetadataRing;
  /** Every block held durably, listed anew each call; what is withdrawn meanwhile may still appear. */
  readonly held: () => AsyncIterable<BlockHash>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface AnnouncerOptions {
  /** This datanode's member number. */
  readonly node: number;
  /** Higher at each start of the datanode, at least 1. */
  readonly generation: number;
  readonly maxUnsettledHashes?: number;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

interface Holder {
  readonly lane: HolderLane;
  readonly reannouncement: Reannouncement;
  boot: string | undefined;
}

export class Announcer {
  readonly #components: AnnouncerComponents;
  readonly #options: AnnouncerOptions;
  readonly #maxUnsettled: number;
  readonly #holders = new Map<PeerId, Holder>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #unsettled = new Set<Delivery>();
  readonly #space = new Gate();
  readonly #abort = new AbortController();
  #sequence = 0;
  /** The holders of each shard as last told to holdersChanged(). */
  #owners: readonly (readonly PeerId[])[];

  constructor(components: AnnouncerComponents, options: AnnouncerOptions) {
    this.#components = components;
    this.#options = options;
    this.#maxUnsettled = options.maxUnsettledHashes ?? DEFAULT_MAX_UNSETTLED_HASHES;
    this.#owners = this.#currentOwners();
  }

  /** Hashes announced or withdrawn whose holders have not yet answered in sufficient number. */
  get unsettledCount(): number {
    return this.#unsettled.size;
  }

  /** Records not yet taken, by holder: what lags behind. */
  backlog(): ReadonlyMap<PeerId, number> {
    return new Map([...this.#holders].map(([peer, { lane }]) => [peer, lane.length]));
  }

  /**
   * Resolves once at least two of each shard's holders, or all if fewer, took the records; the others are told as they
   * answer. Waits for room first when too much is unanswered. Throws DHT_BAD_BATCH, DHT_NO_METADATA_PEERS, DHT_STOPPED,
   * or the signal's reason: what was accepted before that is still delivered.
   */
  announce(hashes: readonly BlockHash[], options: CallOptions = {}): Promise<void> {
    return this.#deliver(hashes, true, options);
  }

  /** As announce(), for blocks no longer held; every metadata node is told, in case it held the shard before. Delete first, withdraw then. Later calls about a hash win. */
  withdraw(hashes: readonly BlockHash[], options: CallOptions = {}): Promise<void> {
    return this.#deliver(hashes, false, options);
  }

  /** A metadata node gave a sign of life; with a `boot` unknown so far it is told everything it should hold. */
  onBoot(peer: PeerId, boot: string): void {
    if (this.#abort.signal.aborted || !this.#components.ring.all().includes(peer)) return;
    const holder = this.#holder(peer);
    holder.lane.wake();
    if (holder.boot === boot) return;
    holder.boot = boot;
    holder.reannouncement.want('everything');
  }

  /** The ring changed: new holders of a shard are told what belongs there, departed members are forgotten. */
  holdersChanged(): void {
    if (this.#abort.signal.aborted) return;
    const before = this.#owners;
    this.#owners = this.#currentOwners();
    this.#forgetDeparted();
    for (const [peer, shards] of gainedShards(before, this.#owners)) {
      // A holder not heard from yet gets everything with its first sign of life.
      if (this.#holders.get(peer)?.boot !== undefined) this.#holder(peer).reannouncement.want(shards);
    }
    for (const delivery of this.#unsettled) this.#dispatch(delivery);
  }

  /** Ends every call with DHT_STOPPED. What holders have not taken by then is re-announced after the next start. */
  async stop(): Promise<void> {
    this.#abort.abort(stopped('announce blocks'));
    for (const holder of this.#holders.values()) this.#dismiss(holder);
    this.#holders.clear();
    this.#unsettled.clear();
    await Promise.all(this.#leaving);
  }

  async #deliver(hashes: readonly BlockHash[], present: boolean, options: CallOptions): Promise<void> {
    const signal =
      options.signal === undefined
        ? this.#abort.signal
        : AbortSignal.any([options.signal, this.#abort.signal]);
    signal.throwIfAborted();
    hashes.forEach(checkHash);
    const receipt = new Receipt();
    for (const hash of new Set(hashes)) {
      while (this.#unsettled.size >= this.#maxUnsettled) await this.#space.wait(signal);
      if (this.#components.ring.all().length === 0) throw noMetadataPeers(`announce ${hashes.length} blocks`);
      receipt.add();
      const delivery = new Delivery(hash, present, (settled) => {
        this.#unsettled.delete(settled);
        if (this.#unsettled.size === this.#maxUnsettled - 1) this.#space.open();
        receipt.settleOne();
      });
      this.#unsettled.add(delivery);
      for (const { reannouncement } of this.#holders.values()) reannouncement.note(hash, present);
      this.#dispatch(delivery);
    }
    await receipt.complete(signal);
  }

  #dispatch(delivery: Delivery): void {
    const { ring } = this.#components;
    const holders = ring.closest(shardOfHash(delivery.hash), HOLDERS_PER_SHARD);
    const untold = delivery.expect(holders);
    // Who held the shard earlier may hold it again, or be asked when the holders know nothing: it must not go on counting
    // a copy that is gone.
    const former = delivery.present ? [] : ring.all().filter((peer) => !holders.includes(peer));
    for (const peer of [...untold, ...former]) this.#holder(peer).lane.send(delivery);
  }

  #holder(peer: PeerId): Holder {
    const known = this.#holders.get(peer);
    if (known !== undefined) return known;
    const lane = new HolderLane(this.#components, {
      peer,
      node: this.#options.node,
      generation: this.#options.generation,
      maxHashes: LANE_FACTOR * this.#maxUnsettled,
      nextSequence: () => ++this.#sequence,
      onAnswer: (response: AnnounceResponse) => this.onBoot(peer, response.boot),
      onOverflow: () => holder.reannouncement.want('everything'),
    });
    const reannouncement = new Reannouncement({ ...this.#components, lane }, peer);
    const holder: Holder = { lane, reannouncement, boot: undefined };
    this.#holders.set(peer, holder);
    return holder;
  }

  #forgetDeparted(): void {
    const members = new Set(this.#components.ring.all());
    for (const [peer, holder] of this.#holders) {
      if (members.has(peer)) continue;
      this.#holders.delete(peer);
      this.#dismiss(holder);
    }
  }

  #dismiss(holder: Holder): void {
    const leaving = Promise.all([holder.lane.stop(), holder.reannouncement.stop()]).then(() => {
      this.#leaving.delete(leaving);
    });
    this.#leaving.add(leaving);
  }

  #currentOwners(): (readonly PeerId[])[] {
    return Array.from({ length: SHARD_COUNT }, (_, shard) =>
      this.#components.ring.closest(shard, HOLDERS_PER_SHARD),
    );
  }
}

function gainedShards(
  before: readonly (readonly PeerId[])[],
  after: readonly (readonly PeerId[])[],
): Map<PeerId, Set<number>> {
  const gained = new Map<PeerId, Set<number>>();
  after.forEach((peers, shard) => {
    for (const peer of peers.filter((each) => before[shard]?.includes(each) !== true)) {
      const shards = gained.get(peer) ?? new Set();
      gained.set(peer, shards.add(shard));
    }
  });
  return gained;
}
