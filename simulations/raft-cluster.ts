/** @module The scenario: a cluster under faults, checked all the time; then healed, and required to make progress. */
import type { ConfState, Index, Message, NodeId } from '../raft/types.ts';
import { describeMessage } from '../raft/describe.ts';
import { PacketNetwork } from './packet-network.ts';
import { Prng } from './prng.ts';
import { RaftClients } from './raft-clients.ts';
import { RaftFaults } from './raft-faults.ts';
import { RaftOracle } from './raft-oracle.ts';
import { drawRaftOptions } from './raft-options.ts';
import type { RaftSwarmOptions } from './raft-swarm-options.ts';
import { SimulatedRaftNode } from './simulated-raft-node.ts';
import { Trace } from './trace.ts';

/** How often the healed cluster is looked at, and how many entries it must commit to count as serving. */
const HEALED_ENTRIES = 5;

/** The cluster was whole again and yet did not agree. */
export class NoProgress extends Error {
  override readonly name: string = 'NoProgress';
}

/** What a run saw; two runs of one seed are equal in all of it. */
export interface RaftRun {
  readonly seed: number;
  readonly hash: string;
  readonly committed: Index;
  readonly failure?: Error;
  /** Last lines of the trace, of a failed run only. */
  readonly tail: readonly string[];
}

/** Runs one seed. Never throws for what it finds: that is `failure`. */
export function runRaftCluster(seed: number): RaftRun {
  const cluster = new RaftCluster(seed, drawRaftOptions(seed));
  try {
    cluster.runFaulty();
    cluster.healAndCheck();
    return { seed, hash: cluster.trace.hash, committed: cluster.committed, tail: [] };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return {
      seed,
      hash: cluster.trace.hash,
      committed: cluster.committed,
      failure,
      tail: cluster.trace.tail(),
    };
  }
}

/** N real cores over one packet network, in lock step. */
export class RaftCluster {
  readonly trace: Trace = new Trace();
  readonly #options: RaftSwarmOptions;
  readonly #seed: number;
  readonly #network: PacketNetwork;
  readonly #faults: RaftFaults;
  readonly #clients: RaftClients;
  readonly #clocks: Prng;
  readonly #oracle = new RaftOracle();
  readonly #nodes = new Map<NodeId, SimulatedRaftNode>();
  #now = 0;
  #outbox: Message[] = [];

  constructor(seed: number, options: RaftSwarmOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#clocks = new Prng(seed, 'clocks');
    this.#network = new PacketNetwork(
      { random: new Prng(seed, 'network'), stragglerRandom: new Prng(seed, 'stragglers') },
      options,
    );
    const nodes = this.#nodes;
    this.#faults = new RaftFaults({ nodes, network: this.#network, trace: this.trace }, options, seed);
    this.#clients = new RaftClients({ nodes, addNode: (id) => this.#addNode(id, []) }, options, seed);
    const voters = Array.from({ length: options.voters }, (_, i) => i + 1);
    for (const id of voters) this.#addNode(id, voters);
  }

  get committed(): Index {
    return this.#oracle.lastCommitted;
  }

  /** Phase 1: safety under faults. */
  runFaulty(): void {
    for (let i = 0; i < this.#options.faultyTicks; i++) {
      this.#faults.inject(this.#now);
      this.#clients.act();
      this.#step(this.#options.skewProbability);
    }
  }

  /** Phase 2: no more faults; within bounded time all members must have applied what is newly proposed. */
  healAndCheck(): void {
    this.#network.becomePerfect();
    const goal = this.committed + HEALED_ENTRIES;
    for (let i = 0; i < this.#options.healingTicks; i++) {
      this.#keepOnlyMembers();
      if (i % this.#options.electionTick === 0) this.#clients.propose();
      this.#step(0);
      if (this.#hasAgreed(goal)) return;
    }
    const states = [...this.#nodes.values()].map((node) =>
      JSON.stringify(node.status() ?? `${node.id} is down`),
    );
    throw new NoProgress(
      `No agreement on ${goal} entries ${this.#options.healingTicks} ticks after healing:\n${states.join('\n')}`,
    );
  }

  #step(skewProbability: number): void {
    this.#now += 1;
    for (const message of this.#network.deliver(this.#now)) this.#deliver(message);
    for (const message of this.#network.takeLost()) this.#reportLoss(message);
    for (const node of this.#nodes.values()) {
      const ticks = this.#clocks.chance(skewProbability) ? this.#clocks.pick([0, 2]) : 1;
      for (let i = 0; i < ticks; i++) node.tick();
      node.work(this.#now);
    }
    const sent = this.#outbox;
    this.#outbox = [];
    for (const message of sent) this.#network.send(message, this.#now);
  }

  #deliver(message: Message): void {
    const target = this.#nodes.get(message.to);
    if (target?.isRunning !== true) {
      this.#reportLoss(message);
      return;
    }
    this.trace.add(`${this.#now} ${describeMessage(message)}`);
    target.receive(message);
    if (message.type === 'MsgSnap')
      this.#nodes.get(message.from)?.ask((core) => core.reportSnapshot(message.to, true));
  }

  #reportLoss(message: Message): void {
    const sender = this.#nodes.get(message.from);
    if (message.type === 'MsgSnap') sender?.ask((core) => core.reportSnapshot(message.to, false));
    else if (message.type === 'MsgApp') sender?.ask((core) => core.reportUnreachable(message.to));
  }

  /**
   * All members run. Removed nodes are switched off once all members know of their removal, as an operator should:
   * before that, their votes may be needed. An explicit joint phase is ended.
   */
  #keepOnlyMembers(): void {
    const latest = this.#clients.latestConfState();
    const members = this.#membersOf(latest);
    const wanted = JSON.stringify(latest);
    const isKnown = members.every((node) => JSON.stringify(node.confState) === wanted);
    for (const node of this.#nodes.values()) {
      const isRemoved = !members.includes(node) && node.confState.voters.length > 0;
      if (isRemoved && isKnown && node.isRunning) this.#faults.crash(node, this.#now);
      if (!(isRemoved && isKnown) && !node.isRunning) this.#faults.start(node, this.#now);
    }
    if (latest.votersOutgoing.length > 0 && this.#now % this.#options.electionTick === 0)
      this.#clients.leaveJoint();
  }

  #hasAgreed(goal: Index): boolean {
    const latest = this.#clients.latestConfState();
    return (
      latest.votersOutgoing.length === 0 && this.#membersOf(latest).every((node) => node.applied >= goal)
    );
  }

  #membersOf({ voters, votersOutgoing, learners }: ConfState): SimulatedRaftNode[] {
    const ids = new Set([...voters, ...votersOutgoing, ...learners]);
    return [...this.#nodes.values()].filter((node) => ids.has(node.id));
  }

  #addNode(id: NodeId, voters: readonly NodeId[]): void {
    const components = {
      oracle: this.#oracle,
      random: new Prng(this.#seed, `node ${id}`),
      trace: this.trace,
      send: (message: Message): void => {
        this.#outbox.push(message);
      },
      hasDurable: (node: NodeId, index: Index, term: number): boolean =>
        this.#nodes.get(node)?.isDurable(index, term) ?? false,
    };
    this.#nodes.set(id, new SimulatedRaftNode(id, voters, components, this.#options));
  }
}
