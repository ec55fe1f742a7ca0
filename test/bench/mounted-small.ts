/** @module Small files on a peer's mounted file system, by its scripts: up-PEER.sh, smallfiles.mjs, down-PEER.sh. */
import type { PeerScripts } from './peer-scripts.ts';
import type { SmallLoad } from './small-load.ts';
import { round } from './statistics.ts';
import type { Case, Contender, Sample } from './suite.ts';

/** What smallfiles.mjs prints for a step. */
interface Step {
  readonly op: string;
  readonly ops_s: number;
  readonly daemon_cpu_us_per_op: number;
  readonly client_cpu_us_per_op: number;
  readonly other_cpu_pct: number;
}

const DURABILITY: Readonly<Record<string, string>> = {
  moosefs:
    'goal 3, page caches of 3 chunkservers and one master, nothing fsynced; in the clear, not verified',
  gluster: 'replica 3, page caches of 3 bricks, nothing fsynced; in the clear, not verified',
};

export class MountedSmall implements Contender {
  readonly name: string;
  readonly durability: string;
  readonly #peers: PeerScripts;
  readonly #load: SmallLoad;
  #steps: readonly Step[] = [];

  private constructor(peers: PeerScripts, name: string, load: SmallLoad) {
    this.#peers = peers;
    this.name = name;
    this.durability = DURABILITY[name] ?? '';
    this.#load = load;
  }

  static async start(peers: PeerScripts, name: string, load: SmallLoad): Promise<MountedSmall> {
    await peers.run(`up-${name}.sh`);
    const mounted = new MountedSmall(peers, name, load);
    await mounted.#round();
    return mounted;
  }

  /** The script goes through all steps at once: with the first case of a run. */
  async measure({ name }: Case): Promise<Sample> {
    if (name === 'write') await this.#round();
    const step = this.#steps.find(({ op }) => op === name);
    if (step === undefined) throw new Error(`smallfiles.mjs has no step ${name}.`);
    const cpuSeconds = (step.daemon_cpu_us_per_op + step.client_cpu_us_per_op) / 1_000;
    return { figure: step.ops_s, cpuSeconds: round(cpuSeconds, 3), details: { ...step } };
  }

  peakRssMib(): number {
    return this.#peers.peakRssMib(this.name);
  }

  async stop(): Promise<void> {
    await this.#peers.run(`down-${this.name}.sh`);
  }

  async #round(): Promise<void> {
    const { files, bytes, inFlight } = this.#load;
    const words = [this.name, this.#peers.mount(this.name), ...[files, bytes, inFlight].map(String), '0'];
    this.#steps = await this.#peers.run<Step>('smallfiles.mjs', words, {
      UV_THREADPOOL_SIZE: String(inFlight),
    });
  }
}
