/** @module Many real nodes on one machine: they form a cluster, find each other, and all are restarted one after the other. */
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { round } from './statistics.ts';

const BYTES = 256 * 1024;
/** Metadata nodes that begin, and nodes that join at a time: more would only wait for the processor. */
const FIRST = 3;
const AT_ONCE = 4;
const FILE = '/before-the-restart';

export interface Formation {
  readonly nodes: number;
  readonly metadataNodes: number;
  readonly formedSeconds: number;
  readonly rollingRestartSeconds: number;
  readonly holdersThatAnswer: number;
  readonly datanodesAlive: number;
}

/** A third of them metadata nodes, the others datanodes, with small caches. */
export async function measureFormation(nodes: number): Promise<Formation> {
  const metadataNodes = Math.max(FIRST, Math.floor(nodes / 3));
  const startMs = performance.now();
  await using cluster = await LocalCluster.start({
    metadataNodes: FIRST,
    dataNodes: 0,
    nodeArguments: ['--log-level', 'error', '--metadata-cache', '8MiB'],
  });
  const names = Array.from({ length: nodes - FIRST }, (_, each) =>
    each < metadataNodes - FIRST ? `m${FIRST + each + 1}` : `d${each - (metadataNodes - FIRST) + 1}`,
  );
  for (let at = 0; at < names.length; at += AT_ONCE)
    await Promise.all(names.slice(at, at + AT_ONCE).map((name) => cluster.join(name)));
  await cluster.settled();
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
