/** @module A whole cluster in a world: founded, joined, put under faults, healed, and asked whether it serves again. */
import type { Client } from '../../src/client/client.ts';
import { isHoldfastError } from '../../src/common/errors.ts';
import type { Member } from '../../src/namespace/schema.ts';
import type { PeerId } from '../../src/network/network.ts';
import { Prng } from '../prng.ts';
import { NoProgress } from '../raft-cluster.ts';
import { SafetyViolation } from '../raft-oracle.ts';
import type { Trace } from '../trace.ts';
import { SimulatedSwitch } from '../world/simulated-switch.ts';
import { Weather } from '../world/weather.ts';
import { World } from '../world/world.ts';
import { ClientProcess, madePath, movedPath, registerPath } from './client-process.ts';
import { ClusterOracle } from './cluster-oracle.ts';
import { type ClusterWorld, traceLogger } from './cluster-world.ts';
import { FaultInjector } from './fault-injector.ts';
import { FIRST_VALUE, Journal } from './journal.ts';
import { founding, joinRequest, peerOf } from './founding.ts';
import { MetadataProcess } from './metadata-process.ts';
import type { Scenario } from './scenario.ts';

/** Bounds of the phases, in milliseconds of true time. */
const SETUP_LIMIT_MS = 60_000;
/** Longer than a snapshot, several elections and a client's patience take one after the other. */
const HEAL_LIMIT_MS = 120_000;
const LOOK_MS = 100;
/** After a failed write an administrator starts the node again. */
const REPAIR_MS = 2_000;
const JOIN_RETRY_MS = 1_000;
const MOST_NODES = 7;

export class SimulatedCluster {
  readonly world: World = new World();
  readonly oracle: ClusterOracle;
  readonly journal: Journal;
  readonly #scenario: Scenario;
  readonly #trace: Trace;
  readonly #weather: Weather;
  readonly #shared: ClusterWorld;
  readonly #nodes: MetadataProcess[] = [];
  readonly #removed = new Set<MetadataProcess>();
  readonly #clients: ClientProcess[] = [];
  readonly #handledFailures = new Map<MetadataProcess, number>();
  #admin: Client | undefined;
  #peers = 0;
  #failure: Error | undefined;

  constructor(scenario: Scenario, trace: Trace) {
    const { seed } = scenario;
    const { world } = this;
    this.#scenario = scenario;
    this.#trace = trace;
    this.oracle = new ClusterOracle(trace);
    this.journal = new Journal({ world, trace });
    const calm = { ...scenario.weather, spikeProbability: 0, breakProbability: 0 };
    this.#weather = new Weather({ world, random: new Prng(seed, 'weather') }, calm);
    const links = new SimulatedSwitch({
      world,
      weather: this.#weather,
      random: new Prng(seed, 'connections'),
      observe: (from, to, trafficClass) => trace.fold(`${world.nowMs} ${from}>${to} ${trafficClass}`),
    });
    this.#shared = {
      world,
      links,
      oracle: this.oracle,
      fatal: (process, error) => this.#fatal(process, error),
      logger: (name) => traceLogger(trace, world, name),
    };
  }

  /** A founder, those that join it, and clients; no faults yet. */
  async setUp(): Promise<void> {
    await this.#drive('the cluster to be set up', SETUP_LIMIT_MS, this.#setUp());
  }

  /** Safety under faults. */
  async runFaulty(): Promise<void> {
    const { world } = this;
    const { faults, faultyMs, weather } = this.#scenario;
    const injector = this.#newInjector();
    this.#weather.become(weather);
    for (const client of this.#clients) client.start((error) => this.#fail(error));
    for (const fault of faults) world.after(fault.atMs, () => injector.inject(fault));
    await world.run(world.nowMs + faultyMs, () => this.#look());
  }

  /** Faults end, everything is put right; within bounded time all must agree and serve. */
  async healAndCheck(): Promise<void> {
    this.#say('healed');
    this.#weather.clearUp();
    for (const process of this.#nodes) {
      const { health, clock } = process.machine;
      health.nextFailure = undefined;
      health.slowestSyncMs = 4;
      clock.drift(1);
      process.resume();
      if (!this.#removed.has(process)) process.start();
    }
    await this.#drive('the healed cluster to serve and agree', HEAL_LIMIT_MS, this.#serveAgain());
    this.journal.checkHistory();
  }

  #newInjector(): FaultInjector {
    const { world } = this;
    const admin = this.#admin;
    const roster = {
      admin,
      nodes: () => this.#nodes,
      running: () => this.#running(),
      leader: () => this.#leader(),
      peers: () => [...this.#nodes, ...this.#clients].map(({ peer }) => peer),
      addNode: () => {
        if (this.#nodes.length - this.#removed.size < MOST_NODES)
          this.#addNode().catch((error: unknown) => this.#fail(error));
      },
      startLater: (process: MetadataProcess, afterMs: number) => this.#startLater(process, afterMs),
    };
    const { links } = this.#shared;
    return new FaultInjector({
      world,
      weather: this.#weather,
      links,
      roster,
      say: (text) => this.#say(text),
    });
  }

  async #setUp(): Promise<void> {
    const founder = this.#newNode(1, this.#newPeer(), []);
    await founder.found(founding(founder.peer, this.#scenario.voters));
    founder.start();
    await this.#until(() => founder.node?.isLeader === true);
    for (let count = 1; count < this.#scenario.nodes; count += 1) await this.#addNode();
    for (let id = 0; id < this.#scenario.clients; id += 1) this.#clients.push(await this.#newClient(id));
    const admin = await this.#newClient(this.#scenario.clients);
    this.#admin = await admin.connect(this.#nodePeers());
    const { registers } = this.#scenario;
    for (let register = 0; register < registers; register += 1)
      await this.#admin.touch(registerPath(register), { mtimeMs: FIRST_VALUE });
    for (const [id, client] of this.#clients.entries()) {
      await this.#admin.mkdir(madePath(id));
      await this.#admin.mkdir(movedPath(id));
      await client.connect(this.#nodePeers());
    }
  }

  async #newClient(id: number): Promise<ClientProcess> {
    const peer = this.#newPeer();
    const client = new ClientProcess(this.#shared, this.journal, {
      id,
      peer,
      scenario: this.#scenario,
    });
    await client.network.start();
    await client.join(this.#nodes[0]?.peer ?? '', joinRequest(peer, ['client']));
    return client;
  }

  /** Asks whoever runs until somebody answers: what was begun must be ended, or a member would be missing for ever. */
  async #addNode(): Promise<void> {
    const peer = this.#newPeer();
    const joiner = new ClientProcess(this.#shared, this.journal, {
      id: -1,
      peer,
      scenario: this.#scenario,
    });
    await joiner.network.start();
    for (let attempt = 0; ; attempt += 1) {
      const via = this.#running()[attempt % Math.max(1, this.#running().length)];
      try {
        const { member, metadataNodes } = await joiner.join(via?.peer ?? peer, joinRequest(peer, ['meta']));
        await joiner.network.stop();
        if (member === undefined) throw new SafetyViolation('a join was answered without a member');
        const process = this.#newNode(member.number, peer, [...metadataNodes, member]);
        return process.start();
      } catch (error) {
        if (!isHoldfastError(error)) throw error;
        this.#say(`${peer} could not join: ${error.code}`);
        await this.world.pass(JOIN_RETRY_MS);
      }
    }
  }

  #newNode(number: number, peer: PeerId, seeds: readonly Member[]): MetadataProcess {
    const process = new MetadataProcess(this.#shared, { number, peer, seeds, scenario: this.#scenario });
    this.#nodes.push(process);
    return process;
  }

  #startLater(process: MetadataProcess, afterMs: number): void {
    this.world.after(afterMs, () => {
      if (!this.#removed.has(process)) process.start();
    });
  }

  /** A node may stop for two reasons only: its disk failed, or it was removed. */
  #fatal(process: MetadataProcess, error: Error): void {
    this.#say(`node ${process.number} stops: ${error.message}`);
    const { failures } = process.machine.health;
    if (isHoldfastError(error, 'METADATA_REMOVED')) this.#removed.add(process);
    else if (failures > (this.#handledFailures.get(process) ?? 0)) this.#startLater(process, REPAIR_MS);
    else this.#fail(new SafetyViolation(`Node ${process.number} stopped for no reason: ${error.message}`));
    this.#handledFailures.set(process, failures);
    // Not at once: the node itself is still in the middle of telling us.
    this.world.after(0, () => process.crash('refused'));
  }

  async #serveAgain(): Promise<void> {
    await this.#until(() => this.#leader() !== undefined);
    for (const client of this.#clients) {
      await client.stop();
      // Every node it knew may have been removed while it was cut off; an administrator would tell it of others.
      await client.connect(this.#nodePeers());
      await client.readAll();
    }
    await this.#until(() => this.#haveAgreed());
    const hashes = new Set<string>();
    for (const { state } of this.#members()) {
      const found = await state?.namespaceHash();
      hashes.add(`${found?.index ?? 0} ${found?.hash ?? ''}`);
    }
    // The cluster's own housekeeping may have added an entry between two of them.
    if (new Set([...hashes].map((text) => text.split(' ')[0])).size < hashes.size)
      throw new SafetyViolation(`Namespaces differ at one index: ${[...hashes].join(', ')}`);
  }

  #nodePeers(): readonly PeerId[] {
    return this.#nodes.filter((process) => !this.#removed.has(process)).map(({ peer }) => peer);
  }

  #leader(): MetadataProcess | undefined {
    return this.#nodes.find(({ node }) => node?.isLeader);
  }

  /** As the leader's registry has them. */
  #members(): readonly MetadataProcess[] {
    const members = this.#leader()?.state?.members() ?? [];
    const numbers = members
      .filter(({ roles, state }) => roles.includes('meta') && state === 'active')
      .map(({ number }) => number);
    return this.#nodes.filter(({ number }) => numbers.includes(number));
  }

  #haveAgreed(): boolean {
    const members = this.#members();
    const applied = this.#leader()?.node?.appliedIndex ?? 0;
    return (
      members.length > 0 && members.every(({ node }) => node !== undefined && node.appliedIndex >= applied)
    );
  }

  #running(): readonly MetadataProcess[] {
    return this.#nodes.filter(({ isRunning }) => isRunning);
  }

  async #until(probe: () => boolean): Promise<void> {
    while (!probe()) await this.world.pass(LOOK_MS);
  }

  async #drive(what: string, limitMs: number, task: Promise<void>): Promise<void> {
    let isDone = false;
    task.then(
      () => {
        isDone = true;
      },
      (error: unknown) => {
        isDone = true;
        this.#fail(error);
      },
    );
    await this.world.run(
      this.world.nowMs + limitMs,
      () => this.#look(),
      () => isDone,
    );
    this.#look();
    if (!isDone) throw new NoProgress(`Waited ${limitMs} ms in vain for ${what}:\n${this.#describe()}`);
  }

  #look(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.oracle.look();
    this.journal.check();
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }

  #describe(): string {
    return this.#nodes
      .map((process) => {
        const { number, node, isRunning } = process;
        const standing = this.#removed.has(process) ? 'removed' : isRunning ? 'runs' : 'down';
        const { term, raftState, lead, commit, lastIndex, confState } = node?.status() ?? {};
        const core = JSON.stringify({
          term,
          raftState,
          lead,
          commit,
          lastIndex,
          applied: node?.appliedIndex,
          confState,
        });
        return `  node ${number} ${standing} ${core}`;
      })
      .join('\n');
  }

  #say(text: string): void {
    this.#trace.add(`${(this.world.nowMs / 1000).toFixed(3)} ${text}`);
  }

  #newPeer(): PeerId {
    this.#peers += 1;
    return peerOf(this.#peers);
  }
}
