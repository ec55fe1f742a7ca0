/** @module Clusters of metadata nodes in one process, on a memory network, for tests of everything that needs one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManifestBook } from '../../dht/manifest-book.ts';
import { type Membership, MembershipRing } from '../../dht/membership-ring.ts';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import { sha256 } from '../../src/common/hashing.ts';
import { silentLogger, type Logger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { bootstrapCluster, FOUNDER } from '../../src/metadata/genesis.ts';
import { MetadataNode } from '../../src/metadata/metadata-node.ts';
import { recoveryWrite, survey, type Survey } from '../../src/metadata/recovery.ts';
import type { MetadataNodeOptions } from '../../src/metadata/metadata-node-options.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import type { Command, Member, Result, Token } from '../../src/namespace/schema.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { call } from '../../src/network/method.ts';
import { MemoryNetwork, MemorySwitch, memoryAddress } from '../../src/network/memory-network.ts';
import type { Network, PeerId } from '../../src/network/network.ts';
import { indexMembership } from '../../src/protocol/index-membership.ts';
import { createManifestBook, serveManifests } from '../../src/protocol/manifest-exchange.ts';
import type { JoinRequest, JoinResponse } from '../../src/protocol/messages.ts';
import { JOIN, MUTATE, REJOIN } from '../../src/protocol/methods.ts';
import { MemoryRaftLog } from '../../src/storage/memory-raft-log.ts';
import type { PageStore } from '../../src/storage/page-store.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';

/** Peer ids of tests: valid base58, told apart by their last characters. */
export function testPeer(number: number): PeerId {
  return `12D3KooWTestPeer${'abcdefghijkmnopqrstuvwxyz'[number % 25]}${(number % 9) + 1}${Math.floor(number / 25) + 1}`;
}

/** Elections on a busy machine, several of them. */
const UNTIL_MS = 30_000;

export const CLUSTER_ID = 'c1c1c1c1';
export const TOKEN_SECRET: Uint8Array = new Uint8Array(24).fill(7);

/** The disk of one node: outlives its process. */
interface Disk {
  readonly peer: PeerId;
  readonly log: MemoryRaftLog;
  readonly store: MemoryRowStore;
  readonly snapshotDir: string;
  readonly seeds: readonly Member[];
  /** What node.json of a real node says. */
  epoch: number;
}

export interface RunningNode {
  readonly number: number;
  readonly peer: PeerId;
  readonly network: Network;
  readonly machine: StateMachine;
  readonly node: MetadataNode;
  readonly log: MemoryRaftLog;
}

export type ClusterNodeOptions = Pick<
  MetadataNodeOptions,
  | 'maxLogEntries'
  | 'trailingEntries'
  | 'maxSnapshotBytesPerSecond'
  | 'submitLimitMs'
  | 'readLimitMs'
  | 'indexMemoryBytes'
  | 'indexMinShardBytes'
  | 'indexDiskBytes'
> & {
  /** Of every node that is started with it: for clusters of one. */
  readonly locationPages?: PageStore;
  readonly voters?: number;
  readonly voterReplacementMs?: number;
  /** Of the version that founds the cluster and that its nodes run; SUPPORTED_FEATURE_LEVEL when absent. */
  readonly featureLevel?: number;
};

/** How one node is started. */
export interface StartOptions {
  /** Of the version it runs; that of the cluster's options when absent. */
  readonly featureLevel?: number;
  /** Of the node, not of its network; the system's when absent. */
  readonly clock?: Clock;
}

/** The genesis token: any role, any number of uses. */
export function genesisToken(): Token {
  return {
    id: 'genesis',
    secretHash: sha256(TOKEN_SECRET),
    roles: ['meta', 'data', 'client'],
    usesLeft: 0,
    unlimited: true,
    createdMs: systemClock.wallMs(),
    expiresMs: systemClock.wallMs() + 3_600_000,
    revoked: false,
    usedBy: [],
  };
}

export class TestCluster {
  readonly switch: MemorySwitch = new MemorySwitch({ clock: systemClock });
  readonly nodes: Map<number, RunningNode> = new Map();
  readonly fatal: Error[] = [];
  /** Of the cluster; what a node that joins is told. */
  epoch = 1;
  readonly #disks = new Map<number, Disk>();
  readonly #networks = new Set<Network>();
  readonly #directory: string;
  readonly #options: ClusterNodeOptions;
  readonly #logger: Logger;
  #sequence = 0;
  /** Of the test session, in rising order. */
  readonly #outstanding = new Set<number>();
  #session = '';
  #peers = 0;

  private constructor(directory: string, options: ClusterNodeOptions, logger: Logger) {
    this.#directory = directory;
    this.#options = options;
    this.#logger = logger;
  }

  /** A founder and `size - 1` nodes that joined it, all of them voters. */
  static async start(
    size: number,
    options: ClusterNodeOptions = {},
    logger: Logger = silentLogger,
  ): Promise<TestCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-metadata-'));
    const cluster = new TestCluster(directory, options, logger);
    await cluster.#found();
    for (let count = 1; count < size; count += 1) await cluster.addNode();
    const most = Math.min(size, options.voters ?? 5);
    const voters = most > 2 && most % 2 === 0 ? most - 1 : most;
    await cluster.until('as many vote as may', () => cluster.voters().length === voters);
    return cluster;
  }

  /** A fresh peer on the switch that serves nobody; it may join, or be a stranger. */
  async newPeer(): Promise<Network> {
    this.#peers += 1;
    return this.#openNetwork(testPeer(this.#peers));
  }

  /** The network of a peer that was killed, as after a restart of its process. */
  reopen(peer: PeerId): Promise<Network> {
    return this.#openNetwork(peer);
  }

  /** Joins with the genesis token through the founder or whoever runs. */
  async join(
    network: Network,
    roles: readonly string[],
    host = '',
    { featureLevel = this.#options.featureLevel }: StartOptions = {},
  ): Promise<JoinResponse> {
    const request = joinRequest(network.localPeer, roles, host, featureLevel);
    return call(network, this.any().peer, JOIN, request);
  }

  async addNode(options: StartOptions = {}): Promise<RunningNode> {
    const network = await this.newPeer();
    const { member, metadataNodes } = await this.join(network, ['meta'], '', options);
    if (member === undefined) throw new Error('the join answer names no member');
    const { number } = member;
    this.#disks.set(number, this.#newDisk(number, network.localPeer, [...metadataNodes, member]));
    return this.#startNode(number, network, options);
  }

  /** A client that has joined, on a network of its own. */
  async client(): Promise<Network> {
    const network = await this.newPeer();
    await this.join(network, ['client']);
    return network;
  }

  /** As kill -9, except that what reached the store stays. */
  async kill(number: number): Promise<void> {
    const running = this.node(number);
    this.nodes.delete(number);
    this.switch.kill(running.peer);
    await running.node.stop();
    await running.network.stop();
    this.#networks.delete(running.network);
  }

  /** As kill() of a node that will never come back: its disk goes, too. */
  async discard(number: number): Promise<void> {
    if (this.nodes.has(number)) await this.kill(number);
    this.#disks.delete(number);
  }

  async restart(number: number, options: StartOptions = {}): Promise<RunningNode> {
    return this.#startNode(number, await this.#openNetwork(this.#diskOf(number).peer), options);
  }

  /** The namespace of a stopped node is gone; its log is not, and holds everything. */
  forgetRows(number: number): void {
    this.#disks.set(number, { ...this.#diskOf(number), store: new MemoryRowStore() });
  }

  /** The disk of a stopped node as it is now, to be put back later; `isCopy` as a copy of files, else as a volume's image. */
  async backUp(number: number, { isCopy }: { readonly isCopy: boolean }): Promise<Disk> {
    const disk = this.#disks.get(number);
    if (disk === undefined) throw new Error(`node ${number} has no disk`);
    const file = join(this.#directory, `backup-${number}`);
    await (await disk.store.pin()).copyTo(file);
    const store = new MemoryRowStore();
    await store.importFrom(file);
    return { ...disk, log: disk.log.copy({ isCopy }), store };
  }

  putBack(number: number, disk: Disk): void {
    this.#disks.set(number, disk);
  }

  /** As restart() of a stopped node whose disk is lost: it asks `via` for a new number and starts with nothing. */
  async rejoin(number: number, via: PeerId): Promise<RunningNode> {
    const network = await this.#openNetwork(this.#diskOf(number).peer);
    const { member, metadataNodes } = await call(network, via, REJOIN, {
      number,
      reason: 'test',
      featureLevel: this.#options.featureLevel ?? SUPPORTED_FEATURE_LEVEL,
    });
    if (member === undefined) throw new Error('the answer names no member');
    this.#disks.set(member.number, this.#newDisk(member.number, network.localPeer, metadataNodes));
    return this.#startNode(member.number, network);
  }

  /** As `cluster recover` on a node that was killed; returns what it found. */
  async recover(number: number): Promise<Survey> {
    const disk = this.#diskOf(number);
    const { log, store } = disk;
    const machine = await StateMachine.open({ store });
    const found = survey({ log, machine, random: systemRandom, logger: this.#logger }, number);
    this.epoch += 1;
    await log.append(recoveryWrite(log, found, this.epoch, systemClock.wallMs()));
    disk.epoch = this.epoch;
    return found;
  }

  async stop(): Promise<void> {
    for (const number of this.nodes.keys()) await this.kill(number);
    for (const network of this.#networks) await network.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  node(number: number): RunningNode {
    const running = this.nodes.get(number);
    if (running === undefined) throw new Error(`node ${number} does not run`);
    return running;
  }

  any(): RunningNode {
    const [first] = this.nodes.values();
    if (first === undefined) throw new Error('no node runs');
    return first;
  }

  /** The one node that believes to lead and that the others follow. */
  async leader(): Promise<RunningNode> {
    return this.until('there is a leader', () => [...this.nodes.values()].find(({ node }) => node.isLeader));
  }

  async follower(): Promise<RunningNode> {
    await this.leader();
    return this.until('there is a follower', () =>
      [...this.nodes.values()].find(({ node }) => !node.isLeader && node.leader !== 0),
    );
  }

  voters(): readonly number[] {
    for (const { node } of this.nodes.values()) if (node.isLeader) return node.status().confState.voters;
    return [];
  }

  /** Polls until `probe` gives something; throws after 30 s, naming `what`. */
  async until<T>(what: string, probe: () => T | undefined | false): Promise<T> {
    const deadline = systemClock.monotonicMs() + UNTIL_MS;
    for (;;) {
      const found = probe();
      if (found !== undefined && found !== false) return found;
      if (systemClock.monotonicMs() > deadline) throw new Error(`timed out waiting until ${what}`);
      await new Promise((resolve) => systemClock.after(10, () => resolve(undefined)));
    }
  }

  /** One change in the cluster's test session, through node `via`. */
  async mutate(client: Network, via: PeerId, kind: NonNullable<Command['kind']>): Promise<Result> {
    if (this.#session === '') await this.#openSession(client, via);
    const sequence = (this.#sequence += 1);
    this.#outstanding.add(sequence);
    try {
      return await this.propose(client, via, this.#session, sequence, kind);
    } finally {
      this.#outstanding.delete(sequence);
    }
  }

  async propose(
    client: Network,
    via: PeerId,
    session: string,
    sequence: number,
    kind: NonNullable<Command['kind']>,
  ): Promise<Result> {
    const [oldest = sequence] = this.#outstanding;
    const command = { session, sequence, ackedBelow: oldest, command: { kind } };
    const { result } = await call(client, via, MUTATE, { command }, { timeoutMs: 15_000 });
    if (result === undefined) throw new Error('no result');
    return result;
  }

  async #openSession(client: Network, via: PeerId): Promise<void> {
    this.#session = Buffer.from(systemRandom.bytes(16)).toString('hex');
    const value = { id: this.#session, owner: '' };
    await this.propose(client, via, '', 0, { $case: 'openSession', value });
  }

  async #found(): Promise<void> {
    this.#peers = FOUNDER;
    const founder = { ...memberOf(testPeer(FOUNDER), ['meta'], ''), number: FOUNDER, state: 'active' };
    const disk = this.#newDisk(FOUNDER, testPeer(FOUNDER), []);
    this.#disks.set(FOUNDER, disk);
    await bootstrapCluster(disk.log, {
      cluster: {
        id: CLUSTER_ID,
        epoch: 1,
        name: 'test',
        createdMs: systemClock.wallMs(),
        defaultReplication: 3,
        defaultBlockSizeBytes: 8 * 1024 * 1024,
        featureLevel: this.#options.featureLevel ?? SUPPORTED_FEATURE_LEVEL,
        voters: this.#options.voters ?? 5,
        voterReplacementMs: this.#options.voterReplacementMs ?? 0,
      },
      members: [founder],
      token: genesisToken(),
    });
    await this.#startNode(FOUNDER, await this.#openNetwork(testPeer(FOUNDER)));
    await this.leader();
  }

  #newDisk(number: number, peer: PeerId, seeds: readonly Member[]): Disk {
    const snapshotDir = join(this.#directory, `snapshots-${number}`);
    return {
      peer,
      log: new MemoryRaftLog(),
      store: new MemoryRowStore(),
      snapshotDir,
      seeds,
      epoch: this.epoch,
    };
  }

  async #openNetwork(peer: PeerId): Promise<Network> {
    const network = new MemoryNetwork(
      { switch: this.switch, clock: systemClock, random: systemRandom },
      { peer },
    );
    this.#networks.add(network);
    await network.start();
    return network;
  }

  #diskOf(number: number): Disk {
    const disk = this.#disks.get(number);
    if (disk === undefined) throw new Error(`node ${number} has no disk`);
    return disk;
  }

  async #startNode(number: number, network: Network, start: StartOptions = {}): Promise<RunningNode> {
    const { log, store, snapshotDir, seeds, epoch } = this.#diskOf(number);
    const {
      voters: _voters,
      voterReplacementMs: _replacement,
      featureLevel,
      locationPages,
      ...options
    } = this.#options;
    const supportedFeatureLevel = start.featureLevel ?? featureLevel ?? SUPPORTED_FEATURE_LEVEL;
    const machine = await StateMachine.open({ store }, { supportedFeatureLevel });
    const node = new MetadataNode(
      {
        network,
        log,
        machine,
        kademlia: new TestDiscovery(machine, network),
        clock: start.clock ?? systemClock,
        random: systemRandom,
        logger: this.#logger.with({ node: number }),
        ...(locationPages !== undefined && { locationPages }),
      },
      {
        ...options,
        number,
        cluster: CLUSTER_ID,
        epoch,
        snapshotDir,
        seeds,
        onFatal: (error) => this.fatal.push(error),
      },
    );
    network.authorize(node.authorizer);
    await node.start();
    await node.takePart();
    const running = { number, peer: network.localPeer, network, machine, node, log };
    this.nodes.set(number, running);
    return running;
  }
}

/** The ring over the registry alone: nobody has to be found. */
class TestDiscovery extends MembershipRing {
  readonly manifests: ManifestBook;

  constructor(machine: StateMachine, network: Network) {
    const known = (): Membership => {
      const version = machine.counters().membersVersion;
      return indexMembership(machine.members(), { version, epoch: machine.cluster()?.epoch ?? 0 });
    };
    super(known, network.localPeer);
    this.manifests = createManifestBook({ network, logger: silentLogger }, { cluster: CLUSTER_ID, known });
    serveManifests(network, this.manifests);
  }

  async publishManifest(): Promise<number> {
    return 1;
  }

  async provide(): Promise<number> {
    return 1;
  }
}

/** A join with the genesis token. */
export function joinRequest(
  peer: PeerId,
  roles: readonly string[],
  host = '',
  featureLevel: number = SUPPORTED_FEATURE_LEVEL,
): JoinRequest {
  return {
    cluster: CLUSTER_ID,
    tokenId: 'genesis',
    tokenSecret: TOKEN_SECRET,
    member: memberOf(peer, roles, host),
    client: undefined,
    featureLevel,
  };
}

export function memberOf(peer: PeerId, roles: readonly string[], host: string): Member {
  return {
    number: 0,
    peer,
    roles: [...roles],
    name: peer.slice(-4),
    host,
    zone: '',
    addresses: [memoryAddress(peer)],
    joinedMs: 0,
    state: '',
  };
}
