/** @module Big files on a peer's mounted file system, by its scripts: up-PEER.sh, bench-files.sh, down-PEER.sh. */
import { MIB } from '../../src/common/bytes.ts';
import { type BulkCase, type BulkLoad, SMALLER_BYTES } from './bulk-suite.ts';
import type { PeerScripts } from './peer-scripts.ts';
import { round } from './statistics.ts';
import type { Contender, Sample } from './suite.ts';

/** What bench-files.sh prints for a step. */
interface Step {
  readonly op: 'put' | 'sync' | 'get-cold' | 'get-warm';
  readonly bytes: number;
  readonly s: number;
  readonly tool_cpu_s: number;
  readonly client_daemon_cpu_s: number;
  readonly server_cpu_s: number;
}

const GIB: number = 1024 * MIB;
const DURABILITY: Readonly<Record<string, string>> = {
  moosefs:
    'goal 3, put with fsync and then sync of the whole machine, one master; in the clear, not verified',
  gluster: 'replica 3, put with fsync and then sync of the whole machine; in the clear, not verified',
};
/** A mount is on the machine of every server here: no case of its own. */
const STEPS: Readonly<Record<BulkCase['name'], readonly Step['op'][]>> = {
  put: ['put', 'sync'],
  'get cold': ['get-cold'],
  'get warm': ['get-warm'],
  'get on a datanode': ['get-cold'],
  'put 100 MB': ['put', 'sync'],
  'get 100 MB warm': ['get-warm'],
};

export class MountedBulk implements Contender<BulkCase> {
  readonly name: string;
  readonly durability: string;
  readonly #peers: PeerScripts;
  readonly #load: BulkLoad;
  #steps: readonly Step[] = [];

  private constructor(peers: PeerScripts, name: string, load: BulkLoad) {
    this.#peers = peers;
    this.name = name;
    this.durability = DURABILITY[name] ?? '';
    this.#load = load;
  }

  static async start(peers: PeerScripts, name: string, load: BulkLoad): Promise<MountedBulk> {
    await peers.run(`up-${name}.sh`);
    return new MountedBulk(peers, name, load);
  }

  /** The script goes through all steps at once: with the first case of a run. */
  async measure({ name, unit }: BulkCase): Promise<Sample> {
    if (name === 'put') await this.#round();
    const sizeBytes = name.includes('100 MB') ? SMALLER_BYTES : this.#load.sizeBytes;
    const steps = this.#steps.filter(({ op, bytes }) => bytes === sizeBytes && STEPS[name].includes(op));
    if (steps.length !== STEPS[name].length) throw new Error(`bench-files.sh has no step for ${name}.`);
    const seconds = sum(steps.map(({ s }) => s));
    const cpuSeconds = sum(
      steps.map((step) => step.tool_cpu_s + step.client_daemon_cpu_s + step.server_cpu_s),
    );
    return {
      figure: unit === 'ms' ? round(seconds * 1000) : round(sizeBytes / 1e6 / seconds, 1),
      cpuSeconds: round((cpuSeconds * GIB) / sizeBytes, 2),
      details: { steps },
    };
  }

  peakRssMib(): number {
    return this.#peers.peakRssMib(this.name);
  }

  async stop(): Promise<void> {
    await this.#peers.run(`down-${this.name}.sh`);
  }

  async #round(): Promise<void> {
    const words = [this.name, this.#peers.mount(this.name), '1'];
    const SIZES = `${this.#load.sizeBytes} ${SMALLER_BYTES}`;
    this.#steps = await this.#peers.run<Step>('bench-files.sh', words, { SIZES });
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
