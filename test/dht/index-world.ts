/** @module Metadata nodes without a network: real tables and servers behind an rpc whose peers can die, hang and restart. */
import { createHash } from 'node:crypto';
import { LocationServer } from '../../dht/location-server.ts';
import { LocationTable } from '../../dht/location-table.ts';
import type { AnnounceRequest } from '../../dht/messages.ts';
import { packHashes, unpackHashes } from '../../dht/packed-hashes.ts';
import type { BlockHash, LocationRpc, PeerId } from '../../dht/ports.ts';
import { Ring } from '../../dht/ring.ts';

/** `up` answers, `dead` fails at once, `hang` answers never. `lossy` does what it is told and then fails. */
export type Health = 'up' | 'dead' | 'hang' | 'lossy';

export interface AnnouncedBatch {
  readonly peer: PeerId;
  readonly added: BlockHash[];
  readonly removed: BlockHash[];
  readonly reset: boolean;
  readonly generation: number;
  readonly sequence: number;
}

export const CALLER = 7;

export function hashOf(name: string | number): BlockHash {
  return createHash('sha256').update(String(name)).digest('hex');
}

export class IndexWorld {
  readonly health: Map<PeerId, Health> = new Map();
  readonly announced: AnnouncedBatch[] = [];
  readonly lookups: { readonly peer: PeerId; readonly count: number }[] = [];
  readonly ring: { current: Ring };
  readonly rpc: LocationRpc;
  readonly #servers = new Map<PeerId, LocationServer>();
  readonly #tables = new Map<PeerId, LocationTable>();

  constructor(peers: readonly PeerId[]) {
    this.ring = { current: new Ring(peers) };
    for (const peer of peers) this.restart(peer, `${peer}-1`);
    this.rpc = {
      announce: (peer, request, signal) =>
        this.#call(peer, signal, (server) => {
          this.#record(peer, request);
          return server.announce(CALLER, request);
        }),
      lookup: (peer, request, signal) => {
        this.lookups.push({ peer, count: request.hashes.length / 32 });
        return this.#call(peer, signal, (server) => server.lookup(request));
      },
      status: (peer, signal) => this.#call(peer, signal, (server) => server.status()),
    };
  }

  /** A metadata node that lost its memory. */
  restart(peer: PeerId, boot: string): void {
    const table = new LocationTable();
    this.#tables.set(peer, table);
    this.#servers.set(peer, new LocationServer({ table }, { boot }));
    this.health.set(peer, 'up');
  }

  table(peer: PeerId): LocationTable {
    const table = this.#tables.get(peer);
    if (table === undefined) throw new Error(`No such peer: ${peer}`);
    return table;
  }

  knows(peer: PeerId, hash: BlockHash): boolean {
    return this.table(peer)
      .lookup(packHashes([hash]))
      .nodes.includes(CALLER);
  }

  batchesTo(peer: PeerId): AnnouncedBatch[] {
    return this.announced.filter((batch) => batch.peer === peer);
  }

  /** A view on `ring.current`, for components that keep their ring. */
  liveRing(): { closest: Ring['closest']; all: Ring['all'] } {
    return {
      closest: (shard, count) => this.ring.current.closest(shard, count),
      all: () => this.ring.current.all(),
    };
  }

  async #call<T>(peer: PeerId, signal: AbortSignal, serve: (server: LocationServer) => T): Promise<T> {
    await Promise.resolve();
    signal.throwIfAborted();
    const server = this.#servers.get(peer);
    const health = this.health.get(peer);
    if (server === undefined || health === 'dead') throw new Error(`${peer} is dead`);
    if (health === 'hang')
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    const answer = serve(server);
    if (health === 'lossy') throw new Error(`the answer of ${peer} was lost`);
    return answer;
  }

  #record(peer: PeerId, { added, removed, ...rest }: AnnounceRequest): void {
    this.announced.push({
      peer,
      added: unpackHashes(added),
      removed: unpackHashes(removed),
      reset: rest.reset,
      generation: rest.generation,
      sequence: rest.sequence,
    });
  }
}
