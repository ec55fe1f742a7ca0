/** @module Places on metadata nodes as relays, for a node that one of them cannot dial. */
import { createHash } from 'node:crypto';
import { systemClock } from '../common/clock.ts';
import { withDeadline } from '../common/deadline.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { unreachable } from './errors.ts';
import type { PeerId } from './network.ts';

const MAX_RELAYS = 3;
/** For a relay to grant a place. */
const RESERVE_TIMEOUT_MS = 5_000;

export interface RelayPlacesComponents {
  readonly localPeer: PeerId;
  /** Metadata nodes that can be relays: dialled without a relay themselves, connected now. */
  readonly relays: () => readonly PeerId[];
  readonly hasPlace: (relay: PeerId) => boolean;
  /** Takes or renews a place on `relay`. */
  readonly reserve: (relay: PeerId) => Promise<void>;
  readonly logger: Logger;
}

export class RelayPlaces {
  readonly #components: RelayPlacesComponents;

  constructor(components: RelayPlacesComponents) {
    this.#components = components;
  }

  /** Relays with a place for us. */
  taken(): readonly PeerId[] {
    return this.#chosen().filter((relay) => this.#components.hasPlace(relay));
  }

  /**
   * Takes the places that lack. libp2p renews them by itself; repeating this finds out when it did not. Never rejects: who
   * grants none is asked again the next time.
   */
  async take(): Promise<void> {
    // One after the other: libp2p forgets, without a word, those that wait in its queue when one has been granted.
    for (const relay of this.#chosen()) await this.#take(relay);
  }

  async #take(relay: PeerId): Promise<void> {
    const { hasPlace, reserve, logger } = this.#components;
    if (hasPlace(relay)) return;
    try {
      await withDeadline(systemClock, RESERVE_TIMEOUT_MS, reserve(relay), () =>
        unreachable(relay, `it granted no place within ${RESERVE_TIMEOUT_MS} ms`),
      );
      logger.info('network.relay-reserved', { relay });
    } catch (error) {
      logger.info('network.relay-not-reserved', { relay, cause: describeError(error) });
    }
  }

  /** At most MAX_RELAYS: each node has an order of its own, so that the load is spread. */
  #chosen(): readonly PeerId[] {
    const { localPeer, relays } = this.#components;
    const rank = (relay: PeerId): string =>
      createHash('sha256').update(localPeer).update(relay).digest('hex');
    return relays()
      .toSorted((left, right) => (rank(left) < rank(right) ? -1 : 1))
      .slice(0, MAX_RELAYS);
  }
}
