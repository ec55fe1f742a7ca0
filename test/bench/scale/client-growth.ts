/** @module Clients of a cluster, each with a connection and a session of its own and one operation in flight: real processes. */
import { type ChildProcess, fork } from 'node:child_process';
import { LocalCluster } from '../../../cli/demo/local-cluster.ts';
import { measured } from '../process-usage.ts';
import { percentile } from '../statistics.ts';
import { answerOf } from './child-answer.ts';
import type { ClientCrowdOrders, ClientCrowdReport } from './client-crowd.ts';
import type { Dimension } from './growth.ts';

/** Of one process: more would only wait for its processor. */
const CLIENTS_PER_PROCESS = 64;
const MEASURE_MS = 4_000;

export function clientGrowth(sizes: readonly number[]): Dimension {
  return {
    name: 'clients at work',
    of: 'clients',
    sizes,
    figures: {
      perSecond: { name: 'touches and stats', unit: 'a second', counts: 'seen' },
      metadataCpu: { name: 'an operation, three metadata nodes', unit: 'CPU µs', counts: 'each' },
      clientCpu: { name: 'an operation, client', unit: 'CPU µs', counts: 'each' },
      touchMs: { name: 'touch, median', unit: 'ms', counts: 'seen' },
      statMs: { name: 'stat, median', unit: 'ms', counts: 'seen' },
      statP99Ms: { name: 'stat, 99 of 100', unit: 'ms', counts: 'seen' },
      rssMib: { name: 'memory of the largest metadata node', unit: 'MiB', counts: 'seen' },
      failed: { name: 'operations that failed', unit: 'of all', counts: 'seen' },
    },
    measure,
  };
}

async function measure(size: number): Promise<Record<string, number>> {
  await using cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 0 });
  const crowds: ChildProcess[] = [];
  try {
    for (let first = 0; first < size; first += CLIENTS_PER_PROCESS) {
      const crowd = fork(new URL('./client-crowd.ts', import.meta.url));
      crowds.push(crowd);
      const clients = Math.min(CLIENTS_PER_PROCESS, size - first);
      const orders: ClientCrowdOrders = { profileDir: cluster.profileDir, first, clients };
      const gathered = answerOf(crowd);
      crowd.send(orders);
      await gathered;
    }
    const servers = cluster.nodes.map(({ ready }) => ready.pid);
    const pids = crowds.map(({ pid }) => pid ?? 0);
    const work = (): Promise<ClientCrowdReport[]> =>
      Promise.all(
        crowds.map((crowd) => {
          const report = answerOf<ClientCrowdReport>(crowd);
          crowd.send({ durationMs: MEASURE_MS });
          return report;
        }),
      );
    // JavaScript is compiled while it runs.
    await work();
    const inner = await measured(pids, () => measured(servers, work));
    const { result: reports, cpuSeconds, seconds, peakRssMib } = inner.result;
    const touches = reports.flatMap(({ touchMs }) => touchMs);
    const stats = reports.flatMap(({ statMs }) => statMs);
    const operations = touches.length + stats.length;
    return {
      perSecond: operations / seconds,
      metadataCpu: (cpuSeconds / operations) * 1e6,
      clientCpu: (inner.cpuSeconds / operations) * 1e6,
      touchMs: percentile(touches, 0.5),
      statMs: percentile(stats, 0.5),
      statP99Ms: percentile(stats, 0.99),
      rssMib: peakRssMib,
      failed: reports.flatMap(({ failed }) => Object.values(failed)).reduce((sum, count) => sum + count, 0),
    };
  } finally {
    for (const crowd of crowds) if (crowd.connected) crowd.disconnect();
  }
}
