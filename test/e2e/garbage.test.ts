/** @module What a user sees of garbage collection: rm gives the disks back, undo brings blocks back, kill -9 harms neither. */
import { randomBytes } from 'node:crypto';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import type { Client } from '../../src/index.ts';
import type { CollectionReport } from '../../src/protocol/messages.ts';
import { eventually } from './support/eventually.ts';
import { sha256Of } from './support/known-bytes.ts';

const MIB = 1024 * 1024;
const PATIENCE_MS = 60_000;
const SMALL_FILES = 60;
const LARGE_BYTES = 12 * MIB;

let cluster: LocalCluster;
let client: Client;
let large: string;

beforeAll(async () => {
  cluster = await LocalCluster.start({ metadataNodes: 1, dataNodes: 2, replication: 2 });
  client = await cluster.connect();
  large = join(cluster.directory, 'large');
  await writeFile(large, randomBytes(LARGE_BYTES));
  await holdfast('gc', 'set', '--era', '1s', '--grace', '1s');
});
afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

async function holdfast<T>(...words: string[]): Promise<T> {
  const { status, stdout, stderr } = await cluster.run([...words, '--json']);
  if (status !== 0) throw new Error(`holdfast ${words.join(' ')} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as T;
}

async function reports(): Promise<CollectionReport[]> {
  return (await holdfast<{ nodes: CollectionReport[] }>('gc', 'status')).nodes;
}

/** Bytes of everything in the block directories of all datanodes. */
async function bytesOnDisk(): Promise<number> {
  let bytes = 0;
  for (const name of ['d1', 'd2']) {
    const root = join(cluster.nodeDirectory(name), 'blocks');
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

it('gives the disks back after rm, of large and small blocks, though a datanode is killed in the middle', async () => {
  await cluster.run(['put', large, '/large']);
  await Promise.all(
    Array.from({ length: SMALL_FILES }, (_, at) => client.put(`/small-${at}`, randomBytes(50_000))),
  );
  await cluster.run(['put', large, '/kept']);
  await client.put('/changed', randomBytes(200_000));
  const kept = await sha256Of((await client.get('/kept')).bytes);
  const fullBytes = await bytesOnDisk();
  for (const path of ['/large', '/changed']) await client.unlink(path);
  for (let at = 0; at < SMALL_FILES; at += 1) await client.unlink(`/small-${at}`);

  await eventually('something is put aside or deleted', PATIENCE_MS, async () =>
    (await reports()).some(({ quarantinedBlocks, deletedBlocks }) => quarantinedBlocks + deletedBlocks > 0)
      ? true
      : undefined,
  );
  await cluster.node('d1').kill('SIGKILL');
  await cluster.startNode('d1');
  await cluster.settled();

  // The content of /kept is that of /large: the same blocks.
  const leftBytes = 2 * LARGE_BYTES + MIB;
  await eventually('what nobody refers to is gone', PATIENCE_MS, async () => {
    await holdfast('gc', 'run');
    return (await bytesOnDisk()) < leftBytes + 3 * MIB ? true : undefined;
  });
  expect(await bytesOnDisk()).toBeLessThan(fullBytes);
  expect(await sha256Of((await client.get('/kept')).bytes)).toBe(kept);
  await eventually('df shows it', PATIENCE_MS, async () => {
    const { usedBytes } = await holdfast<{ usedBytes: number }>('df');
    return usedBytes === 2 * LARGE_BYTES ? true : undefined;
  });
});

it('says beforehand what it would do, brings back what it has put aside, and then waits for a word', async () => {
  await holdfast('gc', 'set', '--grace', '1h');
  await holdfast('gc', 'pause');
  await client.put('/undone', randomBytes(300_000));
  await client.unlink('/undone');
  await eventually('a round would put it aside', PATIENCE_MS, async () => {
    const { nodes } = await holdfast<{ nodes: CollectionReport[] }>('gc', 'run', '--dry-run');
    return nodes.every(({ collectableBlocks }) => collectableBlocks === 1) ? true : undefined;
  });
  await holdfast('gc', 'resume');
  const aside = (wanted: number) => async () =>
    (await reports()).every(({ quarantinedBlocks }) => quarantinedBlocks === wanted) ? true : undefined;
  await eventually('it is put aside', PATIENCE_MS, aside(1));
  expect(await holdfast('gc', 'undo')).toMatchObject({ paused: true });
  await eventually('it is back', PATIENCE_MS, aside(0));
  expect((await reports()).every(({ releasedBlocks }) => releasedBlocks === 1)).toBe(true);
});
