/** @module A cluster of real metadata processes and datanodes of synthetic blocks, and when its location index is whole. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import type { Client } from '../../src/index.ts';
import type { IndexStatusResponse } from '../../src/protocol/index-view.ts';
import type { SyntheticDatanodeOrders } from './synthetic-datanode.ts';

export const METADATA_NODES = 5;
export const HOLDERS = 3;
const DATANODES = 6;
const POLL_MS = 100;
/** Longer than any change may take. */
const LIMIT_MS = 180_000;

export interface IndexSize {
  readonly blocks: number;
  /** Datanodes that hold each block. */
  readonly copies: number;
}

export class SyntheticIndex {
  readonly cluster: LocalCluster;
  readonly client: Client;
  readonly size: IndexSize;
  readonly #datanodes: ChildProcess[] = [];

  private constructor(cluster: LocalCluster, client: Client, size: IndexSize) {
    this.cluster = cluster;
    this.client = client;
    this.size = size;
  }

  /** Resolves once all is told. */
  static async start(size: IndexSize): Promise<SyntheticIndex> {
    const cluster = await LocalCluster.start({ metadataNodes: METADATA_NODES, dataNodes: 0 });
    const index = new SyntheticIndex(cluster, await cluster.connect(), size);
    try {
      await Promise.all(Array.from({ length: DATANODES }, (_, each) => index.#startDatanode(each)));
      await index.whole(METADATA_NODES);
      return index;
    } catch (error) {
      await index[Symbol.asyncDispose]();
      throw error;
    }
  }

  get records(): number {
    return this.size.blocks * this.size.copies;
  }

  /** Resolves once `holders` metadata nodes hold three copies of all records between them, and know that they do. */
  async whole(holders: number): Promise<IndexStatusResponse[]> {
    const startMs = performance.now();
    for (;;) {
      const found = await this.statuses().catch(() => []);
      const present = found.filter(({ owned }) => owned > 0);
      const isWhole = present.every(({ owned, complete, leaving }) => complete === owned && leaving === 0);
      const epochs = new Set(present.map(({ epoch }) => epoch));
      const held = sum(present, ({ records }) => records);
      if (present.length === holders && isWhole && epochs.size === 1 && held === this.records * HOLDERS)
        return found;
      if (performance.now() - startMs > LIMIT_MS) {
        const facts = found.map(({ boot, owned, complete, leaving, records, epoch }) => [
          boot,
          owned,
          complete,
          leaving,
          records,
          epoch,
        ]);
        throw new Error(`the index is not complete after ${LIMIT_MS} ms: ${JSON.stringify(facts)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Of those that answer and are not away. */
  async statuses(): Promise<IndexStatusResponse[]> {
    const { nodes } = await this.client.locationIndex();
    return nodes.flatMap(({ status, away }) => (status === undefined || away ? [] : [status]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#datanodes) child.disconnect();
    await this.client.close();
    await this.cluster.stop();
  }

  async #startDatanode(each: number): Promise<void> {
    const child = fork(new URL('./synthetic-datanode.ts', import.meta.url), ['run']);
    this.#datanodes.push(child);
    const orders: SyntheticDatanodeOrders = {
      token: this.cluster.token,
      directory: join(this.cluster.directory, `synthetic-${each}`),
      name: `s${each}`,
      numbers: Array.from({ length: this.size.copies }, (_, copy) => (each + copy) % DATANODES),
      blocks: this.size.blocks,
      modulus: DATANODES,
    };
    child.send(orders);
    await once(child, 'message');
  }
}

export function sum<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((total, item) => total + figure(item), 0);
}
