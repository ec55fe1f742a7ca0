/** @module What datanodes say of their blocks, through a whole cluster: every file is told apart, and known to be whole or not. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { KIB, toHex } from '../../src/common/bytes.ts';
import { call } from '../../src/network/method.ts';
import type { BlockHere, BlockNote } from '../../src/protocol/messages.ts';
import { REPLICATE } from '../../src/protocol/methods.ts';
import { contents } from './bytes.ts';
import { FileCluster, type RunningDataNode } from './file-cluster.ts';

const BLOCK = 64 * KIB;
const ONE_COPY = { blockSizeBytes: BLOCK, replication: 1 };

let cluster: FileCluster;
let client: Client;
beforeAll(async () => {
  cluster = await FileCluster.start(1, 2);
  client = await cluster.client();
});
afterAll(() => cluster.stop());

/** Every place at `path` that a block on any datanode says it has, in order, and then by when it was written. */
async function notesAt(path: string): Promise<(BlockNote & { readonly hash: string })[]> {
  const found = new Map<string, BlockNote & { readonly hash: string }>();
  for (const { peer } of cluster.datanodes)
    for await (const { hash, also, ...own } of client.blocksHere(peer))
      for (const note of [own, ...also])
        if (note.pathHint === path) {
          const id = toHex(note.write?.id ?? new Uint8Array());
          found.set(`${id}/${note.position}`, { ...note, hash: toHex(hash) });
        }
  return [...found.values()].toSorted((a, b) => a.position - b.position);
}

it('two files with the same bytes are both known, though their blocks are stored once', async () => {
  const bytes = contents(2 * BLOCK + 9, 'twins');
  await client.put('/one', bytes, { ...ONE_COPY, replication: 2 });
  await client.put('/two', bytes, { ...ONE_COPY, replication: 2 });
  for (const path of ['/one', '/two']) {
    const notes = await notesAt(path);
    expect(notes.map(({ position }) => position)).toEqual([0, 1, 2]);
    expect(notes.at(-1)?.write).toMatchObject({ blockCount: 3, sizeBytes: bytes.length });
  }
});

it('what was appended names the file it was appended to, and the block that it follows', async () => {
  await client.put('/log', contents(BLOCK, 'first'), ONE_COPY);
  const { stat } = await client.append('/log', contents(BLOCK + 5, 'second'));
  const notes = await notesAt('/log');
  expect(notes.map(({ position }) => position)).toEqual([0, 1, 2]);
  const [first, second, third] = notes;
  expect(toHex(second?.write?.previous ?? new Uint8Array())).toBe(first?.hash);
  expect(second?.fileId).toBe(stat.inode);
  expect(third?.write).toMatchObject({ blockCount: 3, sizeBytes: stat.sizeBytes });
});

it('a copy that a datanode makes for another says all that the first one does', async () => {
  const bytes = contents(BLOCK - 1, 'copied');
  await client.put('/from', bytes, ONE_COPY);
  const holds = async ({ peer }: RunningDataNode, hash: string): Promise<BlockHere | undefined> => {
    for await (const block of client.blocksHere(peer)) if (toHex(block.hash) === hash) return block;
    return undefined;
  };
  const [{ hash } = { hash: '' }] = await notesAt('/from');
  const [one, two] = cluster.datanodes as [RunningDataNode, RunningDataNode];
  const [source, target] = (await holds(one, hash)) === undefined ? [two, one] : [one, two];
  await source.blocks.describe(hash, { fileId: 5, pathHint: '/also', position: 4 });
  const holder = { node: target.number, peer: target.peer, addresses: [], name: '', host: '', alive: true };
  const request = { hash: Buffer.from(hash, 'hex'), sizeBytes: bytes.length, target: holder };
  await call(target.network, source.peer, REPLICATE, request);
  expect(await holds(target, hash)).toEqual(await holds(source, hash));
  expect((await holds(target, hash))?.also).toMatchObject([{ pathHint: '/also', position: 4 }]);
});
