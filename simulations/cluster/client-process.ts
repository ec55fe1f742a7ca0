/** @module A client of the code that ships, at work on the workloads of its run. */
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/client/connect.ts';
import { MetadataPeers } from '../../src/client/metadata-peers.ts';
import { Mutations } from '../../src/client/mutations.ts';
import { sleep } from '../../src/common/clock.ts';
import { type Logger, silentLogger } from '../../src/common/logger.ts';
import { FramedNetwork } from '../../src/network/framed-network.ts';
import { call } from '../../src/network/method.ts';
import type { PeerId } from '../../src/network/network.ts';
import { askForNumber, type Readmission } from '../../src/node/readmission.ts';
import type { JoinRequest, JoinResponse } from '../../src/protocol/messages.ts';
import { JOIN } from '../../src/protocol/methods.ts';
import { Prng } from '../prng.ts';
import type { Actor, Workload } from '../workloads/workload.ts';
import { MachineClock, ProcessClock } from '../world/process-clock.ts';
import { ProcessGate } from '../world/process-gate.ts';
import { SeededRandom } from '../world/seeded-random.ts';
import { SimulatedTransport } from '../world/simulated-transport.ts';
import type { ClusterWorld } from './cluster-world.ts';
import { CLUSTER_ID } from './founding.ts';

export interface ClientProcessOptions {
  readonly id: number;
  readonly peer: PeerId;
  readonly seed: number;
  /** Pause between two operations, at most, in milliseconds. */
  readonly thinkMs: number;
}

export class ClientProcess {
  readonly peer: PeerId;
  readonly network: FramedNetwork;
  readonly #clock: ProcessClock;
  readonly #random: SeededRandom;
  readonly #work: Prng;
  readonly #options: ClientProcessOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #client: Client | undefined;
  #mutations: Mutations | undefined;
  #working: Promise<void> | undefined;

  constructor({ world, links, logger }: ClusterWorld, options: ClientProcessOptions) {
    const { peer, id, seed } = options;
    this.peer = peer;
    this.#options = options;
    this.#logger = logger(`client ${id}`);
    this.#work = new Prng(seed, `work of client ${id}`);
    this.#random = new SeededRandom(seed, `client ${id}`);
    const gate = new ProcessGate({ world });
    this.#clock = new ProcessClock({ world, gate, machine: new MachineClock(world) });
    this.network = new FramedNetwork({
      transport: new SimulatedTransport({ switch: links, gate }, { peer, isListening: false }),
      clock: this.#clock,
      random: this.#random,
      logger: silentLogger,
    });
  }

  /** Asks `via` for admission. */
  async join(via: PeerId, request: JoinRequest): Promise<JoinResponse> {
    return call(this.network, via, JOIN, request);
  }

  /** As a metadata node that has lost its log; see readmission.ts. */
  async askForNumber(readmission: Readmission): Promise<JoinResponse> {
    const components = { network: this.network, clock: this.#clock, logger: silentLogger };
    return askForNumber(components, readmission);
  }

  /** Once it is a member; again when all the nodes it knew may be gone. */
  async connect(metadataPeers: readonly PeerId[]): Promise<void> {
    const peers = metadataPeers.map((peer) => ({ peer, addresses: [] }));
    const components = {
      network: this.network,
      clock: this.#clock,
      random: this.#random,
      logger: this.#logger,
    };
    this.#client = await connect({
      ...components,
      profile: { clusterId: CLUSTER_ID, clusterName: 'simulated', peers },
      host: '',
      owner: { user: '', group: '' },
      refreshPeriodMs: 1_000,
    });
    this.#mutations = new Mutations(
      { metadata: new MetadataPeers(components, peers), random: this.#random },
      { owner: this.peer },
    );
  }

  /** It must be connected. */
  get actor(): Actor {
    if (this.#client === undefined || this.#mutations === undefined)
      throw new Error(`client ${this.#options.id} is not connected`);
    return { id: this.#options.id, client: this.#client, mutations: this.#mutations, random: this.#work };
  }

  /** Begins to work, until stopped: at each step one of `choices`. `failed` hears of what no client may meet. */
  start(choices: readonly Workload[], failed: (error: unknown) => void): void {
    this.#working = this.#workOn(choices).catch(failed);
  }

  /** Resolves after the operation that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #workOn(choices: readonly Workload[]): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#work.pick(choices).step(this.actor);
      await sleep(this.#clock, this.#work.int(this.#options.thinkMs + 1));
    }
  }
}
