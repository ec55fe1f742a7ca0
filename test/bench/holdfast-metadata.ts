/** @module Our own side of the metadata benchmark: three metadata processes, and clients in this process. */
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { loadProfile } from '../../src/client/profile.ts';
import { type Client, connect } from '../../src/index.ts';
import type { MetadataCase } from './metadata-suite.ts';
import { measured, usageOf } from './process-usage.ts';
import { percentile, round } from './statistics.ts';
import type { Contender, Sample } from './suite.ts';

/** One client has at most 128 changes in flight; each has a connection of its own, as etcd's load has four. */
const MAX_IN_FLIGHT_PER_CLIENT = 64;
/** Not counted, once: JavaScript is compiled while it runs, etcd was before. */
const COMPILE_MS = 10_000;
/** Not counted, before each measurement. */
const WARM_UP_MS = 1_000;
const DIRECTORY = '/bench';

type Load = Pick<MetadataCase, 'operation' | 'through' | 'inFlight'>;
/** Files that are read. */
const READ_FILES = 4_096;

export class HoldfastMetadata implements Contender<MetadataCase> {
  readonly name = 'holdfast';
  readonly durability = 'fsync on a majority of 3 before the answer; encrypted and authenticated';
  readonly #cluster: LocalCluster;
  readonly #leader: number;
  readonly #seconds: number;
  #nextName = 0;

  private constructor(cluster: LocalCluster, leader: number, seconds: number) {
    this.#cluster = cluster;
    this.#leader = leader;
    this.#seconds = seconds;
  }

  /** `seconds`: how long each measurement takes. */
  static async start(seconds: number): Promise<HoldfastMetadata> {
    const cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 0 });
    const contender = new HoldfastMetadata(cluster, await cluster.leader(), seconds);
    await contender.#prepare();
    return contender;
  }

  async measure(what: MetadataCase): Promise<Sample> {
    const count = Math.ceil(what.inFlight / MAX_IN_FLIGHT_PER_CLIENT);
    const clients = await Promise.all(Array.from({ length: count }, () => this.#connect(what.through)));
    try {
      await this.#run(clients, what, WARM_UP_MS);
      const pids = [process.pid, ...this.#cluster.nodes.map(({ ready }) => ready.pid)];
      const {
        result,
        seconds: took,
        cpuSeconds,
      } = await measured(pids, () => this.#run(clients, what, this.#seconds * 1000));
      return {
        figure: round(result.length / took),
        cpuSeconds: round((cpuSeconds / result.length) * 1000, 3),
        details: { p50Ms: round(percentile(result, 0.5), 2), p99Ms: round(percentile(result, 0.99), 2) },
      };
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  }

  peakRssMib(): number {
    return Math.max(...this.#cluster.nodes.map(({ ready }) => usageOf(ready.pid)?.peakRssMib ?? 0));
  }

  /** A clean end, so that a profiler in the nodes (NODE_OPTIONS=--cpu-prof) can write what it saw. */
  async stop(): Promise<void> {
    await Promise.all(this.#cluster.nodes.map((node) => node.kill('SIGTERM')));
    await this.#cluster.stop();
  }

  async #prepare(): Promise<void> {
    await using client = await this.#connect('leader');
    await client.mkdir(DIRECTORY);
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < READ_FILES) await client.touch(readName(next++));
    };
    await Promise.all(Array.from({ length: MAX_IN_FLIGHT_PER_CLIENT }, lane));
    await this.#run([client], { through: 'leader', operation: 'change', inFlight: 1 }, COMPILE_MS);
  }

  /** A client that knows this one metadata node only. */
  async #connect(through: MetadataCase['through']): Promise<Client> {
    const { profileDir, nodes } = this.#cluster;
    const profile = await loadProfile(profileDir);
    const chosen = nodes.find(({ ready }) => (ready.number === this.#leader) === (through === 'leader'));
    const peers = profile.peers.filter(({ peer }) => peer === chosen?.ready.peer);
    return connect({ profileDir, profile: { ...profile, peers } });
  }

  /** Latencies in milliseconds. */
  async #run(clients: readonly Client[], what: Load, durationMs: number): Promise<number[]> {
    const latencies: number[] = [];
    const endMs = performance.now() + durationMs;
    const lane = async (client: Client): Promise<void> => {
      for (let startMs = performance.now(); startMs < endMs; ) {
        if (what.operation === 'change') await client.touch(`${DIRECTORY}/f${this.#nextName++}`);
        else await client.stat(readName(this.#nextName++ % READ_FILES));
        const nowMs = performance.now();
        latencies.push(nowMs - startMs);
        startMs = nowMs;
      }
    };
    const lanes = Array.from({ length: what.inFlight }, (_, at) =>
      lane(clients[at % clients.length] as Client),
    );
    await Promise.all(lanes);
    return latencies;
  }
}

function readName(at: number): string {
  return `${DIRECTORY}/r${at}`;
}
