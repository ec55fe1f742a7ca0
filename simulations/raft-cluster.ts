/** @module The scenario: a cluster under faults, checked all the time; then healed, and required to make progress. */
import type { ConfChangeSingle, ConfState, Index, Message, NodeId } from '../raft/types.ts';
import { describeMessage } from '../raft/describe.ts';
import { PacketNetwork } from './packet-network.ts';
import { Prng } from './prng.ts';
import { RaftOracle } from './raft-oracle.ts';
import { drawRaftOptions } from './raft-options.ts';
import type { RaftSwarmOptions } from './raft-options.ts';
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
  readonly #faults: Prng;
  readonly #clients: Prng;
  readonly #clocks: Prng;
  readonly #oracle = new RaftOracle();
  readonly #nodes = new Map<NodeId, SimulatedRaftNode>();
  #now = 0;
  #proposed = 0;
  #outbox: Message[] = [];

  constructor(seed: number, options: RaftSwarmOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#faults = new Prng(seed, 'faults');
    this.#clients = new Prng(seed, 'clients');
    this.#clocks = new Prng(seed, 'clocks');
    this.#network = new PacketNetwork(new Prng(seed, 'network'), options);
    const voters = Array.from({ length: options.voters }, (_, i) => i + 1);
    for (const id of voters) this.#addNode(id, voters);
  }

  get committed(): Index {
    return this.#oracle.lastCommitted;
  }

  /** Phase 1: safety under faults. */
  runFaulty(): void {
    for (let i = 0; i < this.#options.faultyTicks; i++) {
      this.#injectFaults();
      this.#actAsClient();
      this.#step(this.#options.skewProbability);
    }
  }

  /** Phase 2: no more faults; within bounded time all members must have applied what is newly proposed. */
  healAndCheck(): void {
    this.#network.becomePerfect();
    const goal = this.committed + HEALED_ENTRIES;
    for (let i = 0; i < this.#options.healingTicks; i++) {
      this.#keepOnlyMembers();
      if (i % this.#options.electionTick === 0) this.#proposeAnywhere();
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

  #injectFaults(): void {
    const { crashProbability, restartProbability, partitionProbability, healProbability } = this.#options;
    for (const node of this.#nodes.values()) {
      if (node.isRunning && this.#faults.chance(crashProbability)) this.#crash(node);
      else if (!node.isRunning && this.#faults.chance(restartProbability)) this.#start(node);
    }
    if (this.#faults.chance(partitionProbability)) {
      this.trace.add(`${this.#now} partition`);
      this.#network.partition([...this.#nodes.keys()]);
    } else if (this.#faults.chance(healProbability)) this.#network.heal();
  }

  #actAsClient(): void {
    const {
      proposeProbability,
      readProbability,
      changeProbability,
      transferProbability,
      campaignProbability,
    } = this.#options;
    const random = this.#clients;
    if (random.chance(proposeProbability)) this.#proposeAnywhere();
    if (random.chance(readProbability)) this.#anyNode().read();
    if (random.chance(campaignProbability)) this.#anyNode().ask((core) => core.campaign());
    if (random.chance(transferProbability)) {
      const target = this.#anyNode().id;
      this.#anyNode().ask((core) => core.transferLeader(target));
    }
    if (random.chance(changeProbability)) this.#changeMembership();
  }

  #proposeAnywhere(): void {
    this.#proposed += 1;
    const text = `${this.#proposed}`;
    this.#anyNode().propose(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  }

  /** Node ids are never reused: who is removed stays removed. */
  #changeMembership(): void {
    const random = this.#clients;
    const changes: ConfChangeSingle[] = [];
    for (let steps = random.between(1, 2); steps > 0; steps--) {
      const known = [...this.#nodes.keys()];
      const next = known.length + 1;
      if (next <= this.#options.maxNodes && random.chance(0.5)) {
        this.#addNode(next, []);
        changes.push({ type: random.pick(['ConfChangeAddNode', 'ConfChangeAddLearnerNode']), nodeId: next });
        continue;
      }
      const { voters, learners } = this.#latestConfState();
      const members = [...voters, ...learners];
      if (members.length === 0) continue;
      const nodeId = random.pick(members);
      changes.push({
        type: random.pick(['ConfChangeRemoveNode', 'ConfChangeAddNode', 'ConfChangeAddLearnerNode']),
        nodeId,
      });
    }
    const { voters, votersOutgoing } = this.#latestConfState();
    const transition = random.pick([
      'ConfChangeTransitionAuto',
      'ConfChangeTransitionJointImplicit',
      'ConfChangeTransitionJointExplicit',
    ] as const);
    const removed = changes.filter(({ type }) => type !== 'ConfChangeAddNode').length;
    // A change that leaves no voter is refused when it is applied, on every node alike; keep at least one.
    const change =
      votersOutgoing.length > 0
        ? { transition: 'ConfChangeTransitionAuto' as const, changes: [] }
        : { transition, changes };
    if (change.changes.length > 0 && voters.length <= removed) return;
    this.#anyNode().ask((core) => core.proposeConfChange({ ...change, context: new Uint8Array(0) }));
  }

  /**
   * All members run. Removed nodes are switched off once all members know of their removal, as an operator should:
   * before that, their votes may be needed. An explicit joint phase is ended.
   */
  #keepOnlyMembers(): void {
    const latest = this.#latestConfState();
    const members = this.#membersOf(latest);
    const wanted = JSON.stringify(latest);
    const isKnown = members.every((node) => JSON.stringify(node.confState) === wanted);
    for (const node of this.#nodes.values()) {
      const isRemoved = !members.includes(node) && node.confState.voters.length > 0;
      if (isRemoved && isKnown && node.isRunning) this.#crash(node);
      if (!(isRemoved && isKnown) && !node.isRunning) this.#start(node);
    }
    if (latest.votersOutgoing.length > 0 && this.#now % this.#options.electionTick === 0)
      this.#anyNode().ask((core) =>
        core.proposeConfChange({
          transition: 'ConfChangeTransitionAuto',
          changes: [],
          context: new Uint8Array(0),
        }),
      );
  }

  #hasAgreed(goal: Index): boolean {
    const latest = this.#latestConfState();
    return (
      latest.votersOutgoing.length === 0 && this.#membersOf(latest).every((node) => node.applied >= goal)
    );
  }

  #membersOf({ voters, votersOutgoing, learners }: ConfState): SimulatedRaftNode[] {
    const ids = new Set([...voters, ...votersOutgoing, ...learners]);
    return [...this.#nodes.values()].filter((node) => ids.has(node.id));
  }

  /** The configuration of whoever has applied most: committed, so never taken back. */
  #latestConfState(): ConfState {
    return [...this.#nodes.values()].reduce((a, b) => (b.applied > a.applied ? b : a)).confState;
  }

  #anyNode(): SimulatedRaftNode {
    return this.#clients.pick([...this.#nodes.values()]);
  }

  #crash(node: SimulatedRaftNode): void {
    this.trace.add(`${this.#now} crash ${node.id}`);
    node.crash();
  }

  #start(node: SimulatedRaftNode): void {
    this.trace.add(`${this.#now} start ${node.id}`);
    node.start();
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
