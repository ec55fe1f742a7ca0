/** @module The index while metadata nodes join, die and lose everything: real metadata processes, datanodes of synthetic blocks. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import type { Client } from '../../src/index.ts';
import type { IndexStatusResponse } from '../../src/protocol/index-view.ts';
import { type LookupFigures, LookupLoad } from './lookup-load.ts';
import type { Reported } from './part-contender.ts';
import { round } from './statistics.ts';
import type { SyntheticDatanodeOrders } from './synthetic-datanode.ts';

const METADATA_NODES = 5;
const DATANODES = 6;
const HOLDERS = 3;
const POLL_MS = 100;
/** Longer than any of it may take. */
const LIMIT_MS = 180_000;

interface Size {
  readonly blocks: number;
  /** Datanodes that hold each block. */
  readonly copies: number;
}

/** What the change took until all shards had all their holders again, and what a client saw of it. */
export type IndexChange = Reported<LookupFigures & { readonly completeSeconds: number }>;

export interface IndexChanges extends Size {
  readonly fillSeconds: number;
  readonly joined: IndexChange;
  readonly killed: IndexChange;
  readonly restarted: IndexChange;
}

export async function measureChanges(size: Size): Promise<IndexChanges> {
  await using cluster = await LocalCluster.start({ metadataNodes: METADATA_NODES, dataNodes: 0 });
  await using client = await cluster.connect();
  const datanodes: ChildProcess[] = [];
  const records = size.blocks * size.copies;
  try {
    const filled = performance.now();
    await Promise.all(
      Array.from({ length: DATANODES }, (_, each) =>
        startDatanode(cluster, each, size).then((it) => datanodes.push(it)),
      ),
    );
    await complete(client, METADATA_NODES, records);
    const fillSeconds = seconds(filled);
    const load = await LookupLoad.start(cluster.profileDir, size.blocks);
    try {
      const joined = await measureJoin(cluster, client, load, records);
      const killed = await measureKill(cluster, client, load, records);
      const restarted = await measureRestart(cluster, client, load, records);
      return { ...size, fillSeconds, joined, killed, restarted };
    } finally {
      await load.stop();
    }
  } finally {
    for (const child of datanodes) child.disconnect();
  }
}

async function startDatanode(cluster: LocalCluster, each: number, size: Size): Promise<ChildProcess> {
  const child = fork(new URL('./synthetic-datanode.ts', import.meta.url), ['run']);
  const orders: SyntheticDatanodeOrders = {
    token: cluster.token,
    directory: join(cluster.directory, `synthetic-${each}`),
    name: `s${each}`,
    numbers: Array.from({ length: size.copies }, (_, copy) => (each + copy) % DATANODES),
    blocks: size.blocks,
    modulus: DATANODES,
  };
  child.send(orders);
  await once(child, 'message');
  return child;
}

async function measureJoin(
  cluster: LocalCluster,
  client: Client,
  load: LookupLoad,
  records: number,
): Promise<IndexChange> {
  const before = await statuses(client);
  load.figures();
  const startMs = performance.now();
  await cluster.join(`m${METADATA_NODES + 1}`);
  const upSeconds = seconds(startMs);
  const after = await complete(client, METADATA_NODES + 1, records);
  const moved = sum(after, ({ pulled }) => pulled) - sum(before, ({ pulled }) => pulled);
  const newcomer = after.find(({ boot }) => !before.some((each) => each.boot === boot));
  return {
    upSeconds,
    completeSeconds: seconds(startMs),
    movedRecords: moved,
    // What the newcomer must hold by distance, and what an even share would be.
    movedOfItsOwn: round(moved / (newcomer?.records ?? 0), 3),
    movedOfEvenShare: round(moved / ((records * HOLDERS) / (METADATA_NODES + 1)), 3),
    ...load.figures(),
  };
}

async function measureKill(
  cluster: LocalCluster,
  client: Client,
  load: LookupLoad,
  records: number,
): Promise<IndexChange> {
  const victim = cluster.byNumber(await cluster.leader());
  if (victim === undefined) throw new Error('no running node leads');
  load.figures();
  const startMs = performance.now();
  await victim.kill('SIGKILL');
  await complete(client, METADATA_NODES, records);
  const figures = {
    killed: `${victim.name}, the leader`,
    completeSeconds: seconds(startMs),
    ...load.figures(),
  };
  await cluster.startNode(victim.name);
  await complete(client, METADATA_NODES + 1, records);
  return figures;
}

async function measureRestart(
  cluster: LocalCluster,
  client: Client,
  load: LookupLoad,
  records: number,
): Promise<IndexChange> {
  const nodes = cluster.nodes;
  await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
  const startMs = performance.now();
  const first = load.firstAnswer(startMs);
  await Promise.all(nodes.map(({ name }) => cluster.startNode(name)));
  const upSeconds = seconds(startMs);
  const firstSeconds = round((await first) / 1000, 1);
  await complete(client, METADATA_NODES + 1, records);
  const figures = load.figures();
  return { upSeconds, firstAnswerSeconds: firstSeconds, completeSeconds: seconds(startMs), ...figures };
}

/** Resolves once `holders` metadata nodes hold three copies of all records between them, and know that they do. */
async function complete(client: Client, holders: number, records: number): Promise<IndexStatusResponse[]> {
  const startMs = performance.now();
  for (;;) {
    const found = await statuses(client).catch(() => []);
    const present = found.filter(({ owned }) => owned > 0);
    const isWhole = present.every(({ owned, complete: has, leaving }) => has === owned && leaving === 0);
    const epochs = new Set(present.map(({ epoch }) => epoch));
    const held = sum(present, (each) => each.records);
    if (present.length === holders && isWhole && epochs.size === 1 && held === records * HOLDERS)
      return found;
    if (performance.now() - startMs > LIMIT_MS) {
      const facts = found.map(({ boot, owned, complete: has, leaving, records: own, epoch }) => [
        boot,
        owned,
        has,
        leaving,
        own,
        epoch,
      ]);
      throw new Error(`the index is not complete after ${LIMIT_MS} ms: ${JSON.stringify(facts)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Of those that answer and are not away. */
async function statuses(client: Client): Promise<IndexStatusResponse[]> {
  const { nodes } = await client.locationIndex();
  return nodes.flatMap(({ status, away }) => (status === undefined || away ? [] : [status]));
}

function sum<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((total, item) => total + figure(item), 0);
}

function seconds(sinceMs: number): number {
  return round((performance.now() - sinceMs) / 1000, 1);
}
