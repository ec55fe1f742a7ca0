/** @module Moves the records of one shard from memory to disk, and back, while others go on changing them. */
import { prefixOfShard } from './hash-prefix.ts';
import type { PageStore } from './ports.ts';
import { type EncodedRun, encodeRun, RecordRun, type RowSource } from './record-run.ts';
import { ShardRecords } from './shard-records.ts';
import { SpilledRecords } from './spilled-records.ts';
import type { SpilledReads } from './spilled-reads.ts';
import { isSpilled, type Shard, type SweptAt, type TableShards } from './table-shards.ts';

export interface ShardMovesComponents {
  readonly shards: TableShards;
  readonly store: PageStore;
  readonly reads: SpilledReads;
}

export type MoveToDisk =
  | { readonly kind: 'moved' }
  /** It has no rows, or does not fit the form of a run. */
  | { readonly kind: 'unfit' }
  | { readonly kind: 'failed'; readonly error: unknown };

interface Copy {
  readonly shard: Shard;
  readonly swept: SweptAt;
  readonly encoded: EncodedRun;
}

export class ShardMoves {
  readonly #components: ShardMovesComponents;

  constructor(components: ShardMovesComponents) {
    this.#components = components;
  }

  /** Writes a shard, with what changed since it was written last. What is not moved stays as it is. One move of a shard at a time. */
  async toDisk(index: number): Promise<MoveToDisk> {
    const { shards, store, reads } = this.#components;
    const copy = await reads.withPrefix(prefixOfShard(index), () => this.#copy(index));
    if (copy === undefined) return { kind: 'unfit' };
    const { shard, encoded } = copy;
    const written = await store.write(encoded.pages).then(
      (place) => ({ kind: 'moved' as const, place }),
      (error: unknown) => ({ kind: 'failed' as const, error }),
    );
    if (written.kind === 'moved' && shards.at(index) === shard)
      this.#finish(index, copy, new RecordRun(encoded.shape, written.place));
    else if (written.kind === 'moved') store.free(written.place);
    shard.touched = undefined;
    return written;
  }

  /** Reads a shard back into memory. */
  async toMemory(index: number): Promise<void> {
    const { shards, reads } = this.#components;
    await reads.withPrefix(prefixOfShard(index), () => {
      const shard = shards.at(index);
      if (!isSpilled(shard)) return;
      const swept = shards.sweptNow();
      const records = new ShardRecords(shards.key);
      living(
        shard,
        swept,
      )((hash, holders) => {
        const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
        for (const holder of holders) records.add(view, 0, holder);
      });
      this.#replace(index, shard, records, swept);
    });
  }

  /** A shard's rows as they are now; from here on it remembers which of them change. */
  #copy(index: number): Copy | undefined {
    const { shards } = this.#components;
    const shard = shards.at(index);
    if (shard === undefined) return undefined;
    const swept = shards.sweptNow();
    const encoded = encodeRun(living(shard, swept));
    if (encoded === undefined) return undefined;
    shard.touched = new ShardRecords(shards.key);
    return { shard, swept, encoded };
  }

  /** The run takes the place of what it was copied from; rows that changed meanwhile are kept as they are by now. */
  #finish(index: number, { shard, swept, encoded }: Copy, run: RecordRun): void {
    const { shards } = this.#components;
    const records = new SpilledRecords(run, shards.key);
    shard.touched?.forEach((hash) => {
      const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
      const page = run.pageOf(view, 0);
      records.note(view, 0, run.holdersIn(run.pageIn(encoded.pages, page), page, view, 0));
      const now = shard.records.holdersOf(view, 0).filter((holder) => !swept.dead.includes(holder));
      for (const holder of records.holdersOf(view, 0).slice())
        if (!now.includes(holder)) records.remove(view, 0, holder);
      for (const holder of now) records.add(view, 0, holder);
    });
    records.forgetRead();
    this.#replace(index, shard, records, swept);
  }

  #replace(index: number, shard: Shard, records: ShardRecords | SpilledRecords, swept: SweptAt): void {
    const { shards, store, reads } = this.#components;
    const before = shard.records;
    shards.replace(index, shard, records, swept);
    if (!(before instanceof SpilledRecords)) return;
    reads.forget(before);
    store.free(before.run.place);
  }
}

/** A shard's rows without the holders that are dead. */
function living(shard: Shard, { dead }: SweptAt): RowSource {
  const isDead = new Set(dead);
  if (isDead.size === 0) return (visit) => shard.records.forEach(visit);
  return (visit) =>
    shard.records.forEach((hash, holders) => {
      const alive = holders.filter((holder) => !isDead.has(holder));
      if (alive.length > 0) visit(hash, alive);
    });
}
