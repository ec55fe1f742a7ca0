/**
 * @module Many real nodes on one machine: they form a cluster and find each other; what they cost while nothing happens; and all are
 * restarted, one after the other, beside a client that reads and writes.
 */
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { bundle } from '../../cli/bundle.ts';
import { measured, memoryOf, usageOf } from './process-usage.ts';
import { type RollingRestart, restartAll } from './rolling-restart.ts';
import { percentile, round } from './statistics.ts';

/** Metadata nodes that begin, and nodes that join at a time: more would only wait for the processor. */
const FIRST = 3;
const AT_ONCE = 4;
/** What begins after a join (connections, measurements of the disk, compiled code) is over by then. */
const SETTLING_MS = 20_000;
const IDLE_MS = 20_000;

export interface Formation {
  readonly nodes: number;
  readonly metadataNodes: number;
  readonly formedSeconds: number;
  /** CPU seconds: of a node until it said that it is up, median, and of all nodes until the last was seen alive. */
  readonly startCpuSeconds: number;
  readonly formedCpuSeconds: number;
  readonly idle: {
    /** Processors kept busy by all nodes together, and by one of each kind. */
    readonly processors: number;
    readonly perMetadataNode: number;
    readonly perDatanode: number;
    /** MiB of one node, median: as the system counts it, and with what the nodes share divided among them. */
    readonly residentMib: number;
    readonly proportionalMib: number;
  };
  readonly rollingRestart: RollingRestart;
  readonly holdersThatAnswer: number;
  readonly datanodesAlive: number;
}

/** A third of them metadata nodes, the others datanodes, with small caches. */
export async function measureFormation(nodes: number): Promise<Formation> {
  const metadataNodes = Math.max(FIRST, Math.floor(nodes / 3));
  // As it is installed: the sources take twice as long to start.
  await bundle();
  const startMs = performance.now();
  await using cluster = await LocalCluster.start({
    metadataNodes: FIRST,
    dataNodes: 0,
    nodeArguments: ['--log-level', 'error', '--metadata-cache', '8MiB'],
  });
  const startCpuSeconds = await joinOthers(cluster, metadataNodes, nodes);
  await cluster.settled();
  const formedSeconds = round((performance.now() - startMs) / 1000, 1);
  const formedCpuSeconds = round(cpuOf(cluster), 1);
  const idle = await measureIdle(cluster);
  await using client = await cluster.connect();
  const rollingRestart = await restartAll(cluster, client);
  const { nodes: holders } = await client.locationIndex();
  return {
    nodes,
    metadataNodes,
    formedSeconds,
    startCpuSeconds,
    formedCpuSeconds,
    idle,
    rollingRestart,
    holdersThatAnswer: holders.filter(({ status }) => status !== undefined).length,
    datanodesAlive: (await client.status()).dataNodes.filter(({ liveness }) => liveness === 'alive').length,
  };
}

/** Returns the median of the CPU seconds that each took until it was up. */
async function joinOthers(cluster: LocalCluster, metadataNodes: number, nodes: number): Promise<number> {
  const names = Array.from({ length: nodes - FIRST }, (_, each) =>
    each < metadataNodes - FIRST ? `m${FIRST + each + 1}` : `d${each - (metadataNodes - FIRST) + 1}`,
  );
  const seconds: number[] = [];
  const join = async (name: string): Promise<void> => {
    const { ready } = await cluster.join(name);
    seconds.push(usageOf(ready.pid)?.cpuSeconds ?? 0);
  };
  for (let at = 0; at < names.length; at += AT_ONCE)
    await Promise.all(names.slice(at, at + AT_ONCE).map(join));
  return round(percentile(seconds, 0.5), 2);
}

async function measureIdle(cluster: LocalCluster): Promise<Formation['idle']> {
  await pause(SETTLING_MS);
  const shareOf = async (kind: 'm' | 'd'): Promise<{ all: number; each: number }> => {
    const pids = cluster.nodes.filter(({ name }) => name.startsWith(kind)).map(({ ready }) => ready.pid);
    const { cpuSeconds, seconds } = await measured(pids, () => pause(IDLE_MS));
    const all = cpuSeconds / seconds;
    return { all, each: all / Math.max(1, pids.length) };
  };
  const [metadata, data] = await Promise.all([shareOf('m'), shareOf('d')]);
  const memory = cluster.nodes.map(({ ready }) => memoryOf(ready.pid));
  return {
    processors: round(metadata.all + data.all, 2),
    perMetadataNode: round(metadata.each, 4),
    perDatanode: round(data.each, 4),
    residentMib: round(
      percentile(
        memory.map((each) => each.residentMib),
        0.5,
      ),
    ),
    proportionalMib: round(
      percentile(
        memory.map((each) => each.proportionalMib),
        0.5,
      ),
    ),
  };
}

function cpuOf(cluster: LocalCluster): number {
  return cluster.nodes.reduce((sum, { ready }) => sum + (usageOf(ready.pid)?.cpuSeconds ?? 0), 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
