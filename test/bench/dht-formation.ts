/** @module Many real nodes on one machine: they form a cluster, find each other, and all are restarted one after the other. */
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { round } from './statistics.ts';

const BYTES = 256 * 1024;
const FILE = '/before-the-restart';

/** A third of them metadata nodes, the others datanodes, with small caches. */
export async function measureFormation(nodes: number): Promise<object> {
  const metadataNodes = Math.max(3, Math.floor(nodes / 3));
  const startMs = performance.now();
  await using cluster = await LocalCluster.start({
    metadataNodes,
    dataNodes: nodes - metadataNodes,
    nodeArguments: ['--log-level', 'error', '--metadata-cache', '8MiB'],
  });
  const formedSeconds = seconds(startMs);
  await using client = await cluster.connect();
  await client.put(FILE, Buffer.alloc(BYTES, 7));
  const restartedMs = performance.now();
  for (const { name } of cluster.nodes) {
    const node = cluster.node(name);
    await node.kill('SIGTERM');
    await cluster.startNode(name);
  }
  await cluster.settled();
  const rollingRestartSeconds = seconds(restartedMs);
  const { bytes } = await client.get(FILE);
  let read = 0;
  for await (const chunk of bytes) read += chunk.byteLength;
  if (read !== BYTES) throw new Error(`read ${read} of ${BYTES} bytes after the restart`);
  const { nodes: holders } = await client.locationIndex();
  return {
    nodes,
    metadataNodes,
    formedSeconds,
    rollingRestartSeconds,
    holdersThatAnswer: holders.filter(({ status }) => status !== undefined).length,
    datanodesAlive: (await client.status()).dataNodes.filter(({ liveness }) => liveness === 'alive').length,
  };
}

function seconds(sinceMs: number): number {
  return round((performance.now() - sinceMs) / 1000, 1);
}
