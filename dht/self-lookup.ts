/**
 * @module Looks for the peers closest to this node (Kademlia §2.3) while it is connected with few: so a node gets to know a network of
 * which it was told one address. A member of a cluster is connected with those that it was told of, and seldom needs it. kad-dht's own
 * self-query takes the first twenty events of a query for peers: where it knows many, it opens a stream to each and reads no answer.
 */
import { startDeadline } from './deadline.ts';
import { BUCKET_SIZE, type KademliaService, routingTableOf } from './kademlia-service.ts';
import type { Clock, PeerId } from './ports.ts';
import { peerKadId, peerMultihash } from './shard.ts';

export interface SelfLookupComponents {
  /** On a started host. */
  readonly service: KademliaService;
  readonly isConnected: (peer: PeerId) => boolean;
  readonly clock: Clock;
}

export interface SelfLookupOptions {
  readonly self: PeerId;
}

/** Nodes that start together are aware of each other by then; in milliseconds, and doubled with each lookup that met anybody. */
export const FIRST_PAUSE_MS = 10_000;
export const LONGEST_PAUSE_MS = 300_000;
const LOOKUP_TIMEOUT_MS = 5_000;

/** A background worker. */
export class SelfLookup {
  readonly name = 'self-lookup';
  readonly #components: SelfLookupComponents;
  readonly #self: PeerId;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(components: SelfLookupComponents, options: SelfLookupOptions) {
    this.#components = components;
    this.#self = options.self;
  }

  get idleMs(): number {
    return this.#pauseMs;
  }

  async work(signal: AbortSignal): Promise<'idle'> {
    const hasMet = !this.#isAcquainted() && (await this.#lookUp(signal)) > 0;
    this.#pauseMs = hasMet ? Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2) : FIRST_PAUSE_MS;
    return 'idle';
  }

  /** Connected with as many as answer any question. */
  #isAcquainted(): boolean {
    const { service, isConnected } = this.#components;
    const closest = routingTableOf(service).closestPeers(peerKadId(this.#self), { count: BUCKET_SIZE });
    return closest.filter((peer) => isConnected(peer.toString())).length >= BUCKET_SIZE;
  }

  /** Returns how many answered; kad-dht keeps them, and those they named. */
  async #lookUp(signal: AbortSignal): Promise<number> {
    const { service, clock } = this.#components;
    const deadline = startDeadline(clock, LOOKUP_TIMEOUT_MS, 'find the closest peers', signal);
    let met = 0;
    try {
      const events = service.getClosestPeers(peerMultihash(this.#self), { signal: deadline.signal });
      for await (const event of events) if (event.name === 'FINAL_PEER') met += 1;
    } catch (error) {
      // Some took too long; whoever answered before is kept all the same.
      if (!deadline.signal.aborted) throw error;
    } finally {
      deadline.release();
    }
    return met;
  }
}
