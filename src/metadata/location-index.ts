/** @module This metadata node's part of the location index: what it holds, for whom, and how it stays whole. */
import { Handover } from '../../dht/handover.ts';
import { indexStatus } from '../../dht/index-status.ts';
import { LocationServer } from '../../dht/location-server.ts';
import { DEFAULT_MAX_RECORDS, LocationTable } from '../../dht/location-table.ts';
import type { IndexStatusResponse } from '../../dht/messages.ts';
import { keeper } from '../../dht/keeper.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import type { PeerId } from '../../dht/ports.ts';
import { HASH_SIZE_BYTES } from '../../dht/shard.ts';
import { ShardLedger } from '../../dht/shard-ledger.ts';
import { TellingTurns } from '../../dht/telling-turns.ts';
import { toHex } from '../common/bytes.ts';
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
}

export interface LocationIndexOptions {
  /** Told of every block that a datanode, by its own word, has no longer. Only to be noted. */
  readonly onRemoved: (hash: BlockHash) => void;
  /** What its records may take, in bytes; DEFAULT_INDEX_BYTES when absent. */
  readonly memoryBytes?: number | undefined;
}

/** Of one copy of one block, at most. */
const RECORD_BYTES = 80;
export const DEFAULT_INDEX_BYTES: number = DEFAULT_MAX_RECORDS * RECORD_BYTES;

export class LocationIndex {
  /** The index dies with the process: a new name each start tells datanodes to compare what this node should know. */
  readonly boot: string;
  readonly server: LocationServer;
  readonly #components: LocationIndexComponents;
  readonly #table: LocationTable;
  readonly #ledger: ShardLedger;
  readonly #handover: Handover;
  readonly #turns: TellingTurns;
  #membersVersion = -1;
  #absences: number | undefined;

  constructor(components: LocationIndexComponents, { onRemoved, memoryBytes }: LocationIndexOptions) {
    const { network, kademlia: ring, random } = components;
    const self = network.localPeer;
    this.#components = components;
    this.boot = toHex(random.bytes(BOOT_ID_BYTES));
    this.#table = new LocationTable({
      secret: random.bytes(HASH_SIZE_BYTES),
      maxRecords: Math.floor((memoryBytes ?? DEFAULT_INDEX_BYTES) / RECORD_BYTES),
      onRemoved,
    });
    this.#ledger = new ShardLedger(ring, self);
    const awaited = (): readonly number[] => this.#awaited();
    const turns = new TellingTurns(components);
    this.#turns = turns;
    const parts = { ...components, ring, table: this.#table, ledger: this.#ledger, awaited, turns };
    this.server = new LocationServer(parts, { boot: this.boot });
    const isDatanode = (node: number): boolean => !this.#hasLeft(node);
    this.#handover = new Handover({ ...parts, rpc: locationRpc(network), isDatanode }, { self });
  }

  stop(): void {
    this.#turns.stop();
  }

  /** Whether everything that datanodes hold of this shard is known here: only then does not knowing a copy mean something. */
  isComplete(shard: number): boolean {
    return this.#ledger.isComplete(shard);
  }

  /** Whether this node decides for the shard: the closest of its live holders. Two may believe so for a while. */
  isKeeper(shard: number, isAlive: (peer: PeerId) => boolean): boolean {
    const { kademlia, network } = this.#components;
    return keeper(kademlia, shard, isAlive) === network.localPeer;
  }

  /** The blocks of a shard that this node knows of, with the numbers of their datanodes. */
  blocks(shard: number): ReturnType<LocationTable['blocks']> {
    return this.#table.blocks(shard);
  }

  /** Datanodes that this node knows to hold each of `hashes`, in their order. */
  holders(hashes: readonly BlockHash[]): readonly (readonly number[])[] {
    const { counts, nodes } = this.#table.lookup(packHashes(hashes));
    let next = 0;
    return counts.map((count) => nodes.slice(next, (next += count)));
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
