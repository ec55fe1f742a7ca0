/**
 * @module Whether the metadata nodes can dial this node, and places on them as relays while one of them cannot. Asked again from time to
 * time, when a connection to a metadata node is new, and when our own addresses change.
 */
import { describeError } from '../common/errors.ts';
import type { PeerId } from './network.ts';
import { RelayPlaces, type RelayPlacesComponents } from './relay-places.ts';

const ROUND_MS = 2_000;
/** A verdict this old is asked for again; sooner one that costs relays, and may have been a moment's. */
const VERDICT_MS = 300_000;
const SHUT_VERDICT_MS = 60_000;
/**
 * When a connection is new, and when there is no hurry: we are in one private network, or were dialled before. Nodes that start together, or
 * whose metadata nodes do, have other things to do: each question costs a dial.
 */
const QUIET_MS = 15_000;
/** Metadata nodes that have said nothing of our addresses for so long will not: then we are taken for one like most. */
const UNTOLD_MS = 10_000;

export interface ReachabilityComponents extends RelayPlacesComponents {
  /** Whether there are metadata nodes other than ourselves. */
  readonly isAnybodyThere: () => boolean;
  /** Where we can perhaps be dialled, as text. */
  readonly addresses: () => readonly string[];
  /** Whether `relay` sees us at one of these, in its own private network: no router is between. */
  readonly isNear: (relay: PeerId) => boolean;
  /** Whether `relay` can dial us there. Throws when it does not say. */
  readonly dialBack: (relay: PeerId) => Promise<boolean>;
  /** Called in each round in which some metadata node cannot dial us. */
  readonly isShut: () => void;
  /** Called when the addresses, relays(), or isReachable, are others than at the look before. */
  readonly changed: () => void;
}

interface Verdict {
  readonly isReachable: boolean;
  readonly atMs: number;
}

export class Reachability {
  readonly #components: ReachabilityComponents;
  readonly #places: RelayPlaces;
  readonly #verdicts = new Map<PeerId, Verdict>();
  /** Of those who have not been asked since they were connected, and need not be at once. */
  readonly #askAtMs = new Map<PeerId, number>();
  #addresses = '';
  /** Since when they are these. */
  #sinceMs = performance.now();
  /** Of them, as last heard from whoever was connected then. */
  #standing: 'open' | 'shut' | undefined;
  #told = '';
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #again = false;

  constructor(components: ReachabilityComponents) {
    this.#components = components;
    this.#places = new RelayPlaces(components);
  }

  /** The relays over which others reach us; none while every metadata node that was asked can dial us. */
  relays(): readonly PeerId[] {
    return this.isPrivate ? this.#places.taken() : [];
  }

  /** Some metadata node that is connected cannot dial us. */
  get isPrivate(): boolean {
    return this.#components.relays().some((relay) => this.#verdicts.get(relay)?.isReachable === false);
  }

  /**
   * Whether others find a way to us, as far as that is known by now. Who was dialled once is taken for reachable until somebody says
   * otherwise: metadata nodes come and go.
   */
  get isReachable(): boolean {
    if (this.#standing === 'shut') return this.relays().length > 0;
    const { isAnybodyThere, relays, isNear } = this.#components;
    return (
      this.#standing === 'open' ||
      !isAnybodyThere() ||
      relays().some(isNear) ||
      performance.now() - this.#sinceMs >= UNTOLD_MS
    );
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
    this.#askAtMs.delete(relay);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#round;
  }

  async #look(): Promise<void> {
    const { relays, addresses } = this.#components;
    this.#moveTo(addresses().join());
    this.#tell();
    await Promise.all(relays().map((relay) => this.#ask(relay)));
    if (this.isPrivate) {
      this.#standing = 'shut';
      this.#components.isShut();
      await this.#places.take();
    } else if (relays().some((relay) => this.#verdicts.has(relay))) this.#standing = 'open';
    this.#tell();
  }

  #moveTo(addresses: string): void {
    if (addresses === this.#addresses) return;
    this.#addresses = addresses;
    this.#sinceMs = performance.now();
    this.#standing = undefined;
    this.#verdicts.clear();
  }

  #tell(): void {
    const outcome = [this.#addresses, ...this.relays(), this.isReachable].join();
    if (outcome === this.#told) return;
    this.#told = outcome;
    this.#components.changed();
  }

  async #ask(relay: PeerId): Promise<void> {
    const known = this.#verdicts.get(relay);
    if (known === undefined && !this.#isTimeToAsk(relay)) return;
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

  #isTimeToAsk(relay: PeerId): boolean {
    const isUrgent =
      this.#standing === 'shut' || !(this.#standing === 'open' || this.#components.isNear(relay));
    if (isUrgent) return true;
    const nowMs = performance.now();
    const atMs = this.#askAtMs.get(relay) ?? nowMs + QUIET_MS;
    this.#askAtMs.set(relay, atMs);
    return nowMs >= atMs;
  }
}
