/** @module A metadata node of the code that ships, run after run, on one simulated machine. */
import { bootstrapCluster } from '../../src/metadata/genesis.ts';
import { MetadataNode } from '../../src/metadata/metadata-node.ts';
import type { Genesis, Member } from '../../src/namespace/schema.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { FramedNetwork } from '../../src/network/framed-network.ts';
import type { PeerId } from '../../src/network/network.ts';
import { MemoryRaftLog } from '../../src/storage/memory-raft-log.ts';
import type { CutMode } from '../world/weather.ts';
import { ProcessClock } from '../world/process-clock.ts';
import { ProcessGate } from '../world/process-gate.ts';
import { SeededRandom } from '../world/seeded-random.ts';
import { SimulatedRaftLog } from '../world/simulated-raft-log.ts';
import { SimulatedRowStore } from '../world/simulated-row-store.ts';
import { SimulatedTransport } from '../world/simulated-transport.ts';
import type { ClusterWorld } from './cluster-world.ts';
import { CLUSTER_ID } from './founding.ts';
import { Machine } from './machine.ts';
import { RegistryRing } from './registry-ring.ts';
import type { Scenario } from './scenario.ts';

export interface MetadataProcessOptions {
  readonly number: number;
  readonly peer: PeerId;
  /** Those the join answer named. */
  readonly seeds: readonly Member[];
  readonly scenario: Scenario;
}

interface Run {
  readonly gate: ProcessGate;
  readonly network: FramedNetwork;
  machine?: StateMachine;
  node?: MetadataNode;
}

export class MetadataProcess {
  readonly number: number;
  readonly peer: PeerId;
  readonly machine: Machine;
  readonly #world: ClusterWorld;
  readonly #options: MetadataProcessOptions;
  #run: Run | undefined;
  #runs = 0;

  constructor(world: ClusterWorld, options: MetadataProcessOptions) {
    this.number = options.number;
    this.peer = options.peer;
    this.#world = world;
    this.#options = options;
    this.machine = new Machine(world.world, { seed: options.scenario.seed, name: options.peer });
  }

  /** Its log becomes that of a new cluster. */
  async found(genesis: Genesis): Promise<void> {
    const log = new MemoryRaftLog();
    await bootstrapCluster(log, genesis);
    const { hardState, confState } = log.initialState();
    const snapshot = { metadata: { index: 0, term: 0, confState }, data: new Uint8Array(0) };
    const entries = log.entries(1, log.lastIndex() + 1, Infinity);
    this.machine.log.persist({ kind: 'append', snapshot, hardState, entries });
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  get isPaused(): boolean {
    return this.#run?.gate.isPaused ?? false;
  }

  /** Undefined unless it runs and has opened its disk. */
  get node(): MetadataNode | undefined {
    return this.#run?.node;
  }

  get state(): StateMachine | undefined {
    return this.#run?.machine;
  }

  /** Begins a new run; it takes part some time later. */
  start(): void {
    if (this.#run !== undefined) return;
    const { world, oracle, links, fatal } = this.#world;
    this.#runs += 1;
    const gate = new ProcessGate({ world, ran: () => oracle.ran(this) });
    const clock = new ProcessClock({ world, gate, machine: this.machine.clock });
    const random = new SeededRandom(this.#options.scenario.seed, `process ${this.peer} run ${this.#runs}`);
    const logger = this.#world.logger(`node ${this.number}`);
    const transport = new SimulatedTransport({ switch: links, gate }, { peer: this.peer });
    const network = new FramedNetwork({ transport, clock, random, logger });
    const run: Run = { gate, network };
    this.#run = run;
    oracle.started(this);
    this.#open(run, { clock, random, logger }).catch((error: unknown) =>
      fatal(this, error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** As kill -9 or, 'silent', the power cable. */
  crash(mode: CutMode): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    run.gate.kill();
    this.machine.crash();
    this.#world.links.detach(this.peer, mode);
  }

  /** As SIGTERM: hands over and writes what is left, then exits. */
  async stop(): Promise<void> {
    const run = this.#run;
    if (run?.node === undefined) return this.crash('refused');
    await run.node.stop();
    await run.network.stop();
    if (this.#run === run) this.crash('refused');
  }

  pause(): void {
    this.#run?.gate.pause();
  }

  resume(): void {
    this.#run?.gate.resume();
  }

  async #open(
    run: Run,
    common: Pick<ConstructorParameters<typeof MetadataNode>[0], 'clock' | 'random' | 'logger'>,
  ): Promise<void> {
    const { gate, network } = run;
    const { oracle, fatal } = this.#world;
    const { number, seeds, scenario } = this.#options;
    const { files, rows } = this.machine;
    const store = new SimulatedRowStore({ rows, queue: this.machine.openQueue(gate, 'namespace.db') });
    const log = new SimulatedRaftLog({
      file: this.machine.log,
      queue: this.machine.openQueue(gate, 'raft.log'),
      observe: (write, open) => oracle.sawWrite(this, write, open),
    });
    const machine = await StateMachine.open({ store }, scenario);
    oracle.watch(this, machine);
    const node = new MetadataNode(
      { ...common, network, log, machine, files, kademlia: new RegistryRing(machine, this.peer) },
      {
        ...scenario,
        number,
        seeds,
        cluster: CLUSTER_ID,
        epoch: 1,
        snapshotDir: '/snapshots',
        onFatal: (error) => fatal(this, error),
      },
    );
    network.authorize(node.authorizer);
    await node.start();
    await network.start();
    run.machine = machine;
    run.node = node;
    await node.takePart();
  }
}
