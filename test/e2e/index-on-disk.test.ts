/** @module A location index with hardly any memory: it lies on disk, finds every block, and mends what rots there. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import type { Client } from '../../src/index.ts';
import { eventually } from './support/eventually.ts';
import { knownBytes, sha256Of } from './support/known-bytes.ts';

/** Far less than the records of these files take. */
const INDEX_MEMORY = '64KiB';
const FILES = 1_200;
const FILE_BYTES = 2_000;
const TOGETHER = 64;
const COPIES = 2;
const METADATA_NODES = ['m1', 'm2', 'm3'];
const PATIENCE_MS = 60_000;
const PAGE_BYTES = 4_096;

interface Holder {
  readonly complete: number;
  readonly owned: number;
  readonly records: number;
  readonly recordsOnDisk: number;
  readonly bytes: number;
  readonly diskFailure: string;
}

let cluster: LocalCluster;
let client: Client;

beforeAll(async () => {
  cluster = await LocalCluster.start({
    metadataNodes: METADATA_NODES.length,
    dataNodes: COPIES,
    replication: COPIES,
    nodeArguments: ['--log-level', 'warn', '--index-memory', INDEX_MEMORY],
  });
  client = await cluster.connect();
});
afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

/** What each metadata node holds, once it knows every record. */
async function wholeIndex(): Promise<readonly Holder[]> {
  return eventually('every holder knows every record', PATIENCE_MS, async () => {
    const { status, stdout, stderr } = await cluster.run(['dht', 'status', '--json']);
    expect(status, stderr).toBe(0);
    const { nodes } = JSON.parse(stdout) as { nodes: readonly Holder[] };
    const isWhole = nodes.every(
      ({ complete, owned, records }) => complete === owned && records === FILES * COPIES,
    );
    return nodes.length === METADATA_NODES.length && isWhole ? nodes : undefined;
  });
}

async function inTurns(work: (at: number) => Promise<void>): Promise<void> {
  const rest = Array.from({ length: FILES }, (_, at) => at).values();
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (const at of rest) await work(at);
    }),
  );
}

/** With a client of its own, which has remembered nothing. */
async function expectAllFiles(): Promise<void> {
  await using reader = await cluster.connect();
  await inTurns(async (at) => {
    const { bytes } = await reader.get(`/f${at}`);
    expect(await sha256Of(bytes)).toBe(await sha256Of(knownBytes(`f${at}`, FILE_BYTES)));
  });
}

it('holds on disk what its memory has no room for, and finds every block', async () => {
  await inTurns(async (at) => {
    await client.put(`/f${at}`, knownBytes(`f${at}`, FILE_BYTES));
  });
  for (const { recordsOnDisk, bytes, diskFailure } of await wholeIndex()) {
    expect(recordsOnDisk).toBeGreaterThan(FILES);
    expect(bytes).toBeLessThan(FILES * COPIES * 32);
    expect(diskFailure).toBe('');
  }
  await expectAllFiles();
});

/** The hash of the first row of every page. */
async function rot(name: string): Promise<void> {
  await using file = await open(join(cluster.nodeDirectory(name), 'location-pages'), 'r+');
  const { size } = await file.stat();
  const hash = Buffer.alloc(32, 0x5a);
  for (let at = 0; at < size; at += PAGE_BYTES) await file.write(hash, 0, hash.length, at);
}

it('is told anew what has rotted there on every node, and answers nothing wrong meanwhile', async () => {
  for (const name of METADATA_NODES) await rot(name);
  await expectAllFiles();
  await wholeIndex();
  const logs = METADATA_NODES.map((name) => cluster.node(name).logTail).join('');
  expect(logs).toContain('dht.spilled-shard-lost');
});

it('begins anew after a kill, whatever the file held', async () => {
  await cluster.node('m2').kill('SIGKILL');
  await expectAllFiles();
  await cluster.startNode('m2', ['--log-level', 'warn']);
  const holders = await wholeIndex();
  expect(holders.every(({ recordsOnDisk }) => recordsOnDisk > 0)).toBe(true);
  await expectAllFiles();
});
