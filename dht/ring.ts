/** @module The metadata nodes ordered by XOR distance to each shard. Pure: same members, same order, everywhere. */
import type { PeerId } from './ports.ts';
import { compareDistance, peerKadId, shardKadId } from './shard.ts';

interface Point {
  readonly peer: PeerId;
  readonly kadId: Uint8Array;
  readonly head: number;
}

/** An unchanging ring; a new membership is a new ring. Orders are computed once per shard and kept. */
export class Ring {
  readonly #points: readonly Point[];
  readonly #peers: readonly PeerId[];
  /** By count and shard: callers ask for the same few counts over and over. */
  readonly #closest = new Map<number, (readonly PeerId[])[]>();

  /** Duplicates in `peers` count once. */
  constructor(peers: Iterable<PeerId>) {
    this.#peers = [...new Set(peers)].toSorted();
    this.#points = this.#peers.map((peer) => {
      const kadId = peerKadId(peer);
      return { peer, kadId, head: headOf(kadId) };
    });
  }

  closest(shard: number, count: number): readonly PeerId[] {
    let orders = this.#closest.get(count);
    if (orders === undefined) this.#closest.set(count, (orders = []));
    return (orders[shard] ??= this.#order(shard).slice(0, count));
  }

  all(): readonly PeerId[] {
    return this.#peers;
  }

  #order(shard: number): PeerId[] {
    const target = shardKadId(shard);
    const head = headOf(target);
    // The first bytes decide, but for one pair of nodes in thousands of millions.
    return this.#points
      .toSorted(
        (a, b) =>
          ((a.head ^ head) >>> 0) - ((b.head ^ head) >>> 0) || compareDistance(target, a.kadId, b.kadId),
      )
      .map((point) => point.peer);
  }
}

/** The first 32 bits. */
function headOf(kadId: Uint8Array): number {
  return new DataView(kadId.buffer, kadId.byteOffset).getInt32(0);
}
