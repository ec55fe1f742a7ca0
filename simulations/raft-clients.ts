/** @module Those who use and administer a simulated raft cluster: proposals, reads, transfers, membership changes. */
import { LEAVE_JOINT } from '../raft/conf-change-codec.ts';
import type { ConfChange, ConfChangeSingle, ConfState, NodeId } from '../raft/types.ts';
import { Prng } from './prng.ts';
import type { RaftSwarmOptions } from './raft-swarm-options.ts';
import type { SimulatedRaftNode } from './simulated-raft-node.ts';

export interface RaftClientsComponents {
  readonly nodes: ReadonlyMap<NodeId, SimulatedRaftNode>;
  /** Switches on a node of a new number, which nobody knows yet. */
  readonly addNode: (id: NodeId) => void;
}

const NO_CONTEXT: Uint8Array = new Uint8Array(0);

export class RaftClients {
  readonly #components: RaftClientsComponents;
  readonly #options: RaftSwarmOptions;
  readonly #random: Prng;
  #proposed = 0;

  constructor(components: RaftClientsComponents, options: RaftSwarmOptions, seed: number) {
    this.#components = components;
    this.#options = options;
    this.#random = new Prng(seed, 'clients');
  }

  /** What they do in one tick. */
  act(): void {
    const {
      proposeProbability,
      readProbability,
      changeProbability,
      transferProbability,
      campaignProbability,
    } = this.#options;
    const random = this.#random;
    if (random.chance(proposeProbability)) this.propose();
    if (random.chance(readProbability)) this.#anyNode().read();
    if (random.chance(campaignProbability)) this.#anyNode().ask((core) => core.campaign());
    if (random.chance(transferProbability)) {
      const target = this.#anyNode().id;
      this.#anyNode().ask((core) => core.transferLeader(target));
    }
    if (random.chance(changeProbability)) this.#changeMembership();
  }

  propose(): void {
    this.#proposed += 1;
    const text = `${this.#proposed}`;
    this.#anyNode().propose(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  }

  leaveJoint(): void {
    this.#proposeChange(LEAVE_JOINT);
  }

  /** The configuration of whoever has applied most: committed, so never taken back. */
  latestConfState(): ConfState {
    const nodes = [...this.#components.nodes.values()];
    return nodes.reduce((a, b) => (b.applied > a.applied ? b : a)).confState;
  }

  /** Node ids are never reused: who is removed stays removed. */
  #changeMembership(): void {
    const random = this.#random;
    const { nodes, addNode } = this.#components;
    const changes: ConfChangeSingle[] = [];
    for (let steps = random.between(1, 2); steps > 0; steps--) {
      const next = nodes.size + 1;
      if (next <= this.#options.maxNodes && random.chance(0.5)) {
        addNode(next);
        changes.push({ type: random.pick(['ConfChangeAddNode', 'ConfChangeAddLearnerNode']), nodeId: next });
        continue;
      }
      const { voters, learners } = this.latestConfState();
      const members = [...voters, ...learners];
      if (members.length === 0) continue;
      const nodeId = random.pick(members);
      changes.push({
        type: random.pick(['ConfChangeRemoveNode', 'ConfChangeAddNode', 'ConfChangeAddLearnerNode']),
        nodeId,
      });
    }
    const { voters, votersOutgoing } = this.latestConfState();
    const transition = random.pick([
      'ConfChangeTransitionAuto',
      'ConfChangeTransitionJointImplicit',
      'ConfChangeTransitionJointExplicit',
    ] as const);
    if (votersOutgoing.length > 0) return this.leaveJoint();
    const removed = changes.filter(({ type }) => type !== 'ConfChangeAddNode').length;
    // A change that leaves no voter is refused when it is applied, on every node alike; keep at least one.
    if (changes.length > 0 && voters.length <= removed) return;
    this.#proposeChange({ transition, changes, context: NO_CONTEXT });
  }

  #proposeChange(change: ConfChange): void {
    this.#anyNode().ask((core) => core.proposeConfChange(change));
  }

  /** Some clients go to whoever believes to lead, rightly or not. */
  #anyNode(): SimulatedRaftNode {
    const nodes = [...this.#components.nodes.values()];
    const { leaderBias } = this.#options;
    if (leaderBias > 0 && this.#random.chance(leaderBias)) {
      const leaders = nodes.filter(({ isLeader }) => isLeader);
      if (leaders.length > 0) return this.#random.pick(leaders);
    }
    return this.#random.pick(nodes);
  }
}
