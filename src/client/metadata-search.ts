/**
 * @module Where the metadata nodes are by now, for a client that reaches none of those it knows: it asks the nodes it has heard of, and
 * whoever answers at an address where one was. What they say counts only when a metadata node has signed it that the client knows.
 */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { Membership } from '../protocol/index-membership.ts';
import { askForManifest, createManifestBook, type ManifestBook } from '../protocol/manifest-exchange.ts';
import type { KnownPeer } from './profile.ts';

export interface MetadataSearchComponents {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the client knows at the moment. */
export interface MetadataSearchOptions {
  readonly clusterId: string;
  /** The metadata nodes by name, and as of when: who is believed, and what would be news. */
  readonly known: () => Membership;
  /** Where they, and other nodes of the cluster, were last: the likeliest to answer first. */
  readonly doors: () => readonly KnownPeer[];
  /** Peers heard of in the local network, whoever they are. */
  readonly nearby: () => readonly PeerId[];
}

/** Doors that are knocked at the same time: most of them may lead nowhere, and say so only after seconds. */
const PARALLEL = 8;
/** Between two searches, in milliseconds. */
const SEARCH_PAUSE_MS = 2_000;
/** To see who is at an address. */
const DIAL_TIMEOUT_MS = 3_000;

export class MetadataSearch {
  readonly #components: MetadataSearchComponents;
  readonly #options: MetadataSearchOptions;
  readonly #book: ManifestBook;
  #running: Promise<Discovered | undefined> | undefined;
  #endedMs = Number.NEGATIVE_INFINITY;

  constructor(components: MetadataSearchComponents, options: MetadataSearchOptions) {
    this.#components = components;
    this.#options = options;
    const { clusterId: cluster, known } = options;
    this.#book = createManifestBook(components, { cluster, known });
  }

  /**
   * Undefined at once while a search is under way or has ended just now, and when nothing newer is found than what is known.
   * Rejects with the signal's reason only.
   */
  async search(signal: AbortSignal): Promise<Discovered | undefined> {
    const { clock } = this.#components;
    if (this.#running !== undefined || clock.monotonicMs() - this.#endedMs < SEARCH_PAUSE_MS)
      return undefined;
    this.#running = this.#search(signal);
    try {
      return await this.#running;
    } finally {
      this.#running = undefined;
      this.#endedMs = clock.monotonicMs();
    }
  }

  async #search(signal: AbortSignal): Promise<Discovered | undefined> {
    const { network } = this.#components;
    const doors = this.#options.doors();
    for (const { peer, addresses } of doors) network.learn(peer, addresses);
    const asked = new Set<PeerId>([network.localPeer]);
    const peers = [...doors.map(({ peer }) => peer), ...this.#options.nearby()];
    await this.#untilNews(peers, signal, (peer) => this.#ask(peer, asked, signal));
    const places = new Set(doors.flatMap(({ addresses }) => addresses.flatMap(placeOf)));
    await this.#untilNews([...places], signal, async (place) => {
      const peer = await this.#whoIsAt(place, signal);
      if (peer !== undefined) await this.#ask(peer, asked, signal);
    });
    signal.throwIfAborted();
    return this.#news();
  }

  async #untilNews<T>(
    items: readonly T[],
    signal: AbortSignal,
    look: (item: T) => Promise<void>,
  ): Promise<void> {
    const left = [...items];
    const lookOnwards = async (): Promise<void> => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) {
        if (signal.aborted || this.#news() !== undefined) return;
        await look(item);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, lookOnwards));
  }

  async #ask(peer: PeerId, asked: Set<PeerId>, signal: AbortSignal): Promise<void> {
    if (asked.has(peer)) return;
    asked.add(peer);
    await askForManifest(this.#components, this.#book, peer, signal);
  }

  /** Another node may be there by now, with an identity that we have not heard of; it is told nothing but who we are. */
  async #whoIsAt(place: string, signal: AbortSignal): Promise<PeerId | undefined> {
    const { network, logger } = this.#components;
    try {
      return await network.dial(place, { signal, timeoutMs: DIAL_TIMEOUT_MS });
    } catch (error) {
      logger.debug('client.nobody-there', { place, error: describeError(error) });
      return undefined;
    }
  }

  #news(): Discovered | undefined {
    const { current } = this.#book;
    if (current === undefined || current.epoch <= this.#options.known().epoch) return undefined;
    return { epoch: current.epoch, peers: current.nodes.map(({ peer, addresses }) => ({ peer, addresses })) };
  }
}

/** The metadata nodes as of `epoch` (dht/membership-ring.ts). */
export interface Discovered {
  readonly epoch: number;
  readonly peers: readonly KnownPeer[];
}

/** An address without the peer that was there; none over a relay, which leads to that peer alone. */
function placeOf(address: string): readonly string[] {
  return address.includes('/p2p-circuit') ? [] : address.split('/p2p/').slice(0, 1);
}
