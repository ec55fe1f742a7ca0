/** @module Datanodes of a cluster in which nothing happens: three metadata processes, and datanodes without disks in another. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { LocalCluster } from '../../../cli/demo/local-cluster.ts';
import { measured, usageOf } from '../process-usage.ts';
import type { SyntheticDatanodeOrders } from '../synthetic-datanode.ts';
import type { Dimension } from './growth.ts';

/** Of each datanode: what it compares with every metadata node. */
const BLOCKS_PER_DATANODE = 1_000;
/** Until what follows from the joins is over, and for how long is measured, in milliseconds. */
const SETTLE_MS = 30_000;
const MEASURE_MS = 10_000;

export function datanodeGrowth(sizes: readonly number[]): Dimension {
  return {
    name: 'datanodes at rest',
    of: 'datanodes',
    sizes,
    figures: {
      metadata: { name: 'three metadata nodes', unit: 'CPU ms a second', counts: 'whole' },
      datanodes: { name: 'all datanodes', unit: 'CPU ms a second', counts: 'whole' },
      rssMib: { name: 'memory of the largest metadata node', unit: 'MiB', counts: 'seen' },
    },
    measure,
  };
}

async function measure(size: number): Promise<Record<string, number>> {
  await using cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 0 });
  const child = fork(new URL('../synthetic-datanode.ts', import.meta.url), ['run']);
  try {
    for (let each = 0; each < size; each++) {
      const orders: SyntheticDatanodeOrders = {
        token: cluster.token,
        directory: join(cluster.directory, `synthetic-${each}`),
        name: `s${each}`,
        numbers: [each],
        blocks: BLOCKS_PER_DATANODE * size,
        modulus: size,
      };
      child.send(orders);
      await once(child, 'message');
    }
    await pause(SETTLE_MS);
    const pids = cluster.nodes.map(({ ready }) => ready.pid);
    const usedByDatanodes = (): number => usageOf(child.pid ?? 0)?.cpuSeconds ?? 0;
    const before = usedByDatanodes();
    const metadata = await measured(pids, () => pause(MEASURE_MS));
    const after = usedByDatanodes();
    return {
      metadata: (metadata.cpuSeconds / metadata.seconds) * 1_000,
      datanodes: ((after - before) / metadata.seconds) * 1_000,
      rssMib: metadata.peakRssMib,
    };
  } finally {
    child.disconnect();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
