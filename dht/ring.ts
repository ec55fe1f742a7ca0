/** @module The metadata nodes ordered by XOR distance to each shard. Pure: same members, same order, everywhere. */
import type { PeerId } from './ports.ts';
import { compareDistance, peerKadId, shardKadId } from './shard.ts';

/** An unchanging ring; a new membership is a new ring. Orders are computed once per shard and kept. */
export class Ring {
  readonly #points: readonly { readonly peer: PeerId; readonly kadId: Uint8Array }[];
  readonly #peers: readonly PeerId[];
  /** By shard and count: callers ask for the same few counts over and over. */
  readonly #closest: Map<number, readonly PeerId[]>[] = [];

  /** Duplicates in `peers` count once. */
  constructor(peers: Iterable<PeerId>) {
    this.#peers = [...new Set(peers)].toSorted();
    this.#points = this.#peers.map((peer) => ({ peer, kadId: peerKadId(peer) }));
  }

  closest(shard: number, count: number): readonly PeerId[] {
    const orders = (this.#closest[shard] ??= new Map());
    let order = orders.get(count);
    if (order === undefined) orders.set(count, (order = this.#order(shard).slice(0, count)));
    return order;
  }

  all(): readonly PeerId[] {
    return this.#peers;
  }

  #order(shard: number): PeerId[] {
    const target = shardKadId(shard);
    return this.#points
      .toSorted((a, b) => compareDistance(target, a.kadId, b.kadId))
      .map((point) => point.peer);
  }
}
