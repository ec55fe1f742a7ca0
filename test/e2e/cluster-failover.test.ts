/** @module Nodes that die, hang and come back while files are written. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import type { NodeProcess } from '../../cli/demo/node-process.ts';
import type { Client } from '../../src/index.ts';
import { connectTo } from './support/connect-to.ts';
import { eventually } from './support/eventually.ts';
import { knownBytes, sha256Of } from './support/known-bytes.ts';
import { UnrepeatableChanges } from './support/unrepeatable-changes.ts';
import { lostFiles, strayFiles, WriteLoad } from './support/write-load.ts';

const MIB = 1024 * 1024;
const BIG_BYTES = 48 * MIB;
/** Of the issue: median below 2 s on a quiet machine; no single one above this on a busy one. */
const FIRST_WRITE_MS = 5_000;
const REJOIN_MS = 40_000;
/** Of a node that is told to. */
const STOP_MS = 5_000;
/** One hang alone does not always fall between a commit and its answer. */
const HANGS = 3;

describe('a cluster whose nodes fail under load', () => {
  let cluster: LocalCluster;
  let client: Client;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 4 });
    client = await cluster.connect();
  });
  afterAll(async () => {
    await client?.close();
    await cluster?.stop();
  });

  async function leader(): Promise<NodeProcess> {
    return eventually('a running leader', REJOIN_MS, async () =>
      cluster.byNumber((await client.status()).leader),
    );
  }

  async function load(directory: string): Promise<WriteLoad> {
    await client.mkdir(directory, { parents: true });
    const started = new WriteLoad(client, { directory, writers: 4 });
    await eventually('writes', 20_000, () => (started.acknowledged.length > 10 ? true : undefined));
    return started;
  }

  /** Stops the leader's process until another has taken its place, and a little after that lets it go on. */
  async function hangLeader(files: WriteLoad): Promise<NodeProcess> {
    const victim = await leader();
    const hungMs = performance.now();
    victim.signal('SIGSTOP');
    try {
      await eventually('writes without the leader', 30_000, () => files.acknowledgedSince(hungMs)[2]);
    } finally {
      victim.signal('SIGCONT');
    }
    const continuedMs = performance.now();
    await eventually('writes after it', 30_000, () => files.acknowledgedSince(continuedMs)[10]);
    return victim;
  }

  it('goes on within five seconds when the leader is killed, and loses nothing it acknowledged', async () => {
    const victim = await leader();
    const before = await load('/leader-killed');
    const big = client.put('/leader-killed-big', knownBytes('big', BIG_BYTES), { sizeBytes: BIG_BYTES });
    const killedMs = performance.now();
    await victim.kill('SIGKILL');
    const first = await eventually(
      'a write after the kill',
      30_000,
      () => before.acknowledgedSince(killedMs)[0],
    );
    const waitedMs = Math.round(first.endedMs - killedMs);
    console.log(`first acknowledged write ${waitedMs} ms after kill -9 of the leader`);
    await big;
    await before.stop();

    expect(waitedMs).toBeLessThan(FIRST_WRITE_MS);
    expect(before.files.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expect(await lostFiles(client, before.acknowledged)).toEqual([]);
    expect(await strayFiles(client, '/leader-killed', before.files)).toEqual([]);
    const { bytes } = await client.get('/leader-killed-big');
    expect(await sha256Of(bytes)).toBe(await sha256Of(knownBytes('big', BIG_BYTES)));

    await cluster.startNode(victim.name);
    await cluster.settled();
    const { metadataNodes } = await client.status();
    expect(metadataNodes.map(({ raftRole }) => raftRole).toSorted()).toEqual(['leader', 'voter', 'voter']);
    expect(metadataNodes.every(({ reachable }) => reachable)).toBe(true);
  });

  it('finishes a put whose datanode is killed in the middle, and shows the datanode as gone', async () => {
    const victim = cluster.node('d1');
    let killed: Promise<unknown> | undefined;
    const { stat } = await client.put('/datanode-killed', knownBytes('datanode', BIG_BYTES), {
      sizeBytes: BIG_BYTES,
      blockSizeBytes: MIB,
      onProgress({ doneBytes }) {
        if (doneBytes > BIG_BYTES / 4) killed ??= victim.kill('SIGKILL');
      },
    });
    expect(killed).toBeDefined();
    await killed;
    expect(stat.sizeBytes).toBe(BIG_BYTES);
    const { bytes } = await client.get('/datanode-killed');
    expect(await sha256Of(bytes)).toBe(await sha256Of(knownBytes('datanode', BIG_BYTES)));

    await eventually('d1 is missed, and nobody else', 30_000, async () => {
      const { stdout } = await cluster.run(['cluster', 'status', '--json']);
      const { checks } = JSON.parse(stdout) as {
        checks: { name: string; health: string; finding: string }[];
      };
      const datanodes = checks.find(({ name }) => name === 'datanodes');
      return datanodes?.health === 'warn' && datanodes.finding === '3 of 4 are alive' ? true : undefined;
    });

    await cluster.startNode('d1');
    await cluster.settled();
  });

  it('loses no write when nodes are told to stop (SIGTERM) in the middle of them, and each ends within five seconds', async () => {
    const files = await load('/told-to-stop');
    for (const victim of [await leader(), cluster.node('d2')]) {
      const toldMs = performance.now();
      expect(await victim.kill('SIGTERM'), victim.logTail).toEqual({ code: 0, signal: null });
      expect(performance.now() - toldMs).toBeLessThan(STOP_MS);
      await eventually('writes without it', 30_000, () => files.acknowledgedSince(toldMs)[10]);
      await cluster.startNode(victim.name);
      await cluster.settled();
    }
    await files.stop();
    expect(files.files.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expect(await lostFiles(client, files.acknowledged)).toEqual([]);
    expect(await strayFiles(client, '/told-to-stop', files.files)).toEqual([]);
  });

  it('neither loses nor repeats a change when leaders hang and come back', async () => {
    const files = await load('/leader-hangs');
    await client.mkdir('/once');
    const changes = new UnrepeatableChanges(client, '/once');
    await eventually('changes', 20_000, () => (changes.done > 10 ? true : undefined));

    const hung = new Set<NodeProcess>();
    for (let time = 0; time < HANGS; time += 1) hung.add(await hangLeader(files));
    await Promise.all([changes.stop(), files.stop()]);

    expect(changes.refusals).toEqual([]);
    expect(files.files.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expect(await lostFiles(client, files.acknowledged)).toEqual([]);
    expect(await strayFiles(client, '/leader-hangs', files.files)).toEqual([]);
    const wanted = (await client.stat('/leader-hangs')).childCount;
    for (const node of hung) {
      await using itself = await connectTo(cluster, node);
      await eventually(`${node.name}, which hung, knows all of it`, 20_000, async () => {
        const { childCount } = await itself.stat('/leader-hangs', { stale: true });
        return childCount === wanted ? true : undefined;
      });
    }
  });
});
