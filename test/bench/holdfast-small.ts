/** @module Our own side of the small-file suite: three metadata and four datanode processes, one client in this process. */
import { randomBytes } from 'node:crypto';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { countBuffersApart } from '../../cli/garbage-collection.ts';
import type { Client } from '../../src/index.ts';
import { measured, usageOf } from './process-usage.ts';
import { percentile, round } from './statistics.ts';
import type { SmallLoad } from './small-load.ts';
import type { Case, Contender, Sample } from './suite.ts';

/**
 * Files of whole rounds that are not counted: JavaScript is compiled while it runs, and what runs once for sixteen files not
 * before thousands of them. After 3,000 a sixth of the CPU time goes into compiling, and a file takes a third more of it than at the end.
 */
const WARM_UP_FILES = 10_000;

export class HoldfastSmall implements Contender {
  readonly name = 'holdfast';
  readonly durability =
    '3 copies fsynced and announced, the name fsynced on a majority of 3, before the answer; encrypted and verified';
  readonly #cluster: LocalCluster;
  readonly #client: Client;
  readonly #load: SmallLoad;
  #round = 0;

  private constructor(cluster: LocalCluster, client: Client, load: SmallLoad) {
    this.#cluster = cluster;
    this.#client = client;
    this.#load = load;
  }

  static async start(load: SmallLoad): Promise<HoldfastSmall> {
    // The client here is treated as the command treats itself.
    countBuffersApart();
    const cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 4, replication: 3 });
    const contender = new HoldfastSmall(cluster, await cluster.connect(), load);
    for (let written = 0; written < WARM_UP_FILES; written += load.files)
      for (const name of ['write', 'read', 'stat', 'delete']) await contender.#step(name);
    return contender;
  }

  async measure({ name }: Case): Promise<Sample> {
    const pids = [process.pid, ...this.#cluster.nodes.map(({ ready }) => ready.pid)];
    const before = pids.map((pid) => usageOf(pid)?.cpuSeconds ?? 0);
    const { result, seconds, cpuSeconds } = await measured(pids, () => this.#step(name));
    const names = ['client', ...this.#cluster.nodes.map((node) => node.name)];
    return {
      figure: round(this.#load.files / seconds),
      cpuSeconds: round((cpuSeconds / this.#load.files) * 1000, 3),
      details: {
        p50Ms: round(percentile(result, 0.5), 2),
        p99Ms: round(percentile(result, 0.99), 2),
        cpuSeconds: Object.fromEntries(
          pids.map((pid, at) => [names[at], round((usageOf(pid)?.cpuSeconds ?? 0) - (before[at] ?? 0), 2)]),
        ),
      },
    };
  }

  peakRssMib(): number {
    return Math.max(...this.#cluster.nodes.map(({ ready }) => usageOf(ready.pid)?.peakRssMib ?? 0));
  }

  /** A clean end, so that a profiler in the nodes (NODE_OPTIONS=--cpu-prof) can write what it saw. */
  async stop(): Promise<void> {
    await this.#client.close();
    await Promise.all(this.#cluster.nodes.map((node) => node.kill('SIGTERM')));
    await this.#cluster.stop();
  }

  /** Latencies in milliseconds. */
  async #step(name: string): Promise<number[]> {
    const client = this.#client;
    if (name === 'write') {
      this.#round += 1;
      await client.mkdir(this.#directory);
    }
    switch (name) {
      case 'write': {
        const contents = randomBytes(this.#load.files * this.#load.bytes);
        const of = (file: number): Uint8Array =>
          contents.subarray(file * this.#load.bytes, (file + 1) * this.#load.bytes);
        return this.#each(async (path, file) => void (await client.put(path, of(file))));
      }
      case 'read':
        return this.#each(async (path) => {
          let bytes = 0;
          for await (const piece of (await client.get(path)).bytes) bytes += piece.byteLength;
          if (bytes !== this.#load.bytes) throw new Error(`${path} has ${bytes} bytes.`);
        });
      case 'stat':
        return this.#each(async (path) => void (await client.stat(path)));
      case 'delete':
        return this.#each((path) => client.unlink(path));
      default:
        throw new RangeError(`There is no case ${name}.`);
    }
  }

  async #each(operation: (path: string, file: number) => Promise<unknown>): Promise<number[]> {
    const latencies: number[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < this.#load.files) {
        const file = next++;
        const beganMs = performance.now();
        await operation(`${this.#directory}/f${file}`, file);
        latencies.push(performance.now() - beganMs);
      }
    };
    await Promise.all(Array.from({ length: this.#load.inFlight }, lane));
    return latencies;
  }

  get #directory(): string {
    return `/small-${this.#round}`;
  }
}
