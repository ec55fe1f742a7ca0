/** @module The datanodes that were heard of: how new their last word is, and what they hold in digests. */
import type { HolderRegistry } from './holder-registry.ts';
import { ShardDigests } from './shard-digests.ts';

/** A batch that came too late. It changes nothing. */
export type StaleOutcome =
  /** A later start of this datanode was already heard. */
  | { readonly kind: 'stale-generation'; readonly known: number }
  /** A later batch of the same start overtook this one, and repeats what it said. */
  | { readonly kind: 'stale-sequence'; readonly known: number };

/** What is known of one datanode. */
export interface KnownNode {
  readonly generation: number;
  readonly sequence: number;
  readonly records: number;
  readonly digests: ShardDigests;
}

export interface NodeState {
  generation: number;
  sequence: number;
  readonly id: number;
  readonly digests: ShardDigests;
}

export class NodeBook {
  readonly #holders: HolderRegistry;
  readonly #nodes = new Map<number, NodeState>();

  constructor(holders: HolderRegistry) {
    this.#holders = holders;
  }

  numbers(): readonly number[] {
    return [...this.#nodes.keys()];
  }

  all(): Iterable<NodeState> {
    return this.#nodes.values();
  }

  get(node: number): NodeState | undefined {
    return this.#nodes.get(node);
  }

  known(node: number): KnownNode | undefined {
    const state = this.#nodes.get(node);
    if (state === undefined) return undefined;
    const { generation, sequence, id, digests } = state;
    return { generation, sequence, digests, records: this.#holders.recordsOf(id) };
  }

  /** Enlists who was not heard of before. Throws DHT_TOO_MANY_NODES. */
  of(node: number): NodeState {
    let state = this.#nodes.get(node);
    if (state === undefined) {
      state = { generation: 0, sequence: 0, id: this.#holders.enlist(node), digests: new ShardDigests() };
      this.#nodes.set(node, state);
    }
    return state;
  }

  /** Its records are the caller's to bury. */
  remove(node: number): NodeState | undefined {
    const state = this.#nodes.get(node);
    this.#nodes.delete(node);
    return state;
  }

  /** See LocationTable.advance. */
  advance(node: number, generation: number, sequence: number): StaleOutcome | undefined {
    const state = this.of(node);
    if (generation < state.generation) return { kind: 'stale-generation', known: state.generation };
    if (generation === state.generation && sequence <= state.sequence)
      return { kind: 'stale-sequence', known: state.sequence };
    state.generation = generation;
    state.sequence = sequence;
    return undefined;
  }
}
