/** @module How much bulk went over relays, peer by peer: people pay for that, in time and at the relay. */
import type { ByteMeter } from './libp2p-bytes.ts';
import type { PeerId } from './network.ts';

/** The peers of longest ago are forgotten beyond this. */
const MAX_PEERS = 1_024;

export class RelayedBytes {
  readonly #bytes = new Map<PeerId, number>();

  /** Counts what a stream to `peer` carries. */
  meter(peer: PeerId): ByteMeter {
    return (sizeBytes) => {
      const known = this.#bytes.get(peer);
      this.#bytes.set(peer, (known ?? 0) + sizeBytes);
      if (known !== undefined || this.#bytes.size <= MAX_PEERS) return;
      const [oldest] = this.#bytes.keys();
      if (oldest !== undefined) this.#bytes.delete(oldest);
    };
  }

  of(peer: PeerId): number {
    return this.#bytes.get(peer) ?? 0;
  }

  peers(): Iterable<PeerId> {
    return this.#bytes.keys();
  }
}
