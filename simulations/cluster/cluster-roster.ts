/** @module Who belongs to a simulated cluster: its nodes and clients, how they come, come back, and go. */
import { decodeChain } from '../../dht/manifest-book.ts';
import { isHoldfastError } from '../../src/common/errors.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import type { Member } from '../../src/namespace/schema.ts';
import type { PeerId } from '../../src/network/network.ts';
import type { JoinResponse } from '../../src/protocol/messages.ts';
import { SafetyViolation } from '../raft-oracle.ts';
import { ClientProcess } from './client-process.ts';
import { DataProcess } from './data-process.ts';
import type { ClusterWorld } from './cluster-world.ts';
import type { Process } from './fault-actions.ts';
import type { Roster } from './roster.ts';
import { collecting, founding, joinRequest, peerOf } from './founding.ts';
import { MetadataProcess } from './metadata-process.ts';
import { collects, type Scenario } from './scenario.ts';
import { Supervisor } from './supervisor.ts';

const JOIN_RETRY_MS = 1_000;
const MOST_NODES = 7;

export interface ClusterRosterComponents {
  readonly shared: ClusterWorld;
  readonly say: (text: string) => void;
  /** The run has failed. */
  readonly fail: (error: unknown) => void;
}

export class ClusterRoster implements Roster {
  readonly #components: ClusterRosterComponents;
  readonly #scenario: Scenario;
  readonly #nodes: MetadataProcess[] = [];
  readonly #datanodes: DataProcess[] = [];
  readonly #gone = new Set<Process>();
  readonly #supervisor: Supervisor;
  readonly #clients: ClientProcess[] = [];
  #admin: ClientProcess | undefined;
  #peers = 0;

  constructor(components: ClusterRosterComponents, scenario: Scenario) {
    this.#components = components;
    this.#scenario = scenario;
    this.#supervisor = new Supervisor(
      {
        ...components,
        startLater: (process, afterMs) => this.startLater(process, afterMs),
        giveUp: (process) => void this.#gone.add(process),
        others: (peer) => this.#nodes.filter((node) => node.peer !== peer && !this.isGone(node)),
        comeBack: (member, peer, seeds) => this.#newNode(member.number, peer, seeds).start(),
        remove: async (number) => this.#admin?.actor.client.removeMember(number, { force: true }),
      },
      scenario,
    );
  }

  /** Metadata nodes, those that are gone included. */
  nodes(): readonly MetadataProcess[] {
    return this.#nodes;
  }

  datanodes(): readonly DataProcess[] {
    return this.#datanodes;
  }

  running(): readonly MetadataProcess[] {
    return this.#nodes.filter(({ isRunning }) => isRunning);
  }

  leader(): MetadataProcess | undefined {
    return this.#nodes.find(({ node }) => node?.isLeader);
  }

  clients(): readonly ClientProcess[] {
    return this.#clients;
  }

  peers(): readonly PeerId[] {
    // One that came back under a new number has the peer id of before.
    return [...new Set([...this.#nodes, ...this.#clients, ...this.#datanodes].map(({ peer }) => peer))];
  }

  get admin(): ClientProcess | undefined {
    return this.#admin;
  }

  /** Of the metadata nodes that were not removed. */
  nodePeers(): readonly PeerId[] {
    return this.#nodes.filter((process) => !this.#gone.has(process)).map(({ peer }) => peer);
  }

  /** The active metadata nodes as the leader's registry has them. */
  members(): readonly MetadataProcess[] {
    const members = this.leader()?.state?.members() ?? [];
    const numbers = members
      .filter(({ roles, state }) => roles.includes('meta') && state === 'active')
      .map(({ number }) => number);
    return this.#nodes.filter(({ number }) => numbers.includes(number));
  }

  async found(): Promise<MetadataProcess> {
    const founder = this.#newNode(1, this.#newPeer(), []);
    const { voters, firstLevel, blockSizeBytes } = this.#scenario;
    const first = founding(founder.peer, voters, firstLevel, blockSizeBytes);
    await founder.found(collects(this.#scenario) ? collecting(first) : first);
    founder.start();
    return founder;
  }

  addNode(): void {
    if (this.#nodes.length - this.#gone.size < MOST_NODES)
      this.joinNode().catch((error: unknown) => this.#components.fail(error));
  }

  async joinNode(): Promise<void> {
    const peer = this.#newPeer();
    const { member, metadataNodes, manifests } = await this.#join(peer, ['meta']);
    if (member === undefined) throw new SafetyViolation('a join was answered without a member');
    const node = this.#newNode(member.number, peer, [...metadataNodes, member]);
    if (manifests !== undefined) node.machine.manifests = decodeChain(manifests);
    node.start();
  }

  async joinDatanode(): Promise<void> {
    const peer = this.#newPeer();
    const { member, metadataNodes } = await this.#join(peer, ['data']);
    if (member === undefined) throw new SafetyViolation('a join was answered without a member');
    const { number } = member;
    const { seed } = this.#scenario;
    const process: DataProcess = new DataProcess(this.#components.shared, {
      number,
      peer,
      seed,
      seeds: metadataNodes,
      host: `host-${number}`,
      onFatal: (error) => this.#supervisor.stopped(process, error),
    });
    this.#datanodes.push(process);
    process.start();
  }

  /** Connected; the administrator is the last. */
  async joinClients(): Promise<void> {
    for (let id = 0; id < this.#scenario.clients; id += 1) this.#clients.push(await this.#newClient(id));
    this.#admin = await this.#newClient(this.#scenario.clients);
  }

  startLater(process: Process, afterMs: number): void {
    this.#components.shared.world.after(afterMs, () => {
      if (!this.#gone.has(process)) process.start();
    });
  }

  /** Everybody runs and is let alone. */
  heal(): void {
    for (const client of this.#clients) {
      client.resume();
      client.machineClock.drift(1);
    }
    for (const process of [...this.#nodes, ...this.#datanodes]) {
      const { health, clock } = process.machine;
      health.nextFailure = undefined;
      health.slowestSyncMs = 4;
      health.losesPages = false;
      clock.drift(1);
      process.resume();
      // A datanode whose disk has failed takes nothing more until somebody starts it again.
      if (health.failures > 0 && this.#datanodes.some((datanode) => datanode === process))
        process.crash('refused');
      if (process instanceof MetadataProcess) process.install(SUPPORTED_FEATURE_LEVEL);
      if (!this.#gone.has(process)) process.start();
    }
  }

  /** For a person who looks at a cluster that stands still. */
  describe(): string {
    return this.#nodes.map((process) => this.#describeNode(process)).join('\n');
  }

  #describeNode(process: MetadataProcess): string {
    const { number, node, isRunning } = process;
    const standing = this.#gone.has(process) ? 'removed' : isRunning ? 'runs' : 'down';
    const { term, raftState, lead, commit, lastIndex, confState } = node?.status() ?? {};
    const applied = node?.appliedIndex;
    const core = JSON.stringify({ term, raftState, lead, commit, lastIndex, applied, confState });
    return `  node ${number} ${standing} ${core}`;
  }

  async #newClient(id: number): Promise<ClientProcess> {
    const peer = this.#newPeer();
    const { seed, thinkMs } = this.#scenario;
    const client = new ClientProcess(this.#components.shared, { id, peer, seed, thinkMs });
    await client.network.start();
    await client.join(this.#nodes[0]?.peer ?? '', joinRequest(peer, ['client']));
    await client.connect(this.nodePeers());
    return client;
  }

  /** Asks whoever runs until somebody answers: what was begun must be ended, or a member would be missing for ever. */
  async #join(peer: PeerId, roles: readonly string[]): Promise<JoinResponse> {
    const { seed, thinkMs } = this.#scenario;
    const joiner = new ClientProcess(this.#components.shared, { id: -1, peer, seed, thinkMs });
    await joiner.network.start();
    for (let attempt = 0; ; attempt += 1) {
      const via = this.running()[attempt % Math.max(1, this.running().length)];
      try {
        const answer = await joiner.join(via?.peer ?? peer, joinRequest(peer, roles));
        await joiner.network.stop();
        return answer;
      } catch (error) {
        if (!isHoldfastError(error)) throw error;
        this.#components.say(`${peer} could not join: ${error.code}`);
        await this.#components.shared.world.pass(JOIN_RETRY_MS);
      }
    }
  }

  #newNode(number: number, peer: PeerId, seeds: readonly Member[]): MetadataProcess {
    const process: MetadataProcess = new MetadataProcess(this.#components.shared, {
      number,
      peer,
      seeds,
      scenario: this.#scenario,
      level: this.#scenario.firstLevel,
      onFatal: (error) => this.#supervisor.stopped(process, error),
    });
    this.#nodes.push(process);
    return process;
  }

  /** Nobody starts it again: it was removed, or has come back as another. */
  isGone(process: Process): boolean {
    return this.#gone.has(process);
  }

  #newPeer(): PeerId {
    this.#peers += 1;
    return peerOf(this.#peers);
  }
}
