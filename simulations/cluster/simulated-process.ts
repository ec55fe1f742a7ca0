/** @module A process of the code that ships on a simulated machine, run after run: started, paused, stopped, killed. */
import type { Logger } from '../../src/common/logger.ts';
import type { Random } from '../../src/common/random.ts';
import { FramedNetwork } from '../../src/network/framed-network.ts';
import type { PeerId } from '../../src/network/network.ts';
import type { CutMode } from '../world/weather.ts';
import { ProcessClock } from '../world/process-clock.ts';
import { ProcessGate } from '../world/process-gate.ts';
import { SeededRandom } from '../world/seeded-random.ts';
import { SimulatedTransport } from '../world/simulated-transport.ts';
import type { ClusterWorld } from './cluster-world.ts';
import { Machine } from './machine.ts';

export interface SimulatedProcessOptions {
  /** As a member of the cluster. */
  readonly number: number;
  readonly peer: PeerId;
  readonly seed: number;
  /** Of the disk for blocks, in bytes; ample when absent. */
  readonly blockCapacityBytes?: number | undefined;
  /** The process cannot go on. */
  readonly onFatal: (error: Error) => void;
}

/** What a run is made of before anything of ours runs in it. */
export interface Run {
  readonly gate: ProcessGate;
  readonly network: FramedNetwork;
  readonly clock: ProcessClock;
  readonly random: Random;
  readonly logger: Logger;
  /** Counts the runs on this machine, from 1. */
  readonly count: number;
}

/** Timers that look whether there is anything left to wait for end by themselves in this time, in milliseconds. */
const REST_MS = 200;

/** `Service`: what a run consists of once it serves. */
export abstract class SimulatedProcess<Service> {
  readonly number: number;
  readonly peer: PeerId;
  readonly machine: Machine;
  protected readonly shared: ClusterWorld;
  readonly #options: SimulatedProcessOptions;
  #run: Run | undefined;
  #service: Service | undefined;
  #stopping: { readonly run: Run; readonly done: Promise<number> } | undefined;
  #runs = 0;

  constructor(shared: ClusterWorld, options: SimulatedProcessOptions) {
    this.shared = shared;
    this.#options = options;
    this.number = options.number;
    this.peer = options.peer;
    const { seed, blockCapacityBytes } = options;
    this.machine = new Machine(shared.world, { seed, name: options.peer, blockCapacityBytes });
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Begun so far. */
  get runs(): number {
    return this.#runs;
  }

  get isPaused(): boolean {
    return this.#run?.gate.isPaused ?? false;
  }

  /** Undefined unless it runs and has opened its disk. */
  get service(): Service | undefined {
    return this.#service;
  }

  /** Begins a new run; it serves some time later. */
  start(): void {
    if (this.#run !== undefined) return;
    this.#runs += 1;
    const run = this.#newRun();
    this.#run = run;
    this.open(run).catch((error: unknown) => this.fatal(error));
  }

  /** As kill -9 or, 'silent', the power cable. */
  crash(mode: CutMode): void {
    if (this.#run === undefined) return;
    this.crashed();
    this.#end(mode);
  }

  #end(mode: CutMode): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    this.#service = undefined;
    run.gate.kill();
    this.machine.crash(mode);
    this.shared.links.detach(this.peer, mode);
  }

  /**
   * As SIGTERM: hands over and writes what is left, then exits. Resolves with the number of timers left behind. A second
   * signal changes nothing.
   */
  stop(): Promise<number> {
    const run = this.#run;
    if (run === undefined || this.#service === undefined) {
      this.crash('refused');
      return Promise.resolve(0);
    }
    if (this.#stopping?.run !== run) this.#stopping = { run, done: this.#stop(run, this.#service) };
    return this.#stopping.done;
  }

  async #stop(run: Run, service: Service): Promise<number> {
    await this.close(service);
    // Killed meanwhile, it closes nothing more: what listens at its address by now is the next run.
    if (this.#run !== run) return 0;
    await run.network.stop();
    await this.shared.world.pass(REST_MS);
    const { pendingTimers } = run.clock;
    if (this.#run === run) this.#end('refused');
    return pendingTimers;
  }

  pause(): void {
    this.#run?.gate.pause();
  }

  resume(): void {
    this.#run?.gate.resume();
  }

  /** Opens the disk, then calls serve(). */
  protected abstract open(run: Run): Promise<void>;

  /** Everything but the network. */
  protected abstract close(service: Service): Promise<void>;

  /** Called whenever the process does something. */
  protected abstract ran(): void;

  /** Called when a run ends that was not asked to. */
  protected crashed(): void {}

  protected serve(run: Run, service: Service): void {
    if (this.#run === run) this.#service = service;
  }

  protected fatal(error: unknown): void {
    this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
  }

  #newRun(): Run {
    const { world, links } = this.shared;
    const { peer } = this;
    const gate = new ProcessGate({ world, ran: () => this.ran() });
    const clock = new ProcessClock({ world, gate, machine: this.machine.clock });
    const random = new SeededRandom(this.#options.seed, `process ${peer} run ${this.#runs}`);
    const logger = this.shared.logger(`node ${this.number}`);
    const transport = new SimulatedTransport({ switch: links, gate }, { peer, isListening: true });
    const network = new FramedNetwork({ transport, clock, random, logger });
    return { gate, network, clock, random, logger, count: this.#runs };
  }
}
