/** @module A datanode's side of the index: tells the holders of each shard what it has, and keeps them told. */
import { Delivery, Receipt } from './delivery.ts';
import { relayAbort } from './deadline.ts';
import { noMetadataPeers, stopped } from './errors.ts';
import { Gate } from './gate.ts';
import { HolderLane, type LaneRoot } from './holder-lane.ts';
import { HeldDigests } from './held-digests.ts';
import { checkHashes } from './packed-hashes.ts';
import type { AnnounceRpc, BlockHash, Clock, HeldBlocks, Logger, MetadataRing, PeerId } from './ports.ts';
import { HOLDERS_PER_SHARD, shardOfHash } from './shard.ts';

/** Calls wait once this many hashes are on their way without enough answers. */
export const DEFAULT_MAX_UNSETTLED_HASHES = 65_536;
/** A silent holder's lane keeps this many times as much before it gives up settled records for a comparison. */
const LANE_FACTOR = 2;
/** After so many heartbeats during which something was always under way, the rest is compared all the same. */
const MAX_BUSY_HEARTBEATS = 10;

const NOBODY: readonly PeerId[] = [];

export interface AnnouncerComponents {
  readonly rpc: AnnounceRpc;
  readonly ring: MetadataRing;
  readonly held: HeldBlocks;
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
  boot: string | undefined;
  busyHeartbeats: number;
}

export class Announcer {
  readonly #components: AnnouncerComponents;
  readonly #options: AnnouncerOptions;
  readonly #maxUnsettled: number;
  readonly #digests: HeldDigests;
  readonly #holders = new Map<PeerId, Holder>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #unsettled = new Set<Delivery>();
  readonly #space = new Gate();
  readonly #abort = new AbortController();
  #sequence = 0;

  constructor(components: AnnouncerComponents, options: AnnouncerOptions) {
    this.#components = components;
    this.#options = options;
    this.#maxUnsettled = options.maxUnsettledHashes ?? DEFAULT_MAX_UNSETTLED_HASHES;
    this.#digests = new HeldDigests(components);
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
   * Resolves once at least two of each shard's holders, or all if fewer, took the records and are not known to have lost them
   * since; the others are told as they answer. Waits for room first when too much is unanswered. Throws DHT_BAD_BATCH, DHT_NO_METADATA_PEERS, DHT_STOPPED,
   * or the signal's reason: what was accepted before that is still delivered.
   */
  announce(hashes: readonly BlockHash[], options: CallOptions = {}): Promise<void> {
    return this.#deliver(hashes, true, options);
  }

  /** As announce(), for blocks no longer held; every metadata node is told, in case it held the shard before. Delete first, withdraw then. Later calls about a hash win. */
  withdraw(hashes: readonly BlockHash[], options: CallOptions = {}): Promise<void> {
    return this.#deliver(hashes, false, options);
  }

  /**
   * What a heartbeat to `peer` says of the blocks held, so that it can tell whether it knows the same; undefined while
   * something is under way to it, and for a peer that holds no shards.
   */
  heldRoot(peer: PeerId): LaneRoot | undefined {
    if (this.#abort.signal.aborted || !this.#components.ring.all().includes(peer)) return undefined;
    const holder = this.#holder(peer);
    const root = holder.lane.root();
    if (root !== undefined) {
      holder.busyHeartbeats = 0;
      return root;
    }
    holder.busyHeartbeats++;
    if (holder.busyHeartbeats < MAX_BUSY_HEARTBEATS) return undefined;
    holder.busyHeartbeats = 0;
    holder.lane.compare();
    return undefined;
  }

  /** A metadata node gave a sign of life, and said whether what it knows differs from what heldRoot() told it. */
  onAnswer(peer: PeerId, { boot, differs }: { readonly boot: string; readonly differs: boolean }): void {
    if (this.#abort.signal.aborted || !this.#components.ring.all().includes(peer)) return;
    const holder = this.#holder(peer);
    holder.lane.wake();
    const isNewBoot = holder.boot !== boot;
    const hasForgotten = isNewBoot && holder.boot !== undefined;
    holder.boot = boot;
    // A comparison would bring it all again; whoever waits for two holders waits for two that have it.
    if (hasForgotten)
      for (const delivery of this.#unsettled) if (delivery.forgottenBy(peer)) holder.lane.send(delivery);
    if (isNewBoot || differs) holder.lane.compare();
  }

  /**
   * The ring changed: announcements on their way go to whoever counts now, departed members are forgotten. What was
   * announced before, the holders hand over among themselves.
   */
  holdersChanged(): void {
    if (this.#abort.signal.aborted) return;
    this.#forgetDeparted();
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
    const { signal: given } = options;
    if (given === undefined) return this.#deliverUntil(this.#abort.signal, hashes, present);
    const ending = new AbortController();
    const releases = [relayAbort(this.#abort.signal, ending), relayAbort(given, ending)];
    try {
      await this.#deliverUntil(ending.signal, hashes, present);
    } finally {
      for (const release of releases) release();
    }
  }

  async #deliverUntil(signal: AbortSignal, hashes: readonly BlockHash[], present: boolean): Promise<void> {
    signal.throwIfAborted();
    checkHashes(hashes);
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
      this.#digests.changed(shardOfHash(hash));
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
    const former = delivery.present ? NOBODY : ring.all().filter((peer) => !holders.includes(peer));
    for (const peer of untold) this.#holder(peer).lane.send(delivery);
    for (const peer of former) this.#holder(peer).lane.send(delivery);
  }

  #holder(peer: PeerId): Holder {
    const known = this.#holders.get(peer);
    if (known !== undefined) return known;
    const lane = new HolderLane(
      { ...this.#components, digests: this.#digests },
      {
        peer,
        node: this.#options.node,
        generation: this.#options.generation,
        maxHashes: LANE_FACTOR * this.#maxUnsettled,
        nextSequence: () => ++this.#sequence,
        onBoot: (boot) => this.onAnswer(peer, { boot, differs: false }),
      },
    );
    const holder: Holder = { lane, boot: undefined, busyHeartbeats: 0 };
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
    const leaving = holder.lane.stop().then(() => {
      this.#leaving.delete(leaving);
    });
    this.#leaving.add(leaving);
  }
}
