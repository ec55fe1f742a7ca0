/** @module What goes wrong in a simulated raft cluster, tick by tick, by its seed. */
import type { NodeId } from '../raft/types.ts';
import type { PacketNetwork } from './packet-network.ts';
import { Prng } from './prng.ts';
import type { RaftSwarmOptions } from './raft-swarm-options.ts';
import type { SimulatedRaftNode } from './simulated-raft-node.ts';
import type { Trace } from './trace.ts';

export interface RaftFaultsComponents {
  readonly nodes: ReadonlyMap<NodeId, SimulatedRaftNode>;
  readonly network: PacketNetwork;
  readonly trace: Trace;
}

export class RaftFaults {
  readonly #components: RaftFaultsComponents;
  readonly #options: RaftSwarmOptions;
  readonly #random: Prng;
  /** Of its own, so that a seed without such faults is the run that it was before there were any. */
  readonly #leaderRandom: Prng;

  constructor(components: RaftFaultsComponents, options: RaftSwarmOptions, seed: number) {
    this.#components = components;
    this.#options = options;
    this.#random = new Prng(seed, 'faults');
    this.#leaderRandom = new Prng(seed, 'faults of leaders');
  }

  /** Those of tick `now`. */
  inject(now: number): void {
    const { nodes, network, trace } = this.#components;
    const { crashProbability, restartProbability, partitionProbability, healProbability } = this.#options;
    const random = this.#random;
    for (const node of nodes.values()) {
      if (node.isRunning && random.chance(crashProbability)) this.crash(node, now);
      else if (!node.isRunning && random.chance(restartProbability)) this.start(node, now);
    }
    if (random.chance(partitionProbability)) {
      trace.add(`${now} partition`);
      network.partition([...nodes.keys()]);
    } else if (random.chance(healProbability)) network.heal();
    this.#strikeLeaders(now);
  }

  /**
   * Where most is at stake. Who was deposed and does not know it counts, too. One is cut off at a time: its successor
   * must be able to go on meanwhile.
   */
  #strikeLeaders(now: number): void {
    const { nodes, network, trace } = this.#components;
    const { crashLeaderProbability, isolateLeaderProbability } = this.#options;
    const random = this.#leaderRandom;
    for (const node of nodes.values()) {
      if (!node.isLeader) continue;
      if (random.chance(crashLeaderProbability)) this.crash(node, now);
      else if (network.isWhole && random.chance(isolateLeaderProbability)) {
        trace.add(`${now} isolate ${node.id}`);
        network.isolate(node.id, [...nodes.keys()], random.pick(['both', 'both', 'in', 'out']));
      }
    }
  }

  crash(node: SimulatedRaftNode, now: number): void {
    this.#components.trace.add(`${now} crash ${node.id}`);
    node.crash();
  }

  start(node: SimulatedRaftNode, now: number): void {
    this.#components.trace.add(`${now} start ${node.id}`);
    node.start();
  }
}
