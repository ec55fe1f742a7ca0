/** @module Every node of a cluster stopped and started again, one after the other, beside a client that reads and writes. */
import type { LocalCluster } from '../../cli/demo/local-cluster.ts';
import type { Client } from '../../src/index.ts';
import type { StatusResponse } from '../../src/protocol/messages.ts';
import { startFileLoad } from './file-load.ts';
import { percentile, round } from './statistics.ts';

export interface RollingRestart {
  readonly seconds: number;
  /** From the signal to stop until the cluster sees the node in service again. */
  readonly medianNodeSeconds: number;
  readonly slowestNodeSeconds: number;
  /** Of the clients meanwhile. */
  readonly operations: number;
  readonly medianMs: number;
  readonly slowestMs: number;
}

const FILE_BYTES = 64 * 1024;
/** Of a client between two operations: it is to notice what fails, not to keep the processors from the nodes. */
const CLIENT_PAUSE_MS = 250;
const POLL_MS = 100;
/** Whoever is not back by then is not coming back. */
const BACK_LIMIT_MS = 60_000;

/** Throws when a client was told of any failure. */
export async function restartAll(cluster: LocalCluster, client: Client): Promise<RollingRestart> {
  const load = startFileLoad(client, { fileBytes: FILE_BYTES, pauseMs: CLIENT_PAUSE_MS });
  const took: number[] = [];
  const startMs = performance.now();
  try {
    const { operations, failed, medianMs, slowestMs, errors } = await load.during(async () => {
      for (const { name } of cluster.nodes) took.push(await restart(cluster, client, name));
    });
    if (failed > 0)
      throw new Error(
        `${failed} of ${operations} operations of clients failed meanwhile: ${errors.join('; ')}`,
      );
    return {
      seconds: round((performance.now() - startMs) / 1000, 1),
      medianNodeSeconds: round(percentile(took, 0.5), 1),
      slowestNodeSeconds: round(percentile(took, 1), 1),
      operations,
      medianMs,
      slowestMs,
    };
  } finally {
    await load.stop();
  }
}

async function restart(cluster: LocalCluster, client: Client, name: string): Promise<number> {
  const { number } = cluster.node(name).ready;
  const startMs = performance.now();
  await cluster.node(name).kill('SIGTERM');
  await cluster.startNode(name);
  const upMs = performance.now();
  for (let target: StatusResponse | undefined; ; ) {
    const status = await client.status().catch(() => undefined);
    target ??= status;
    if (status !== undefined && target !== undefined && isBack(status, target, number, upMs)) break;
    if (performance.now() - upMs > BACK_LIMIT_MS)
      throw new Error(
        `${name} is not in service ${BACK_LIMIT_MS} ms after it said that it is up: ${describe(status, target, number)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return (performance.now() - startMs) / 1000;
}

/** A datanode has been heard after it was up; a metadata node answers, has all that was committed at `target`, and somebody leads. */
function isBack(status: StatusResponse, target: StatusResponse, number: number, upMs: number): boolean {
  if (status.leader === 0) return false;
  const sinceUpMs = performance.now() - upMs;
  const data = status.dataNodes.find(({ member }) => member?.number === number);
  if (data !== undefined) return data.liveness === 'alive' && data.silentMs < sinceUpMs;
  const metadata = status.metadataNodes.find(({ member }) => member?.number === number);
  return metadata?.reachable === true && (metadata.position?.applied ?? 0) >= target.commit;
}

function describe(
  status: StatusResponse | undefined,
  target: StatusResponse | undefined,
  number: number,
): string {
  if (status === undefined) return 'no metadata node tells the status';
  const isIt = ({ member }: { readonly member?: { readonly number: number } | undefined }): boolean =>
    member?.number === number;
  const { leader, commit, dataNodes, metadataNodes } = status;
  const seen = dataNodes.find(isIt) ?? metadataNodes.find(isIt);
  return `leader ${leader}, commit ${commit} (${target?.commit ?? 0} when it was up), and of it ${JSON.stringify(seen)}`;
}
