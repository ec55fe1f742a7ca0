/**
 * @module Whether the metadata nodes can dial this node, and places on them as relays while one of them cannot. Asked again from time to
 * time, when a connection to a metadata node is new, and when our own addresses change.
 */
import { createHash } from 'node:crypto';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { PeerId } from './network.ts';

const ROUND_MS = 2_000;
/** A verdict this old is asked for again; sooner one that costs relays, and may have been a moment's. */
const VERDICT_MS = 300_000;
const SHUT_VERDICT_MS = 60_000;
/** Of a place on a relay; libp2p renews it by itself, and this finds out when it did not. */
const MAX_RELAYS = 3;

export interface ReachabilityComponents {
  readonly localPeer: PeerId;
  /** Metadata nodes that can be relays: dialled without a relay themselves, connected now. */
  readonly relays: () => readonly PeerId[];
  /** Where we can perhaps be dialled, as text. */
  readonly addresses: () => readonly string[];
  /** Whether `relay` can dial us there. Throws when it does not say. */
  readonly dialBack: (relay: PeerId) => Promise<boolean>;
  readonly hasPlace: (relay: PeerId) => boolean;
  /** Takes or renews a place on `relay`. */
  readonly reserve: (relay: PeerId) => Promise<void>;
  /** Called in each round in which some metadata node cannot dial us. */
  readonly isShut: () => void;
  /** Called when the addresses, or relays(), are others than after the look before. */
  readonly changed: () => void;
  readonly logger: Logger;
}

interface Verdict {
  readonly isReachable: boolean;
  readonly atMs: number;
}

export class Reachability {
  readonly #components: ReachabilityComponents;
  readonly #verdicts = new Map<PeerId, Verdict>();
  #addresses = '';
  #told = '';
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #again = false;

  constructor(components: ReachabilityComponents) {
    this.#components = components;
  }

  /** The relays over which others reach us; none while every metadata node that was asked can dial us. */
  relays(): readonly PeerId[] {
    return this.isPrivate ? this.#chosen().filter((relay) => this.#components.hasPlace(relay)) : [];
  }

  /** Some metadata node that is connected cannot dial us. */
  get isPrivate(): boolean {
    return this.#components.relays().some((relay) => this.#verdicts.get(relay)?.isReachable === false);
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), ROUND_MS).unref();
    this.look();
  }

  /** Looks now, or again after the look that is under way. */
  look(): void {
    if (this.#timer === undefined) return;
    if (this.#round !== undefined) {
      this.#again = true;
      return;
    }
    this.#round = this.#look().finally(() => {
      this.#round = undefined;
      if (this.#again) {
        this.#again = false;
        this.look();
      }
    });
  }

  /** What was said of us over a connection that is gone may no longer be so. */
  forget(relay: PeerId): void {
    this.#verdicts.delete(relay);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#round;
  }

  async #look(): Promise<void> {
    const { relays, addresses } = this.#components;
    const now = addresses().join();
    if (now !== this.#addresses) this.#verdicts.clear();
    this.#addresses = now;
    await Promise.all(relays().map((relay) => this.#ask(relay)));
    if (this.isPrivate) {
      this.#components.isShut();
      await Promise.all(this.#chosen().map((relay) => this.#takePlace(relay)));
    }
    const outcome = [now, ...this.relays()].join();
    if (outcome === this.#told) return;
    this.#told = outcome;
    this.#components.changed();
  }

  async #ask(relay: PeerId): Promise<void> {
    const known = this.#verdicts.get(relay);
    const keptMs = known?.isReachable === false ? SHUT_VERDICT_MS : VERDICT_MS;
    if (known !== undefined && performance.now() - known.atMs < keptMs) return;
    const { dialBack, logger } = this.#components;
    try {
      const isReachable = await dialBack(relay);
      this.#verdicts.set(relay, { isReachable, atMs: performance.now() });
      if (known?.isReachable !== isReachable)
        logger.info('network.reachability', { from: relay, isReachable });
    } catch (error) {
      logger.debug('network.no-verdict', { relay, cause: describeError(error) });
    }
  }

  async #takePlace(relay: PeerId): Promise<void> {
    const { hasPlace, reserve, logger } = this.#components;
    if (hasPlace(relay)) return;
    try {
      await reserve(relay);
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
