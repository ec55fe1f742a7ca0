/**
 * @module Our own side of the failover suite: one client makes empty files through three real metadata processes while the
 * leader is lost. Every name that was acknowledged must be there afterwards, once, and no other than was asked for.
 */
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import type { NodeProcess } from '../../cli/demo/node-process.ts';
import type { Client } from '../../src/index.ts';
import type { FailoverCase } from './failover-suite.ts';
import { measured, usageOf } from './process-usage.ts';
import { round } from './statistics.ts';
import type { Contender, Sample } from './suite.ts';
import { startTouchLoad, type TouchLoad } from './touch-load.ts';

/** Undisturbed writes before the loss, in milliseconds, so that it meets a cluster at work. */
const QUIET_MS = 1_000;
/** Not counted, once: JavaScript is compiled while it runs. */
const WARM_UP_MS = 5_000;

export class HoldfastFailover implements Contender<FailoverCase> {
  readonly name = 'holdfast';
  readonly durability =
    'fsync on a majority of 3 before the answer; the client finds the new leader by itself';
  readonly #cluster: LocalCluster;
  readonly #client: Client;
  readonly #inFlight: number;
  #losses = 0;

  private constructor(cluster: LocalCluster, client: Client, inFlight: number) {
    this.#cluster = cluster;
    this.#client = client;
    this.#inFlight = inFlight;
  }

  static async start(inFlight: number): Promise<HoldfastFailover> {
    const cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 0 });
    const contender = new HoldfastFailover(cluster, await cluster.connect(), inFlight);
    const { load } = await contender.#loadInNewDirectory();
    await pause(WARM_UP_MS);
    await load.stop();
    return contender;
  }

  async measure({ name }: FailoverCase): Promise<Sample> {
    const { load, directory } = await this.#loadInNewDirectory();
    await pause(QUIET_MS);
    const victim = await this.#leader();
    const lostMs = performance.now();
    victim.signal(name === 'hung' ? 'SIGSTOP' : 'SIGKILL');
    const others = this.#cluster.nodes.filter((node) => node !== victim);
    const pids = [process.pid, ...others.map(({ ready }) => ready.pid)];
    const { result: firstMs, cpuSeconds } = await measured(pids, () => load.firstAfter(lostMs));
    await load.stop();
    await victim.kill('SIGKILL');
    await this.#cluster.startNode(victim.name);
    await this.#cluster.settled();
    return {
      figure: round(firstMs - lostMs),
      cpuSeconds: round(cpuSeconds, 2),
      details: await this.#account(load, directory),
    };
  }

  peakRssMib(): number {
    return Math.max(...this.#cluster.nodes.map(({ ready }) => usageOf(ready.pid)?.peakRssMib ?? 0));
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await this.#cluster.stop();
  }

  async #loadInNewDirectory(): Promise<{ load: TouchLoad; directory: string }> {
    const directory = `/failover-${this.#losses++}`;
    await this.#client.mkdir(directory);
    return { load: startTouchLoad(this.#client, directory, this.#inFlight), directory };
  }

  async #leader(): Promise<NodeProcess> {
    const leader = await this.#cluster.leader();
    const found = this.#cluster.byNumber(leader);
    if (found === undefined) throw new Error(`No running node is the leader (${leader}).`);
    return found;
  }

  /** Throws when anything was lost, is there twice, or was never asked for. */
  async #account({ asked, acknowledged, failed }: TouchLoad, directory: string): Promise<Sample['details']> {
    const found: string[] = [];
    for await (const { name } of this.#client.list(directory)) found.push(name);
    const present = new Set(found);
    const lost = [...acknowledged].filter((name) => !present.has(name)).length;
    const twice = found.length - present.size;
    const unasked = found.filter((name) => !asked.has(name)).length;
    if (lost + twice + unasked > 0)
      throw new Error(`${directory}: ${lost} files lost, ${twice} there twice, ${unasked} never asked for.`);
    return { acknowledged: acknowledged.size, failed: failed.length };
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
