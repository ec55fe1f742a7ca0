/** @module Who holds which shard, by the membership alone: everybody who knows the same epoch computes the same holders. */
import type { RingHint } from './messages.ts';
import type { MetadataRing, PeerId } from './ports.ts';
import { Ring } from './ring.ts';

/** The metadata nodes that hold the index, as of one epoch. */
export interface Membership {
  /** Grows with each change of the members; 0 while there is no list but the peers one was told to begin with. */
  readonly epoch: number;
  readonly peers: readonly PeerId[];
}

/** Changes of a cluster that was recovered begin again at a lower index; its own epoch counts before them. */
const CLUSTER_EPOCH_UNIT: number = 2 ** 40;

/** The epoch of the member list made by entry `version` of the log in the cluster's epoch `clusterEpoch`. */
export function membershipEpoch(clusterEpoch: number, version: number): number {
  return version === 0 ? 0 : clusterEpoch * CLUSTER_EPOCH_UNIT + version;
}

/** The cluster's epoch in one that membershipEpoch() made; 0 for no list at all. */
export function clusterEpochOf(epoch: number): number {
  return Math.floor(epoch / CLUSTER_EPOCH_UNIT);
}

/** An epoch as people read it: the cluster's, and the log index of the last change. */
export function describeEpoch(epoch: number): string {
  return `${clusterEpochOf(epoch)}.${epoch % CLUSTER_EPOCH_UNIT}`;
}

/** A ring that follows a source of memberships, and what holders with newer ones say. Epochs never go back. */
export class MembershipRing implements MetadataRing {
  readonly self: PeerId | undefined;
  readonly #source: () => Membership;
  readonly #listeners = new Set<() => void>();
  #epoch: number;
  #membersSince: number;
  #ring: Ring;

  constructor(source: () => Membership, self?: PeerId) {
    this.#source = source;
    this.self = self;
    const { epoch, peers } = source();
    this.#epoch = epoch;
    this.#membersSince = epoch;
    this.#ring = new Ring(peers);
  }

  get epoch(): number {
    return this.#epoch;
  }

  get membersSince(): number {
    return this.#membersSince;
  }

  closest(shard: number, count: number): readonly PeerId[] {
    return this.#known().closest(shard, count);
  }

  all(): readonly PeerId[] {
    return this.#known().all();
  }

  /** Calls `listener` after each change of epoch or members, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Looks at the source again. Call when the membership changed. */
  refresh(): void {
    this.#adopt(this.#source());
  }

  /** A holder, itself a metadata node of the cluster, knows a newer membership. Its word counts until the source has it, too. */
  learn(hint: RingHint | undefined): void {
    if (hint !== undefined && hint.epoch > this.#epoch && hint.peers.length > 0) this.#adopt(hint);
  }

  /** Who asks while there is nobody yet does not wait for whoever refreshes from time to time. */
  #known(): Ring {
    if (this.#ring.all().length === 0) this.refresh();
    return this.#ring;
  }

  #adopt({ epoch, peers }: Membership): void {
    // Before the first list there are only hints, which may change; later an epoch has one list.
    if (epoch < this.#epoch || (epoch === this.#epoch && epoch > 0)) return;
    const next = new Ring(peers);
    const isSame = next.all().join() === this.#ring.all().join();
    if (isSame && epoch === this.#epoch) return;
    // What somebody else was told to begin with may be other peers.
    if (!isSame || this.#epoch === 0) this.#membersSince = epoch;
    this.#epoch = epoch;
    if (!isSame) this.#ring = next;
    for (const listener of this.#listeners) listener();
  }
}
