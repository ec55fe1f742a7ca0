/** @module A file of five gibibytes: offsets and sizes that 32 bits do not hold, through a whole cluster. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { grantResult } from '../../src/client/result.ts';
import { GIB, MIB } from '../../src/common/bytes.ts';
import type { BlockRef, Command } from '../../src/namespace/schema.ts';
import { contents, gather } from './bytes.ts';
import { FileCluster } from './file-cluster.ts';

const FULL = 16 * MIB;
const END = 10;
const BLOCKS = (5 * GIB) / FULL;
const SIZE = 5 * GIB + END;
/** Full blocks A and B by turns, then ten bytes: what is stored of the file, and what of it is where. */
const STORED = contents(2 * FULL + END);

describe('a file of more than 4 GiB', () => {
  let cluster: FileCluster;
  let client: Client;

  beforeAll(async () => {
    cluster = await FileCluster.start(1, 1);
    client = await cluster.client();
    await client.put('/some', STORED, { blockSizeBytes: FULL });
    await writeBig('/big');
  });
  afterAll(() => cluster.stop());

  /** Of blocks that the datanode has already, again and again: stored once, it takes as little as they do. */
  async function writeBig(path: string): Promise<void> {
    const [a, b, last] = (await client.locate('/some')).blocks as readonly BlockRef[];
    const blocks = Array.from({ length: BLOCKS }, (_, at) => (at % 2 === 0 ? a : b) as BlockRef);
    const network = await cluster.metadata.client();
    const via = (await cluster.metadata.leader()).peer;
    const run = (kind: NonNullable<Command['kind']>) => cluster.metadata.mutate(network, via, kind);
    const file = { path, parents: false, replication: 1, blockSizeBytes: FULL, mtimeMs: 0, leaseMs: 0 };
    const unsaid = { precondition: undefined, complete: false, blocks: [], attributes: undefined };
    const { inode, fencingToken } = grantResult(
      'createFile',
      await run({ $case: 'createFile', value: { ...file, ...unsaid } }),
    );
    const appended = { inode, fencingToken, firstBlock: 0, blocks: [...blocks, last as BlockRef] };
    await run({ $case: 'appendBlocks', value: appended });
    await run({ $case: 'closeFile', value: { inode, fencingToken, precondition: undefined, mtimeMs: 0 } });
  }

  /** Bytes [offset, offset + length) of a file that repeats A and B. */
  function expected(offset: number, length: number): Uint8Array {
    const at = offset < 5 * GIB ? offset % (2 * FULL) : 2 * FULL + (offset - 5 * GIB);
    const first = STORED.subarray(at, Math.min(at + length, 2 * FULL + (at < 2 * FULL ? 0 : END)));
    if (first.byteLength === length) return first;
    return Buffer.concat([first, expected(offset + first.byteLength, length - first.byteLength)]);
  }

  it('has its size everywhere it is told', async () => {
    expect(await client.stat('/big')).toMatchObject({ sizeBytes: SIZE, blockCount: BLOCKS + 1 });
    for await (const { name, stat } of client.list('/'))
      if (name === 'big') expect(stat?.sizeBytes).toBe(SIZE);
    await client.mkdir('/d');
    await client.copy('/big', '/d/copy');
    expect(await client.usage('/d')).toMatchObject({ files: 1, logicalBytes: SIZE, wantedBytes: SIZE });
  });

  it.each([
    ['across 2 GiB', 2 * GIB - 3, 7],
    ['across 4 GiB', 4 * GIB - 5, 100_000],
    ['beyond 4 GiB', 4 * GIB + FULL + 123, 4_567],
    ['across its last full block', 5 * GIB - 4, 4 + END],
  ])('gives the bytes %s', async (_where, offset, length) => {
    const { bytes } = await client.get('/big', { offset, length });
    expect(Buffer.compare(await gather(bytes), expected(offset, length))).toBe(0);
  });

  it('gives the bytes to its end, and none behind that', async () => {
    const { bytes } = await client.get('/big', { offset: SIZE - 3 });
    expect(await gather(bytes)).toEqual(Buffer.from(STORED.subarray(-3)));
    const { bytes: none } = await client.get('/big', { offset: SIZE + 1 });
    expect((await gather(none)).byteLength).toBe(0);
  });
});
