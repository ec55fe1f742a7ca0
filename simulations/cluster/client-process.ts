/** @module A client of the code that ships, at work on the workloads of its run. */
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/client/connect.ts';
import { QuorumWatch } from '../../src/client/quorum-watch.ts';
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
import type { CutMode } from '../world/weather.ts';
import type { ClusterWorld } from './cluster-world.ts';
import { CLUSTER_ID } from './founding.ts';

export interface ClientProcessOptions {
  readonly id: number;
  readonly peer: PeerId;
  readonly seed: number;
  /** Pause between two operations, at most, in milliseconds. */
  readonly thinkMs: number;
}

/** One process on the client's machine. */
interface Run {
  readonly gate: ProcessGate;
  readonly clock: ProcessClock;
  readonly random: SeededRandom;
  readonly network: FramedNetwork;
  client?: Client;
  mutations?: Mutations;
}

interface Work {
  readonly choices: readonly Workload[];
  /** Hears of what no client may meet. */
  readonly failed: (error: unknown) => void;
}

export class ClientProcess {
  readonly id: number;
  readonly peer: PeerId;
  readonly machineClock: MachineClock;
  readonly #shared: ClusterWorld;
  readonly #choice: Prng;
  readonly #options: ClientProcessOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  /** The last one stays until the next begins. */
  #run: Run;
  #runs = 0;
  #work: Work | undefined;
  #working: Promise<void> | undefined;

  constructor(shared: ClusterWorld, options: ClientProcessOptions) {
    const { peer, id, seed } = options;
    this.id = id;
    this.peer = peer;
    this.#shared = shared;
    this.#options = options;
    this.#logger = shared.logger(`client ${id}`);
    this.#choice = new Prng(seed, `work of client ${id}`);
    this.machineClock = new MachineClock(shared.world);
    this.#run = this.#newRun();
  }

  get network(): FramedNetwork {
    return this.#run.network;
  }

  get isRunning(): boolean {
    return this.#run.gate.isAlive;
  }

  /** Asks `via` for admission. */
  async join(via: PeerId, request: JoinRequest): Promise<JoinResponse> {
    return call(this.network, via, JOIN, request);
  }

  /** As a metadata node that has lost its log; see readmission.ts. */
  async askForNumber(readmission: Readmission): Promise<JoinResponse> {
    const components = { network: this.network, clock: this.#run.clock, logger: silentLogger };
    return askForNumber(components, readmission);
  }

  /** Once it is a member; again when all the nodes it knew may be gone. Begins a run where there is none. */
  async connect(metadataPeers: readonly PeerId[]): Promise<void> {
    if (!this.isRunning) {
      this.#run = this.#newRun();
      await this.network.start();
    }
    const run = this.#run;
    const peers = metadataPeers.map((peer) => ({ peer, addresses: [] }));
    const components = { ...run, logger: this.#logger };
    run.client = await connect({
      ...components,
      profile: { clusterId: CLUSTER_ID, clusterName: 'simulated', peers },
      host: '',
      owner: { user: '', group: '' },
      refreshPeriodMs: 1_000,
    });
    const metadata = new MetadataPeers(components, peers);
    const quorum = new QuorumWatch({ metadata, clock: run.clock });
    run.mutations = new Mutations({ metadata, quorum, random: run.random }, { owner: this.peer });
  }

  /** It must be connected. */
  get actor(): Actor {
    const { client, mutations } = this.#run;
    if (client === undefined || mutations === undefined)
      throw new Error(`client ${this.id} is not connected`);
    return { id: this.id, client, mutations, random: this.#choice };
  }

  /** Begins to work, until stopped: at each step one of the choices. */
  start(work: Work): void {
    this.#work = work;
    this.#working = this.#workOn(work).catch(work.failed);
  }

  /** Resolves after the operation that is under way; what a process that vanished had begun never ends. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.isRunning) await this.#working;
  }

  /** As kill -9 or, 'silent', the power cable. */
  crash(mode: CutMode): void {
    this.#run.gate.kill();
    this.#shared.links.detach(this.peer, mode);
  }

  /** As a new process, which goes on with the work; unless nobody works any more. */
  async comeBack(metadataPeers: readonly PeerId[]): Promise<void> {
    if (this.#stopping.signal.aborted || this.#work === undefined) return;
    await this.connect(metadataPeers);
    this.start(this.#work);
  }

  pause(): void {
    this.#run.gate.pause();
  }

  resume(): void {
    this.#run.gate.resume();
  }

  async #workOn({ choices }: Work): Promise<void> {
    const run = this.#run;
    while (!this.#stopping.signal.aborted && run.gate.isAlive) {
      await this.#choice.pick(choices).step(this.actor);
      await sleep(run.clock, this.#choice.int(this.#options.thinkMs + 1));
    }
  }

  #newRun(): Run {
    const { world, links } = this.#shared;
    const { peer } = this;
    const { id, seed } = this.#options;
    this.#runs += 1;
    const gate = new ProcessGate({ world });
    const clock = new ProcessClock({ world, gate, machine: this.machineClock });
    const random = new SeededRandom(
      seed,
      this.#runs === 1 ? `client ${id}` : `client ${id} run ${this.#runs}`,
    );
    const network = new FramedNetwork({
      transport: new SimulatedTransport({ switch: links, gate }, { peer, isListening: false }),
      clock,
      random,
      logger: silentLogger,
    });
    return { gate, clock, random, network };
  }
}
