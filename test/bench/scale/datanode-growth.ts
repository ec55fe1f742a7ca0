/**
 * @module Datanodes of a cluster in which nothing happens: three metadata processes, and datanodes without disks in another. One
 * cluster that grows from size to size: what follows from a join (self-queries of the DHT, measurements, compiled code)
 * is over sooner for the few that are new than for all.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { LocalCluster } from '../../../cli/demo/local-cluster.ts';
import { measured, usageOf } from '../process-usage.ts';
import type { SyntheticDatanodeOrders } from '../synthetic-datanode.ts';
import { answerOf } from './child-answer.ts';
import type { Dimension } from './growth.ts';

/** Of each datanode: what it compares with every metadata node. */
const BLOCKS_PER_DATANODE = 1_000;
/** Until the quick self-queries of the last that joined are over, and for how long is measured, in milliseconds. */
const SETTLE_MS = 65_000;
const MEASURE_MS = 20_000;

export function datanodeGrowth(sizes: readonly number[]): Dimension {
  const largest = Math.max(...sizes);
  let growing: Promise<GrowingCluster> | undefined;
  return {
    name: 'datanodes at rest',
    of: 'datanodes',
    sizes,
    figures: {
      metadata: { name: 'three metadata nodes', unit: 'CPU ms a second', counts: 'whole' },
      datanodes: { name: 'all datanodes', unit: 'CPU ms a second', counts: 'whole' },
      rssMib: { name: 'memory of the largest metadata node', unit: 'MiB', counts: 'seen' },
    },
    async measure(size) {
      growing ??= GrowingCluster.start(largest);
      const cluster = await growing;
      await cluster.growTo(size);
      return cluster.measure();
    },
    end: async () => (await growing)?.stop(),
  };
}

class GrowingCluster {
  readonly #cluster: LocalCluster;
  readonly #largest: number;
  /** One process for all datanodes: what they do counts, not what a process of Node.js takes. */
  readonly #datanodes: ChildProcess;
  #size = 0;

  private constructor(cluster: LocalCluster, largest: number) {
    this.#cluster = cluster;
    this.#largest = largest;
    this.#datanodes = fork(new URL('../synthetic-datanode.ts', import.meta.url), ['run']);
  }

  static async start(largest: number): Promise<GrowingCluster> {
    return new GrowingCluster(await LocalCluster.start({ metadataNodes: 3, dataNodes: 0 }), largest);
  }

  async growTo(size: number): Promise<void> {
    for (; this.#size < size; this.#size++) {
      const orders: SyntheticDatanodeOrders = {
        token: this.#cluster.token,
        directory: join(this.#cluster.directory, `synthetic-${this.#size}`),
        name: `s${this.#size}`,
        numbers: [this.#size],
        blocks: BLOCKS_PER_DATANODE * this.#largest,
        modulus: this.#largest,
      };
      const joined = answerOf(this.#datanodes);
      this.#datanodes.send(orders);
      await joined;
    }
  }

  async measure(): Promise<Record<string, number>> {
    await pause(SETTLE_MS);
    const pids = this.#cluster.nodes.map(({ ready }) => ready.pid);
    const usedByDatanodes = (): number => usageOf(this.#datanodes.pid ?? 0)?.cpuSeconds ?? 0;
    const before = usedByDatanodes();
    const metadata = await measured(pids, () => pause(MEASURE_MS));
    const after = usedByDatanodes();
    return {
      metadata: (metadata.cpuSeconds / metadata.seconds) * 1_000,
      datanodes: ((after - before) / metadata.seconds) * 1_000,
      rssMib: metadata.peakRssMib,
    };
  }

  async stop(): Promise<void> {
    if (this.#datanodes.connected) this.#datanodes.disconnect();
    await this.#cluster.stop();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
