/** @module Metadata nodes without a network: real tables and servers behind an rpc whose peers can die, hang and restart. */
import { createHash } from 'node:crypto';
import { Handover } from '../../dht/handover.ts';
import { LocationServer } from '../../dht/location-server.ts';
import type { LocationTable } from '../../dht/location-table.ts';
import { MembershipRing } from '../../dht/membership-ring.ts';
import type { AnnounceRequest } from '../../dht/messages.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import type { BlockHash, Clock, HeldBlocks, LocationRpc, PeerId } from '../../dht/ports.ts';
import { ShardLedger } from '../../dht/shard-ledger.ts';
import { TellingTurns } from '../../dht/telling-turns.ts';
import { ManualClock } from '../manual-clock.ts';
import { newTable } from './new-table.ts';
import { unpackHashes } from './unpack-hashes.ts';
import { silentLogger } from '../../src/common/logger.ts';

/** `up` answers, `dead` fails at once, `hang` answers never. `lossy` does what it is told and then fails. */
export type Health = 'up' | 'dead' | 'hang' | 'lossy';

export interface AnnouncedBatch {
  readonly peer: PeerId;
  readonly added: BlockHash[];
  readonly removed: BlockHash[];
  readonly whole: readonly string[];
  readonly generation: number;
  readonly sequence: number;
}

export const CALLER = 7;

export function hashOf(name: string | number): BlockHash {
  return createHash('sha256').update(String(name)).digest('hex');
}

/** Blocks of a datanode in memory. */
export class HeldSet implements HeldBlocks {
  readonly #shards = new Map<string, Set<BlockHash>>();

  add(...hashes: readonly BlockHash[]): this {
    for (const hash of hashes) this.#shard(hash).add(hash);
    return this;
  }

  delete(...hashes: readonly BlockHash[]): void {
    for (const hash of hashes) this.#shard(hash).delete(hash);
  }

  below(prefix: string): BlockHash[] {
    return [...this.#shard(prefix)].filter((hash) => hash.startsWith(prefix)).toSorted();
  }

  combined(prefix: string): { readonly count: number; readonly hash: Uint8Array } {
    const hash = Buffer.alloc(32);
    const all = this.below(prefix);
    for (const each of all)
      Buffer.from(each, 'hex').forEach((byte, at) => (hash[at] = (hash[at] ?? 0) ^ byte));
    return { count: all.length, hash };
  }

  all(): BlockHash[] {
    return [...this.#shards.values()].flatMap((shard) => [...shard]);
  }

  #shard(prefix: string): Set<BlockHash> {
    const shard = this.#shards.get(prefix.slice(0, 3)) ?? new Set();
    this.#shards.set(prefix.slice(0, 3), shard);
    return shard;
  }
}

export class IndexWorld {
  readonly health: Map<PeerId, Health> = new Map();
  readonly announced: AnnouncedBatch[] = [];
  /** Called in the midst of each announcement. */
  onAnnounce: (() => void) | undefined;
  readonly lookups: { readonly peer: PeerId; readonly count: number }[] = [];
  /** Comparisons asked for, by peer. */
  readonly compared: PeerId[] = [];
  /** What everybody sees, unless somebody has a ring of his own. */
  readonly ring: MembershipRing;
  readonly rpc: LocationRpc;
  /** Numbers of the datanodes whose word completes a shard. */
  awaited: readonly number[] = [];
  readonly #clock: Clock;
  #epoch = 1;
  #members: readonly PeerId[];
  readonly #servers = new Map<PeerId, LocationServer>();
  readonly #tables = new Map<PeerId, LocationTable>();
  readonly #ledgers = new Map<PeerId, ShardLedger>();

  /** By `clock` holders let datanodes have their turns, at the first pace for ever. */
  constructor(peers: readonly PeerId[], clock: Clock = new ManualClock()) {
    this.#clock = clock;
    this.#members = peers;
    this.ring = this.newRing();
    for (const peer of peers) this.restart(peer, `${peer}-1`);
    this.rpc = {
      announce: (peer, request, signal) =>
        this.#call(peer, signal, (server) => {
          this.#record(peer, request);
          this.onAnnounce?.();
          return server.announce(CALLER, request);
        }),
      compare: (peer, request, signal) => {
        this.compared.push(peer);
        return this.#call(peer, signal, (server) => server.compare(CALLER, request));
      },
      lookup: (peer, request, signal) => {
        this.lookups.push({ peer, count: request.hashes.length / 32 });
        return this.#call(peer, signal, (server) => server.lookup(request));
      },
      holdings: (peer, request, signal) => this.#call(peer, signal, (server) => server.holdings(request)),
      pull: (peer, request, signal) => this.#call(peer, signal, (server) => server.pull(request)),
      status: () => Promise.reject(new Error('not asked here')),
    };
  }

  /** A ring that follows the world's members when it is refreshed. */
  newRing(self?: PeerId): MembershipRing {
    return new MembershipRing(() => ({ epoch: this.#epoch, peers: this.#members }), self);
  }

  /** The members change; those who share `ring` know at once. */
  setMembers(peers: readonly PeerId[]): void {
    this.#members = peers;
    this.#epoch++;
    this.ring.refresh();
  }

  /** A metadata node that lost its memory. It has nothing to ask of others, and with nobody awaited is complete at once. */
  restart(peer: PeerId, boot: string): void {
    const table = newTable();
    const ledger = new ShardLedger(this.ring, peer);
    // In the order of a handover: look at the members, ask the others, go on with the datanodes.
    ledger.missing();
    ledger.promise([]);
    ledger.settle(() => this.awaited);
    this.#tables.set(peer, table);
    this.#ledgers.set(peer, ledger);
    const turns = new TellingTurns({ clock: withoutTimers(this.#clock) });
    const isDatanode = (): boolean => true;
    const components = { table, ledger, ring: this.ring, awaited: () => this.awaited, isDatanode, turns };
    this.#servers.set(peer, new LocationServer(components, { boot }));
    this.health.set(peer, 'up');
  }

  /** The hand-over of one metadata node, as its background worker drives it. */
  handover(self: PeerId, clock: Clock, options: { readonly recordsPerSecond?: number } = {}): Handover {
    return new Handover(
      {
        rpc: this.rpc,
        ring: this.ring,
        table: this.table(self),
        ledger: this.ledger(self),
        isDatanode: () => true,
        awaited: () => this.awaited,
        clock,
        logger: silentLogger,
      },
      { self, ...options },
    );
  }

  ledger(peer: PeerId): ShardLedger {
    const ledger = this.#ledgers.get(peer);
    if (ledger === undefined) throw new Error(`No such peer: ${peer}`);
    return ledger;
  }

  server(peer: PeerId): LocationServer {
    const server = this.#servers.get(peer);
    if (server === undefined) throw new Error(`No such peer: ${peer}`);
    return server;
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

  async #call<T>(
    peer: PeerId,
    signal: AbortSignal,
    serve: (server: LocationServer) => T | Promise<T>,
  ): Promise<T> {
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
      whole: rest.whole,
      generation: rest.generation,
      sequence: rest.sequence,
    });
  }
}

function withoutTimers(clock: Clock): Clock {
  return { monotonicMs: () => clock.monotonicMs(), after: () => ({ cancel: () => {} }) };
}
