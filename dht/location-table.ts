/** @module Which datanodes hold which block: soft state in memory, about a hundred bytes a block, no object per record. */
import { HolderRegistry } from './holder-registry.ts';
import type { AnnounceRequest } from './messages.ts';
import { countPacked } from './packed-hashes.ts';
import type { BlockHash } from './ports.ts';
import { HASH_SIZE_BYTES, SHARD_COUNT, shardOfPacked } from './shard.ts';

/** A record is one (block, datanode) pair. At about 100 bytes each this bounds the table near 3 GiB. */
export const DEFAULT_MAX_RECORDS = 32_000_000;

export interface LocationTableOptions {
  readonly maxRecords?: number;
}

/** What became of a batch. The stale kinds changed nothing. */
export type AnnounceOutcome =
  /** `taken` counts added and removed hashes; fewer than sent means the table is full. */
  | { readonly kind: 'taken'; readonly taken: number }
  /** A later start of this datanode was already heard. */
  | { readonly kind: 'stale-generation'; readonly known: number }
  /** A later batch of the same start overtook this one, and repeats what it said. */
  | { readonly kind: 'stale-sequence'; readonly known: number };

interface NodeState {
  generation: number;
  sequence: number;
  /** Holder number of this generation. */
  current: number;
  /** Earlier generations whose records still count, until a `reset`. */
  earlier: number[];
}

/** Latin-1 text of the 32 hash bytes -> one code unit per holder. Strings are the leanest maps V8 offers. */
interface Shard {
  readonly blocks: Map<string, string>;
  /** The registry's `deaths` when its dead records were last cleared away. */
  sweptAt: number;
}

export class LocationTable {
  readonly #maxRecords: number;
  readonly #shards: (Shard | undefined)[] = [];
  readonly #nodes = new Map<number, NodeState>();
  readonly #holders = new HolderRegistry();

  constructor(options: LocationTableOptions = {}) {
    this.#maxRecords = options.maxRecords ?? DEFAULT_MAX_RECORDS;
  }

  /** Records of living holders. */
  get recordCount(): number {
    return this.#holders.liveRecords;
  }

  /** Shards with at least one block in them. */
  get shardCount(): number {
    return this.#shards.filter((shard) => (shard?.blocks.size ?? 0) > 0).length;
  }

  /**
   * Takes one batch of one datanode: removals, then additions, then `reset`, which forgets what earlier generations
   * announced and this one did not repeat. Batches of a generation count in the order of their sequence only: a later
   * one must repeat whatever an unanswered earlier one said. Throws DHT_TOO_MANY_NODES.
   */
  announce(batch: AnnounceRequest): AnnounceOutcome {
    const state = this.#stateOf(batch.node, batch.generation);
    if (batch.generation < state.generation) return { kind: 'stale-generation', known: state.generation };
    if (batch.sequence <= state.sequence) return { kind: 'stale-sequence', known: state.sequence };
    state.sequence = batch.sequence;

    let taken = 0;
    forEachPacked(batch.removed, (key, shard) => {
      this.#remove(key, shard, batch.node);
      taken++;
    });
    forEachPacked(batch.added, (key, shard) => {
      if (this.#add(key, shard, state.current)) taken++;
    });
    if (batch.reset) for (const id of state.earlier.splice(0)) this.#holders.bury(id);
    return { kind: 'taken', taken };
  }

  /** Holders of each packed hash in order: hash i is held by the next `counts[i]` of `nodes`. */
  lookup(packed: Uint8Array): { counts: number[]; nodes: number[] } {
    const counts: number[] = [];
    const nodes: number[] = [];
    forEachPacked(packed, (key, shard) => {
      const before = nodes.length;
      this.#collect(this.#shards[shard]?.blocks.get(key) ?? '', nodes);
      counts.push(nodes.length - before);
    });
    return { counts, nodes };
  }

  /** The blocks of one shard with their holders, in no particular order; blocks nobody holds are left out. */
  *blocks(shard: number): Generator<{ readonly hash: BlockHash; readonly nodes: readonly number[] }> {
    for (const [key, holders] of this.#shards[shard]?.blocks ?? []) {
      const nodes: number[] = [];
      this.#collect(holders, nodes);
      if (nodes.length > 0) yield { hash: Buffer.from(key, 'latin1').toString('hex'), nodes };
    }
  }

  /** Forgets a datanode altogether, as when its membership ended. Takes no longer for many records than for few. */
  drop(node: number): void {
    const state = this.#nodes.get(node);
    if (state === undefined) return;
    this.#nodes.delete(node);
    for (const id of [...state.earlier, state.current]) this.#holders.bury(id);
  }

  /** Forgets a whole shard, as when others hold it now. */
  dropShard(shard: number): void {
    const forgotten = this.#shards[shard];
    if (forgotten === undefined) return;
    this.#shards[shard] = undefined;
    for (const holders of forgotten.blocks.values()) this.#keep(holders, () => false);
  }

  #stateOf(node: number, generation: number): NodeState {
    const state = this.#nodes.get(node);
    if (state === undefined) {
      const fresh = { generation, sequence: 0, current: this.#holders.enlist(node), earlier: [] };
      this.#nodes.set(node, fresh);
      return fresh;
    }
    if (generation > state.generation) {
      const current = this.#holders.enlist(node);
      state.earlier.push(state.current);
      state.generation = generation;
      state.sequence = 0;
      state.current = current;
    }
    return state;
  }

  #add(key: string, shard: number, id: number): boolean {
    const blocks = this.#sweptShard(shard).blocks;
    const holders = blocks.get(key) ?? '';
    const unit = String.fromCharCode(id);
    if (holders.includes(unit)) return true;
    const others = this.#without(holders, this.#holders.nodeOf(id));
    if (others.length === holders.length && this.#isFull()) return false;
    blocks.set(key, others + unit);
    this.#holders.acquire(id);
    return true;
  }

  #remove(key: string, shard: number, node: number): void {
    const blocks = this.#sweptShard(shard).blocks;
    const holders = blocks.get(key);
    if (holders === undefined) return;
    const others = this.#without(holders, node);
    if (others === '') blocks.delete(key);
    else blocks.set(key, others);
  }

  /** `holders` without those of one datanode, whatever their generation; what falls away is released. */
  #without(holders: string, node: number): string {
    return this.#keep(holders, (id) => this.#holders.nodeOf(id) !== node);
  }

  #keep(holders: string, condition: (id: number) => boolean): string {
    let kept = '';
    for (let at = 0; at < holders.length; at++) {
      const id = holders.charCodeAt(at);
      if (condition(id)) kept += holders.charAt(at);
      else this.#holders.release(id);
    }
    return kept;
  }

  #isFull(): boolean {
    const { liveRecords, deadRecords } = this.#holders;
    if (liveRecords + deadRecords < this.#maxRecords) return false;
    if (deadRecords > 0) for (let shard = 0; shard < SHARD_COUNT; shard++) this.#sweptShard(shard);
    return liveRecords >= this.#maxRecords;
  }

  /** The shard with the records of dead holders cleared away: the cost of a death is spread over later touches. */
  #sweptShard(index: number): Shard {
    const { deaths } = this.#holders;
    const shard: Shard = (this.#shards[index] ??= { blocks: new Map(), sweptAt: deaths });
    if (shard.sweptAt === deaths) return shard;
    shard.sweptAt = deaths;
    for (const [key, holders] of shard.blocks) {
      const living = this.#keep(holders, (id) => this.#holders.isAlive(id));
      if (living === '') shard.blocks.delete(key);
      else if (living.length < holders.length) shard.blocks.set(key, living);
    }
    return shard;
  }

  #collect(holders: string, nodes: number[]): void {
    for (let at = 0; at < holders.length; at++) {
      const id = holders.charCodeAt(at);
      if (this.#holders.isAlive(id)) nodes.push(this.#holders.nodeOf(id));
    }
  }
}

function forEachPacked(packed: Uint8Array, visit: (key: string, shard: number) => void): void {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const end = countPacked(packed) * HASH_SIZE_BYTES;
  for (let offset = 0; offset < end; offset += HASH_SIZE_BYTES)
    visit(bytes.toString('latin1', offset, offset + HASH_SIZE_BYTES), shardOfPacked(packed, offset));
}
