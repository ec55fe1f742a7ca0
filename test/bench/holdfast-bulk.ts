/** @module Our own side of the bulk suite: real metadata and datanode processes, one client in this process. */
import { createWriteStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createDemoFile, sha256Of } from '../../cli/demo/demo-file.ts';
import { readFile } from '../../cli/file-source.ts';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { countBuffersApart } from '../../cli/garbage-collection.ts';
import { MIB } from '../../src/common/bytes.ts';
import { type Client, connect } from '../../src/index.ts';
import { type BulkCase, type BulkLoad, SMALLER_BYTES } from './bulk-suite.ts';
import { measured, usageOf } from './process-usage.ts';
import { round } from './statistics.ts';
import type { Contender, Sample } from './suite.ts';

/** Put and got before anything is counted: JavaScript is compiled while it runs. */
const WARM_UP_BYTES: number = 128 * MIB;
const GIB: number = 1024 * MIB;

interface StoredFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export class HoldfastBulk implements Contender<BulkCase> {
  readonly name = 'holdfast';
  readonly durability: string;
  readonly #cluster: LocalCluster;
  readonly #client: Client;
  /** On the machine of a datanode. */
  readonly #neighbour: Client;
  readonly #load: BulkLoad;
  #puts = 0;
  #large: StoredFile | undefined;
  #smaller: StoredFile | undefined;

  private constructor(cluster: LocalCluster, clients: readonly [Client, Client], load: BulkLoad) {
    this.durability = `${load.copies} copies fsynced and announced before the answer; encrypted, every block verified by SHA-256`;
    this.#cluster = cluster;
    [this.#client, this.#neighbour] = clients;
    this.#load = load;
  }

  static async start(load: BulkLoad): Promise<HoldfastBulk> {
    // The client here is treated as the command treats itself.
    countBuffersApart();
    const cluster = await LocalCluster.start({
      metadataNodes: 3,
      dataNodes: load.dataNodes,
      replication: load.copies,
    });
    const nodeDir = cluster.nodeDirectory('d1');
    const neighbour = await connect({ profileDir: cluster.profileDir, nodeDir });
    const contender = new HoldfastBulk(cluster, [await cluster.connect(), neighbour], load);
    await contender.#put(WARM_UP_BYTES, (file) => contender.#verify(file));
    return contender;
  }

  async measure({ name }: BulkCase): Promise<Sample> {
    switch (name) {
      case 'put':
        return inMbPerSecond(await this.#put(this.#load.sizeBytes, (file) => (this.#large = file)));
      case 'put 100 MB':
        return inMilliseconds(await this.#put(SMALLER_BYTES, (file) => (this.#smaller = file)));
      case 'get cold':
        await dropCaches();
        return inMbPerSecond(await this.#get(this.#client, this.#large));
      case 'get warm':
        return inMbPerSecond(await this.#get(this.#client, this.#large));
      case 'get on a datanode':
        await dropCaches();
        return inMbPerSecond(await this.#get(this.#neighbour, this.#large));
      case 'get 100 MB warm': {
        await this.#verify(this.#smaller);
        return inMilliseconds(await this.#get(this.#client, this.#smaller));
      }
    }
  }

  peakRssMib(): number {
    return Math.max(...this.#cluster.nodes.map(({ ready }) => usageOf(ready.pid)?.peakRssMib ?? 0));
  }

  /** A clean end, so that a profiler in the nodes (NODE_OPTIONS=--cpu-prof) can write what it saw. */
  async stop(): Promise<void> {
    await Promise.all([this.#client.close(), this.#neighbour.close()]);
    await Promise.all(this.#cluster.nodes.map((node) => node.kill('SIGTERM')));
    await this.#cluster.stop();
  }

  /** Of new bytes each time: a block that is there already would not be written. */
  async #put(sizeBytes: number, stored: (file: StoredFile) => unknown): Promise<Measured> {
    const source = join(this.#cluster.directory, 'source');
    const file = createDemoFile(sizeBytes);
    await pipeline(file.bytes, createWriteStream(source, { flush: true }));
    const path = `/bulk-${++this.#puts}`;
    const bytes = readFile(source, new AbortController().signal);
    const put = await this.#measured(sizeBytes, () => this.#client.put(path, bytes, { sizeBytes }));
    if (put.result.underReplicatedBlocks > 0) throw new Error(`${path} has too few copies.`);
    await rm(source);
    await stored({ path, sizeBytes, sha256: file.sha256() });
    return put;
  }

  async #get(client: Client, { path, sizeBytes } = missing(this.#large)): Promise<Measured> {
    return this.#measured(sizeBytes, async () => {
      let bytes = 0;
      for await (const piece of (await client.get(path, { transient: true })).bytes)
        bytes += piece.byteLength;
      if (bytes !== sizeBytes) throw new Error(`${path} has ${bytes} bytes, not ${sizeBytes}.`);
    });
  }

  async #verify({ path, sha256 } = missing(this.#smaller)): Promise<void> {
    if ((await sha256Of((await this.#client.get(path)).bytes)) !== sha256)
      throw new Error(`${path} is not what was put.`);
  }

  async #measured<T>(sizeBytes: number, work: () => Promise<T>): Promise<Measured & { result: T }> {
    const pids = [process.pid, ...this.#cluster.nodes.map(({ ready }) => ready.pid)];
    const names = ['client', ...this.#cluster.nodes.map(({ name }) => name)];
    const before = pids.map((pid) => usageOf(pid)?.cpuSeconds ?? 0);
    const { result, seconds, cpuSeconds } = await measured(pids, work);
    const perGib = GIB / sizeBytes;
    const shares = pids.map((pid, at) => {
      const used = (usageOf(pid)?.cpuSeconds ?? 0) - (before[at] ?? 0);
      return [names[at], round(used * perGib, 2)] as const;
    });
    const details = { cpuSecondsPerGib: Object.fromEntries(shares) };
    return { result, sizeBytes, seconds, cpuSeconds: round(cpuSeconds * perGib, 2), details };
  }
}

interface Measured {
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly details: Readonly<Record<string, unknown>>;
}

function inMbPerSecond({ sizeBytes, seconds, cpuSeconds, details }: Measured): Sample {
  return { figure: round(sizeBytes / 1e6 / seconds, 1), cpuSeconds, details };
}

function inMilliseconds({ seconds, cpuSeconds, details }: Measured): Sample {
  return { figure: round(seconds * 1000), cpuSeconds, details };
}

function missing(file: StoredFile | undefined): StoredFile {
  if (file === undefined) throw new Error('Cases come in the order of the suite: put, then get.');
  return file;
}

/** As the peers' scripts do; needs root. */
async function dropCaches(): Promise<void> {
  await writeFile('/proc/sys/vm/drop_caches', '3');
}
