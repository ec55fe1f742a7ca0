/** @module Of which shards a holder knows the same as each datanode: as of what that datanode said last, and no longer. */
import { ShardSet } from './shard-set.ts';

interface Agreement {
  readonly generation: number;
  readonly shards: ShardSet;
}

const NO_SHARDS = new ShardSet();

/**
 * An agreement ends with the life of the datanode's process, with the first digest that says otherwise, and where the holder
 * gives up the shard. Between two words of a datanode it may have taken more: then that is on its way.
 */
export class Agreements {
  readonly #agreements = new Map<number, Agreement>();

  /** `node` speaks in this start of its process: what was agreed with an earlier one says nothing of what it holds now. */
  hear(node: number, generation: number): void {
    if (generation > (this.#agreements.get(node)?.generation ?? 0))
      this.#agreements.set(node, { generation, shards: new ShardSet() });
  }

  /** Both know the same of `shards`. Of a datanode that was heard. */
  agree(node: number, shards: ShardSet): void {
    this.#agreements.get(node)?.shards.addAll(shards);
  }

  /** They do not know the same of `shards`. */
  differ(node: number, shards: Iterable<number>): void {
    const agreed = this.#agreements.get(node)?.shards;
    if (agreed === undefined || agreed.size === 0) return;
    if (shards instanceof ShardSet) agreed.deleteAll(shards);
    else for (const shard of shards) agreed.delete(shard);
  }

  /** The shards agreed on with `node`; not to be changed. */
  with(node: number): ShardSet {
    return this.#agreements.get(node)?.shards ?? NO_SHARDS;
  }

  /** With nobody any more. */
  end(shards: readonly number[]): void {
    for (const node of this.#agreements.keys()) this.differ(node, shards);
  }

  clear(): void {
    this.#agreements.clear();
  }
}
