/** @module Which datanodes hold which block: soft state, some seventy bytes a block, no object per record; in memory, and on disk what does not fit. */
import { isBelow, shardOfPrefix, SHARD_DIGITS } from './hash-prefix.ts';
import { HolderRegistry } from './holder-registry.ts';
import type { AnnounceRequest } from './messages.ts';
import { type KnownNode, NodeBook, type NodeState, type StaleOutcome } from './node-book.ts';
import { countPacked, forEachPacked, hashAt } from './packed-hashes.ts';
import type { BlockHash } from './ports.ts';
import { SaidHashes } from './said-hashes.ts';
import { hashKeyOf } from './shard-records.ts';
import { ShardSpill, type ShardSpillComponents, type ShardSpillOptions } from './shard-spill.ts';
import { TableRoom } from './table-room.ts';
import { TableShards } from './table-shards.ts';

/** A record is one (block, datanode) pair. At no more than RECORD_SIZE_BYTES each this bounds the table near 2.4 GiB. */
export const DEFAULT_MAX_RECORDS = 32_000_000;

export interface LocationTableOptions {
  /** In memory and on disk together. */
  readonly maxRecords?: number;
  /** Where shards go that do not fit into memory; without it, all must. */
  readonly spill?: Omit<ShardSpillComponents, 'shards'> & ShardSpillOptions;
  /** HASH_SIZE_BYTES secret bytes, so that nobody can choose hashes that are slow to find. */
  readonly secret: Uint8Array;
  /** Told of every block that a datanode, by its own word, has no longer. Called in the middle of a batch: only note it. */
  readonly onRemoved?: (hash: BlockHash) => void;
}

/** What became of a batch. The stale kinds changed nothing. */
export type AnnounceOutcome =
  /** `taken` counts added and removed hashes; fewer than sent means the table has no room for more of this datanode. */
  { readonly kind: 'taken'; readonly taken: number } | StaleOutcome;

/** Blocks and their holders as LookupResponse has them. */
export interface PackedRecords {
  readonly hashes: Uint8Array;
  readonly counts: readonly number[];
  readonly nodes: readonly number[];
}

/**
 * Synchronous. While some shards are on disk, PatientTable reads beforehand what an operation will touch; what is said here
 * of a shard means wherever it is.
 */
export class LocationTable {
  /** Undefined when all records must be in memory. */
  readonly spill: ShardSpill | undefined;
  readonly #onRemoved: LocationTableOptions['onRemoved'];
  readonly #holders = new HolderRegistry();
  readonly #nodes = new NodeBook(this.#holders);
  readonly #shards: TableShards;
  readonly #room: TableRoom;

  constructor({ spill, ...options }: LocationTableOptions) {
    this.#shards = new TableShards(this.#holders, hashKeyOf(options.secret));
    this.#onRemoved = options.onRemoved;
    this.spill = spill === undefined ? undefined : this.#newSpill(spill);
    this.#room = new TableRoom(
      { holders: this.#holders, shards: this.#shards, spill: this.spill },
      { maxRecords: options.maxRecords ?? DEFAULT_MAX_RECORDS, memoryBytes: spill?.memoryBytes ?? 0 },
    );
  }

  /** Records of living holders. */
  get recordCount(): number {
    return this.#holders.liveRecords;
  }

  /** Shards with at least one block in them. */
  get shardCount(): number {
    return this.#shards.count;
  }

  /** Memory of the records, in bytes. */
  get sizeBytes(): number {
    return this.#shards.sizeBytes;
  }

  /** Shards that are on disk. */
  get spilledShards(): number {
    return this.#shards.spilled;
  }

  /** Numbers of the datanodes that were heard of. */
  nodes(): readonly number[] {
    return this.#nodes.numbers();
  }

  node(number: number): KnownNode | undefined {
    return this.#nodes.known(number);
  }

  isEmpty(shard: number): boolean {
    return (this.#shards.at(shard)?.records.size ?? 0) === 0;
  }

  /**
   * Takes one batch of one datanode: removals, then additions, then whatever else it was said to hold below the `whole`
   * prefixes is forgotten. Batches of a generation count in the order of their sequence only: a later one must repeat
   * whatever an unanswered earlier one said. Throws DHT_TOO_MANY_NODES, DHT_BAD_BATCH.
   */
  announce(batch: AnnounceRequest): AnnounceOutcome {
    for (const prefix of batch.whole) shardOfPrefix(prefix);
    const outcome = this.take(batch);
    if (outcome.kind !== 'taken') return outcome;
    const said = new SaidHashes(batch.added);
    for (const prefix of batch.whole) this.forgetOthers(batch.node, prefix, said);
    return outcome;
  }

  /** The removals and additions of a batch. Throws DHT_TOO_MANY_NODES, DHT_BAD_BATCH. */
  take(batch: AnnounceRequest): AnnounceOutcome {
    const stale = this.advance(batch.node, batch.generation, batch.sequence);
    if (stale !== undefined) return stale;
    const state = this.#nodes.of(batch.node);
    const removed = countPacked(batch.removed);
    let taken = removed;
    this.#beginBatch();
    forEachPacked(batch.removed, (packed, offset, shard) => this.#remove(packed, offset, shard, state));
    forEachPacked(batch.added, (packed, offset, shard) => {
      if (this.#add(packed, offset, shard, state)) taken++;
    });
    this.spill?.changed(taken);
    return { kind: 'taken', taken };
  }

  /** Whether `node` was said to hold anything below a prefix beside what it just `said`, as far as counts tell. */
  mayHoldOthers(node: number, prefix: string, said: SaidHashes): boolean {
    const shard = shardOfPrefix(prefix);
    // All that was said is in by now: with equal counts there is nothing else.
    return (
      prefix.length > SHARD_DIGITS || this.#nodes.get(node)?.digests.count(shard) !== said.countOf(shard)
    );
  }

  /** Forgets whatever else `node` was said to hold below a prefix. Throws DHT_BAD_BATCH. */
  forgetOthers(node: number, prefix: string, said: SaidHashes): void {
    const state = this.#nodes.get(node);
    if (state === undefined || !this.mayHoldOthers(node, prefix, said)) return;
    const shard = shardOfPrefix(prefix);
    const others: Uint8Array[] = [];
    this.#shards.swept(shard).records.forEach((hash, holders) => {
      if (holders.includes(state.id) && isBelow(hash, prefix) && !said.has(shard, hash))
        others.push(Uint8Array.from(hash));
    });
    for (const hash of others) this.#remove(new DataView(hash.buffer), 0, shard, state);
    this.spill?.changed(others.length);
  }

  /** Notes that `node` said something under this generation and sequence; the outcome when that is stale. Throws DHT_TOO_MANY_NODES. */
  advance(node: number, generation: number, sequence: number): StaleOutcome | undefined {
    return this.#nodes.advance(node, generation, sequence);
  }

  /** Holders of each packed hash in order: hash i is held by the next `counts[i]` of `nodes`. */
  lookup(packed: Uint8Array): { counts: number[]; nodes: number[] } {
    const counts: number[] = [];
    const nodes: number[] = [];
    forEachPacked(packed, (view, offset, shard) => {
      const before = nodes.length;
      const records = this.#shards.at(shard)?.records;
      if (records !== undefined) this.#collect(records.holdersOf(view, offset), nodes);
      counts.push(nodes.length - before);
    });
    return { counts, nodes };
  }

  /** Blocks below a prefix with their holders; undefined when there are more than `limit` blocks. Throws DHT_BAD_BATCH. */
  below(prefix: string, limit: number): PackedRecords | undefined {
    const records = this.#shards.at(shardOfPrefix(prefix))?.records;
    const hashes: Uint8Array[] = [];
    const counts: number[] = [];
    const nodes: number[] = [];
    records?.forEach((hash, holders) => {
      if (!isBelow(hash, prefix)) return;
      const before = nodes.length;
      this.#collect(holders, nodes);
      if (nodes.length === before) return;
      counts.push(nodes.length - before);
      if (counts.length <= limit) hashes.push(Uint8Array.from(hash));
    });
    return counts.length > limit ? undefined : { hashes: Buffer.concat(hashes), counts, nodes };
  }

  /** Takes over what another holder knows, except of datanodes that `accepts` denies; returns how many records were new. Throws DHT_TOO_MANY_NODES, DHT_BAD_BATCH. */
  merge({ hashes, counts, nodes }: PackedRecords, accepts: (node: number) => boolean): number {
    let next = 0;
    let position = 0;
    const before = this.recordCount;
    this.#beginBatch();
    forEachPacked(hashes, (packed, offset, shard) => {
      const end = next + (counts[position++] ?? 0);
      for (const node of nodes.slice(next, end))
        if (accepts(node)) this.#add(packed, offset, shard, this.#nodes.of(node));
      next = end;
    });
    this.spill?.changed(this.recordCount - before);
    return this.recordCount - before;
  }

  /** The blocks of one shard with their holders, in no particular order; blocks nobody holds are left out. */
  blocks(shard: number): { readonly hash: BlockHash; readonly nodes: readonly number[] }[] {
    const found: { hash: BlockHash; nodes: number[] }[] = [];
    this.#shards.at(shard)?.records.forEach((bytes, holders) => {
      const nodes: number[] = [];
      this.#collect(holders, nodes);
      if (nodes.length > 0) found.push({ hash: Buffer.from(bytes).toString('hex'), nodes });
    });
    return found;
  }

  /** Forgets a datanode altogether, as when its membership ended. Takes no longer for many records than for few. */
  drop(node: number): void {
    const state = this.#nodes.remove(node);
    if (state === undefined) return;
    this.#shards.bury(state.id, state.digests);
    this.spill?.changed(this.#holders.deadRecords);
  }

  /** Forgets a whole shard, as when others hold it now. */
  dropShard(shard: number): void {
    const forgotten = this.#shards.forget(shard);
    if (forgotten === undefined) return;
    this.spill?.release(forgotten.records);
    this.spill?.changed(forgotten.records.size);
    for (const { id, digests } of this.#nodes.all()) {
      this.#holders.release(id, digests.count(shard));
      digests.clear(shard);
    }
  }

  #newSpill(spill: NonNullable<LocationTableOptions['spill']>): ShardSpill {
    const onLost = (shard: number): void => {
      this.dropShard(shard);
      spill.onLost(shard);
    };
    return new ShardSpill({ ...spill, shards: this.#shards }, { ...spill, onLost });
  }

  #add(packed: DataView, offset: number, shard: number, { id, digests }: NodeState): boolean {
    const swept = this.#shards.swept(shard);
    const { records } = swept;
    if (!this.#room.hasRoomFor(id)) return records.has(packed, offset, id);
    if (!records.add(packed, offset, id)) return true;
    this.#shards.changed(swept, packed, offset);
    digests.add(shard, packed, offset);
    this.#holders.acquire(id);
    return true;
  }

  #remove(packed: DataView, offset: number, shard: number, { id, digests }: NodeState): void {
    const swept = this.#shards.swept(shard);
    if (!swept.records.remove(packed, offset, id)) return;
    this.#shards.changed(swept, packed, offset);
    digests.remove(shard, packed, offset);
    this.#holders.release(id);
    this.#onRemoved?.(Buffer.from(hashAt(packed, offset)).toString('hex'));
  }

  #beginBatch(): void {
    this.#shards.nextBatch();
    this.#room.beginBatch();
  }

  #collect(holders: Uint16Array, nodes: number[]): void {
    for (const id of holders) if (this.#holders.isAlive(id)) nodes.push(this.#holders.nodeOf(id));
  }
}
