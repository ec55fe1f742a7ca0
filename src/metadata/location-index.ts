/** @module This metadata node's part of the location index: what it holds, for whom, and how it stays whole. */
import { Handover } from '../../dht/handover.ts';
import { indexStatus } from '../../dht/index-status.ts';
import { LocationServer } from '../../dht/location-server.ts';
import { DEFAULT_MAX_RECORDS, LocationTable } from '../../dht/location-table.ts';
import { RECORD_SIZE_BYTES } from '../../dht/table-room.ts';
import type { IndexStatusResponse } from '../../dht/messages.ts';
import { prefixOfShard } from '../../dht/hash-prefix.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { PatientTable } from '../../dht/patient-table.ts';
import type { PageStore } from '../../dht/ports.ts';
import { HASH_SIZE_BYTES } from '../../dht/shard.ts';
import { ShardLedger } from '../../dht/shard-ledger.ts';
import { TellingTurns } from '../../dht/telling-turns.ts';
import { MIB, toHex } from '../common/bytes.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { Network } from '../network/network.ts';
import { locationRpc } from '../protocol/location-rpc.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import type { DatanodeStates } from './datanode-states.ts';
import type { MetadataDiscovery } from './discovery-worker.ts';
import { ACTIVE, type MemberDirectory } from './member-directory.ts';

const BOOT_ID_BYTES = 8;

/** A promise where records have to be read from disk. */
type Awaitable<T> = T | Promise<T>;

export interface LocationIndexComponents {
  readonly network: Network;
  readonly kademlia: MetadataDiscovery;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Where records go that do not fit into memory; without it, no more are taken than fit. */
  readonly locationPages?: PageStore | undefined;
}

export interface LocationIndexOptions {
  /** Told of every block that a datanode, by its own word, has no longer. Only to be noted. */
  readonly onRemoved: (hash: BlockHash) => void;
  /** What its records may take, in bytes; DEFAULT_INDEX_BYTES when absent. */
  readonly memoryBytes?: number | undefined;
  /** As ShardSpillOptions has it. */
  readonly minShardBytes?: number | undefined;
  /** What they may take of disk, in bytes; defaultIndexDiskBytes() when absent. */
  readonly diskBytes?: number | undefined;
}

export const DEFAULT_INDEX_BYTES: number = DEFAULT_MAX_RECORDS * RECORD_SIZE_BYTES;
/** With what fits into memory this makes nine times as many records as without a disk. */
const DISK_PER_MEMORY = 4;
/** However little memory there is, each of the 4,096 shards takes whole pages, and twice as many while it is written anew. */
const LEAST_DISK_BYTES: number = 64 * MIB;
/** Disk that one record takes, at most, give or take a page a shard. */
const RECORD_ON_DISK_BYTES = 40;

/** What records may take of disk when nobody says, in bytes. */
export function defaultIndexDiskBytes(memoryBytes: number): number {
  return Math.max(DISK_PER_MEMORY * memoryBytes, LEAST_DISK_BYTES);
}

export class LocationIndex {
  /** The index dies with the process: a new name each start tells datanodes to compare what this node should know. */
  readonly boot: string;
  readonly server: LocationServer;
  readonly #components: LocationIndexComponents;
  readonly #table: LocationTable;
  readonly #patient: PatientTable;
  readonly #ledger: ShardLedger;
  readonly #handover: Handover;
  readonly #turns: TellingTurns;
  #membersVersion = -1;
  #absences: number | undefined;

  constructor(components: LocationIndexComponents, options: LocationIndexOptions) {
    const { network, kademlia: ring, random } = components;
    const self = network.localPeer;
    this.#components = components;
    this.boot = toHex(random.bytes(BOOT_ID_BYTES));
    this.#ledger = new ShardLedger(ring, self);
    this.#table = this.#newTable(options);
    this.#patient = new PatientTable(this.#table);
    const awaited = (): readonly number[] => this.#awaited();
    const turns = new TellingTurns(components);
    this.#turns = turns;
    const isDatanode = (node: number): boolean => !this.#hasLeft(node);
    const own = { table: this.#table, ledger: this.#ledger };
    const parts = { ...components, ...own, ring, awaited, isDatanode, turns };
    this.server = new LocationServer(parts, { boot: this.boot });
    this.#handover = new Handover({ ...parts, rpc: locationRpc(network) }, { self });
  }

  stop(): void {
    this.#table.spill?.stop();
    this.#turns.stop();
  }

  /** Whether everything that datanodes hold of this shard is known here: only then does not knowing a copy mean something. */
  isComplete(shard: number): boolean {
    return this.#ledger.isComplete(shard);
  }

  /** As ShardIndex has it. */
  blocks(shard: number): Awaitable<ReturnType<LocationTable['blocks']> | undefined> {
    // In one turn with looking at them: they may have been handed over, or lost, while they were read.
    return this.#patient.withPrefix(prefixOfShard(shard), () =>
      this.isComplete(shard) ? this.#table.blocks(shard) : undefined,
    );
  }

  /** Datanodes that this node knows to hold each of `hashes`, in their order. */
  holders(hashes: readonly BlockHash[]): Awaitable<readonly (readonly number[])[]> {
    const packed = packHashes(hashes);
    return this.#patient.withRows([packed], () => {
      const { counts, nodes } = this.#table.lookup(packed);
      let next = 0;
      return counts.map((count) => nodes.slice(next, (next += count)));
    });
  }

  status(): IndexStatusResponse {
    const { kademlia: ring } = this.#components;
    const pulled = (): number => this.#handover.pulled;
    return indexStatus({ ring, table: this.#table, ledger: this.#ledger, pulled }, this.boot);
  }

  /** One step of taking over and handing over shards, by the members as they are now. */
  work(signal: AbortSignal): Promise<'busy' | 'idle'> {
    this.#followMembers();
    return this.#handover.work(signal);
  }

  #newTable({
    onRemoved,
    memoryBytes = DEFAULT_INDEX_BYTES,
    ...options
  }: LocationIndexOptions): LocationTable {
    const { random, locationPages: store } = this.#components;
    const recordsInMemory = Math.floor(memoryBytes / RECORD_SIZE_BYTES);
    const common = { secret: random.bytes(HASH_SIZE_BYTES), onRemoved };
    const { diskBytes = defaultIndexDiskBytes(memoryBytes), minShardBytes } = options;
    if (store === undefined || diskBytes === 0)
      return new LocationTable({ ...common, maxRecords: recordsInMemory });
    return new LocationTable({
      ...common,
      maxRecords: recordsInMemory + Math.floor(diskBytes / RECORD_ON_DISK_BYTES),
      spill: {
        ...this.#components,
        store,
        memoryBytes,
        minShardBytes,
        onLost: (shard) => this.#ledger.lost(shard),
      },
    });
  }

  #followMembers(): void {
    const { kademlia, machine, members, network, logger } = this.#components;
    const { membersVersion } = machine.counters();
    if (membersVersion === this.#membersVersion) return;
    this.#membersVersion = membersVersion;
    kademlia.refresh();
    for (const node of this.#table.nodes()) if (this.#hasLeft(node)) this.#table.drop(node);
    const absences = members.activeByPeer(network.localPeer)?.absences ?? 0;
    if (this.#absences !== undefined && absences !== this.#absences) {
      // While the others did not hear this node they told datanodes to announce elsewhere. What it has may be out of date,
      // and is not complete; but mostly it is neither, and datanodes find out by a digest each.
      logger.warn('dht.was-away', { absences, records: this.#table.recordCount });
      this.#ledger.reset();
      this.#handover.compareFirst();
    }
    this.#absences = absences;
  }

  #hasLeft(node: number): boolean {
    const member = this.#components.members.byNumber(node);
    return member !== undefined && member.state !== ACTIVE;
  }

  /** Whoever may hold blocks that nobody else knows of: all datanodes but those given up. */
  #awaited(): readonly number[] {
    const { members, registry, states } = this.#components;
    const isGivenUp = (node: number): boolean => {
      const liveness = states.liveness(node);
      return liveness === 'unknown'
        ? registry.listeningMs >= states.settings.deadAfterMs
        : liveness === 'dead';
    };
    return members
      .withRole('data')
      .map(({ number }) => number)
      .filter((node) => !isGivenUp(node));
  }
}
