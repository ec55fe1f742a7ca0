/** @module Files in and out of a whole cluster, in good times. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { KIB, toHex } from '../../src/common/bytes.ts';
import { MAX_FILE_BLOCKS, MIN_BLOCK_SIZE_BYTES } from '../../src/namespace/limits.ts';
import { contents, gather, hashOf, inChunks } from './bytes.ts';
import { FileCluster } from './file-cluster.ts';

const BLOCK = 64 * KIB;

describe('a client', () => {
  let cluster: FileCluster;
  let client: Client;

  beforeAll(async () => {
    cluster = await FileCluster.start(3, 4);
    client = await cluster.client();
  });
  afterAll(() => cluster.stop());

  async function put(path: string, bytes: Uint8Array): Promise<void> {
    await client.put(path, bytes, { blockSizeBytes: BLOCK });
  }

  async function read(path: string, range = {}): Promise<Uint8Array> {
    return gather((await client.get(path, range)).bytes);
  }

  it.each([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 4 * BLOCK, 5 * BLOCK, 21 * BLOCK + 7])(
    'gets back the %i bytes it has put',
    async (sizeBytes) => {
      const bytes = contents(sizeBytes, `size ${sizeBytes}`);
      await put(`/size-${sizeBytes}`, bytes);
      expect(Buffer.compare(await read(`/size-${sizeBytes}`), bytes)).toBe(0);
      const stat = await client.stat(`/size-${sizeBytes}`);
      expect(stat).toMatchObject({ sizeBytes, blockCount: Math.ceil(sizeBytes / BLOCK), replication: 3 });
    },
  );

  it('stores a stream of crumbs as the same blocks as one piece', async () => {
    const bytes = contents(3 * BLOCK + 100, 'crumbs');
    await put('/whole', bytes);
    await client.put('/crumbs', inChunks(bytes, 777), { blockSizeBytes: BLOCK });
    const [whole, crumbs] = [await client.locate('/whole'), await client.locate('/crumbs')];
    expect(crumbs.blocks.map(({ hash }) => toHex(hash))).toEqual(whole.blocks.map(({ hash }) => toHex(hash)));
  });

  it('keeps three durable copies of each block on three datanodes', async () => {
    const bytes = contents(2 * BLOCK, 'copies');
    const { copies, underReplicatedBlocks } = await client.put('/copies', bytes, { blockSizeBytes: BLOCK });
    expect({ copies, underReplicatedBlocks }).toEqual({ copies: 3, underReplicatedBlocks: 0 });
    expect(cluster.holdersOf(hashOf(bytes.subarray(0, BLOCK)))).toHaveLength(3);
    const { blocks } = await client.locate('/copies');
    expect(blocks.map(({ nodes }) => nodes.length)).toEqual([3, 3]);
  });

  it('says less than it was asked for when there are fewer datanodes than copies', async () => {
    const { copies, underReplicatedBlocks } = await client.put('/many', contents(10, 'many'), {
      replication: 5,
    });
    expect({ copies, underReplicatedBlocks }).toEqual({ copies: 4, underReplicatedBlocks: 1 });
  });

  it.each([
    [0, 10],
    [BLOCK - 5, 10],
    [BLOCK, BLOCK],
    [3 * BLOCK + 1, 2 * BLOCK],
    [6 * BLOCK + 90, 100],
    [7 * BLOCK, 1],
    [100, undefined],
  ])('reads from byte %i, %s bytes long', async (offset, length) => {
    const bytes = contents(6 * BLOCK + 100, 'range');
    await put('/range', bytes);
    const part = await read('/range', { offset, ...(length !== undefined && { length }) });
    const end = length === undefined ? bytes.byteLength : offset + length;
    expect(Buffer.compare(part, bytes.subarray(offset, end))).toBe(0);
  });

  it('lets one of two puts to one path win whole', async () => {
    const [one, two] = [contents(9 * BLOCK, 'one'), contents(9 * BLOCK, 'two')];
    await Promise.all([put('/race', one), put('/race', two)]);
    expect([hashOf(one), hashOf(two)]).toContain(hashOf(await read('/race')));
  });

  it('refuses a put where something is, when told to', async () => {
    await put('/there', contents(1));
    const refused = client.put('/there', contents(2), { ifAbsent: true });
    await expect(refused).rejects.toMatchObject({ code: 'NAMESPACE_EXISTS', kind: 'refused' });
    const { version } = await client.stat('/there');
    await client.put('/there', contents(3), { ifVersion: version });
    const stale = client.put('/there', contents(4), { ifVersion: version });
    await expect(stale).rejects.toMatchObject({ code: 'NAMESPACE_VERSION_MISMATCH' });
  });

  it('refuses a put onto a directory and a put below nothing', async () => {
    await client.mkdir('/directory');
    await expect(put('/directory', contents(1))).rejects.toMatchObject({ code: 'NAMESPACE_IS_A_DIRECTORY' });
    await expect(put('/no/where', contents(1))).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    await client.put('/with/parents', contents(1), { parents: true });
    expect((await client.stat('/with/parents')).sizeBytes).toBe(1);
  });

  it('refuses block sizes and ranges that make no sense before anything is sent', async () => {
    const tiny = client.put('/tiny', contents(1), { blockSizeBytes: 1 });
    await expect(tiny).rejects.toMatchObject({ code: 'CLIENT_INVALID_ARGUMENT' });
    const sizeBytes = MAX_FILE_BLOCKS * MIN_BLOCK_SIZE_BYTES + 1;
    const vast = client.put('/vast', contents(1), { blockSizeBytes: MIN_BLOCK_SIZE_BYTES, sizeBytes });
    await expect(vast).rejects.toMatchObject({ code: 'CLIENT_INVALID_ARGUMENT' });
    await expect(client.get('/range', { offset: -1 })).rejects.toMatchObject({
      code: 'CLIENT_INVALID_ARGUMENT',
    });
  });

  it('reports progress that never falls and ends at the whole', async () => {
    const bytes = contents(6 * BLOCK, 'progress');
    const seen: number[] = [];
    const onProgress = ({ doneBytes }: { doneBytes: number }): void => void seen.push(doneBytes);
    await client.put('/progress', bytes, { blockSizeBytes: BLOCK, onProgress });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(bytes.byteLength);
  });

  it('lists, walks, moves, copies and removes', async () => {
    await client.mkdir('/tree/a/b', { parents: true });
    await put('/tree/a/b/file', contents(100, 'tree'));
    await client.copy('/tree/a/b/file', '/tree/copy');
    await client.rename('/tree/a', '/tree/moved');
    const names: string[] = [];
    for await (const { name } of client.list('/tree')) names.push(name);
    expect(names).toEqual(['copy', 'moved']);
    const walked: string[] = [];
    for await (const { path } of client.walk('/tree')) walked.push(path);
    expect(walked).toEqual(['/tree', '/tree/copy', '/tree/moved', '/tree/moved/b', '/tree/moved/b/file']);
    expect(await client.usage('/tree')).toEqual({
      files: 2,
      directories: 3,
      logicalBytes: 200,
      wantedBytes: 600,
    });
    await expect(client.rmdir('/tree')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_EMPTY' });
    await client.removeTree('/tree');
    await expect(client.stat('/tree')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
  });

  it('asks a datanode what it holds, and for which file', async () => {
    const bytes = contents(50, 'held');
    await put('/held', bytes);
    const [holder] = cluster.holdersOf(hashOf(bytes));
    const held = [];
    for await (const block of client.blocksHere(holder?.peer ?? '')) held.push(block);
    expect(held.find(({ hash }) => toHex(hash) === hashOf(bytes))).toMatchObject({
      pathHint: '/held',
      position: 0,
      sizeBytes: 50,
    });
  });

  it('can do nothing more once closed', async () => {
    const closing = await cluster.client();
    await closing.stat('/');
    await closing.close();
    await expect(closing.stat('/')).rejects.toMatchObject({ code: 'CLIENT_CLOSED', kind: 'refused' });
  });
});
