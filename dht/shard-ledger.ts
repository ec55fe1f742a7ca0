/** @module Which shards this node holds, and of which of them it knows everything. */
import { Agreements } from './agreements.ts';
import type { MetadataRing, PeerId } from './ports.ts';
import { HOLDERS_PER_SHARD, SHARD_COUNT } from './shard.ts';
import { ShardSet } from './shard-set.ts';

/** So many shards that were asked for in vain are remembered, the first first. */
export const MAX_ASKED_SHARDS = 256;

const ALL_SHARDS = ShardSet.all();

/** The shards that `peer` is among the closest of. */
export function shardsOf(ring: MetadataRing, peer: PeerId): ShardSet {
  const members = ring.all();
  // Where everybody holds everything nothing need be sorted.
  if (members.length <= HOLDERS_PER_SHARD)
    return members.includes(peer) ? new ShardSet(ALL_SHARDS) : new ShardSet();
  const owned = new ShardSet();
  for (let shard = 0; shard < SHARD_COUNT; shard++)
    if (ring.closest(shard, HOLDERS_PER_SHARD).includes(peer)) owned.add(shard);
  return owned;
}

/**
 * A shard is complete here once another node that had it complete has handed it over, or once every datanode that is to be
 * reckoned with has agreed on its part of it. A shard that goes to others stays complete until they have it.
 */
export class ShardLedger {
  readonly #ring: MetadataRing;
  readonly #self: PeerId;
  #epoch = -1;
  #owned = new ShardSet();
  readonly #complete = new ShardSet();
  /** Shards that another node is known to have complete, and will hand over. */
  readonly #promised = new ShardSet();
  #isSurveyed = false;
  readonly #asked = new Set<number>();
  readonly #agreements = new Agreements();
  #losses = 0;

  constructor(ring: MetadataRing, self: PeerId) {
    this.#ring = ring;
    this.#self = self;
  }

  /** Shards this node is among the closest of, by the ring as it is now. */
  get owned(): ShardSet {
    this.#follow();
    return this.#owned;
  }

  get complete(): ShardSet {
    this.#follow();
    return this.#complete;
  }

  /** Owned, and not yet complete: those that somebody asked for come first. */
  missing(): number[] {
    const { owned, complete } = this;
    return this.urgentFirst(owned.without(complete));
  }

  /** Not owned any more, and still kept for those who ask: what was complete, and whatever else is in the table. */
  leaving(table: { isEmpty(shard: number): boolean }): number[] {
    const { owned, complete } = this;
    return ALL_SHARDS.without(owned).filter((shard) => complete.has(shard) || !table.isEmpty(shard));
  }

  isComplete(shard: number): boolean {
    return this.complete.has(shard);
  }

  /** Somebody asked for what may be missing here. */
  ask(shard: number): void {
    if (this.#asked.size < MAX_ASKED_SHARDS && this.owned.has(shard)) this.#asked.add(shard);
  }

  urgentFirst(shards: readonly number[]): number[] {
    if (this.#asked.size === 0) return [...shards];
    const given = new Set(shards);
    const urgent = [...this.#asked].filter((shard) => given.has(shard));
    return [...urgent, ...shards.filter((shard) => !this.#asked.has(shard))];
  }

  /** Everything of `shard` is here. */
  completed(shard: number): void {
    this.#complete.add(shard);
    this.#asked.delete(shard);
  }

  /** Others have it: nothing of it is kept here. */
  released(shard: number): void {
    this.#complete.delete(shard);
  }

  /** Rises with every shard that is lost. */
  get losses(): number {
    return this.#losses;
  }

  /** What was known of it here is gone: other holders hand it over, or its datanodes tell it anew. */
  lost(shard: number): void {
    this.#losses++;
    this.#complete.delete(shard);
    this.#agreements.end([shard]);
  }

  /** Says which missing shards others are about to hand over: datanodes need not send those. */
  promise(shards: Iterable<number>): void {
    this.#isSurveyed = true;
    this.#promised.clear();
    for (const shard of shards) this.#promised.add(shard);
  }

  /** Whether a datanode that differs in `shard` should send it: not what another holder hands over anyway. */
  wants(shard: number): boolean {
    return this.isComplete(shard) || (this.#isSurveyed && !this.#promised.has(shard));
  }

  /** Of which of its own shards this node and each datanode know the same. */
  get agreements(): Agreements {
    this.#follow();
    return this.#agreements;
  }

  /** Completes what every datanode of `awaited` has agreed on; returns how many shards that were. */
  settle(awaited: () => readonly number[]): number {
    // A list of members has to be known, else nobody would be awaited; and others may know more than the datanodes here.
    if (this.#ring.epoch === 0 || !this.#isSurveyed) return 0;
    const { agreements } = this;
    const settled = new ShardSet(this.owned);
    settled.deleteAll(this.complete);
    // With every heartbeat of every datanode; to look at all datanodes each time would be the square of them.
    if (settled.size === 0) return 0;
    for (const node of awaited()) settled.keepAll(agreements.with(node));
    for (const shard of settled) this.completed(shard);
    return settled.size;
  }

  /** Everything that was known here may be out of date. */
  reset(): void {
    this.#complete.clear();
    this.#promised.clear();
    this.#agreements.clear();
    this.#isSurveyed = false;
  }

  #follow(): void {
    if (this.#epoch === this.#ring.epoch) return;
    this.#epoch = this.#ring.epoch;
    const before = this.#owned;
    this.#owned = shardsOf(this.#ring, this.#self);
    // Datanodes say nothing of them to this node any more.
    this.#agreements.end(before.without(this.#owned));
    for (const shard of this.#owned) {
      if (before.has(shard)) continue;
      // While it was not ours nobody told us what came: what was kept of it is no longer everything.
      this.#complete.delete(shard);
      this.#promised.delete(shard);
      // Until the others were asked what they have, datanodes are not troubled.
      this.#isSurveyed = false;
    }
  }
}
