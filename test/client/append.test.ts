/** @module Append through a whole cluster: what readers see, who may, and what becomes of it when leaders and writers go. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { KIB } from '../../src/common/bytes.ts';
import { contents, gather, inChunks } from './bytes.ts';
import { FileCluster } from './file-cluster.ts';

const BLOCK = 64 * KIB;

describe('an append', () => {
  let cluster: FileCluster;
  let client: Client;
  beforeAll(async () => {
    cluster = await FileCluster.start(3, 3);
    client = await cluster.client();
  });
  afterAll(() => cluster.stop());

  const read = async (path: string, range = {}): Promise<Buffer> =>
    Buffer.from(await gather((await client.get(path, range)).bytes));
  const put = (path: string, bytes: Uint8Array): Promise<unknown> =>
    client.put(path, bytes, { blockSizeBytes: BLOCK });

  it('adds bytes of any size, and reads of any range find them', async () => {
    const sizes = [0, BLOCK - 65, 7 * BLOCK + 3, 40_000, 20_000, 10_000, 2_000, 2_000];
    let all = contents(BLOCK + 70, 'start');
    await put('/f', all);
    for (const [position, sizeBytes] of sizes.entries()) {
      const more = contents(sizeBytes, `more ${position}`);
      const { stat } = await client.append('/f', position % 2 === 0 ? more : inChunks(more, 1_000));
      all = Buffer.concat([all, more]);
      expect(stat.sizeBytes).toBe(all.length);
      expect(Buffer.compare(await read('/f'), all)).toBe(0);
      for (const offset of [BLOCK - 1, all.length - 3_000, all.length - 70_000, all.length - 1])
        if (offset >= 0)
          expect(
            Buffer.compare(await read('/f', { offset, length: 900 }), all.subarray(offset, offset + 900)),
          ).toBe(0);
    }
  });

  it('of a little does not write the last block again', async () => {
    const before = contents(2 * BLOCK - 100, 'large');
    await put('/little', before);
    const known = (await client.locate('/little')).blocks.map(({ hash }) =>
      Buffer.from(hash).toString('hex'),
    );
    await client.append('/little', contents(10, 'a'));
    const progress: object[] = [];
    await client.append('/little', contents(10, 'b'), {
      sizeBytes: 10,
      onProgress: (now) => progress.push(now),
    });
    expect(progress).toEqual([{ doneBytes: 10, totalBytes: 10 }]);
    const { blocks, stat } = await client.locate('/little');
    expect(blocks.map(({ sizeBytes }) => sizeBytes)).toEqual([BLOCK, BLOCK - 100, 20]);
    expect(blocks.slice(0, 2).map(({ hash }) => Buffer.from(hash).toString('hex'))).toEqual(known);
    expect(stat.tailBlocks).toBe(2);
    const copied = client.copy('/little', '/little-copy');
    await copied;
    const tail = await read('/little-copy', { offset: stat.sizeBytes - 15 });
    expect(Buffer.compare(tail, (await read('/little')).subarray(-15))).toBe(0);
  });

  it('makes the file where there is none, but not when a version was named', async () => {
    await client.append('/new/file', Buffer.from('one'), { parents: true });
    expect((await read('/new/file')).toString()).toBe('one');
    await expect(client.append('/none', Buffer.from('x'), { ifVersion: 3 })).rejects.toMatchObject({
      code: 'NAMESPACE_NOT_FOUND',
    });
    const { version } = await client.stat('/new/file');
    await client.append('/new/file', Buffer.from(' two'), { ifVersion: version });
    await expect(
      client.append('/new/file', Buffer.from('three'), { ifVersion: version }),
    ).rejects.toMatchObject({ code: 'NAMESPACE_VERSION_MISMATCH' });
    expect((await read('/new/file')).toString()).toBe('one two');
  });

  it('by two at once is refused to the second, and nothing of it is seen before its end', async () => {
    await put('/shared', Buffer.from('base'));
    const { first, released, started } = heldSource('slow');
    const slow = client.append('/shared', first);
    await started;
    await expect((await cluster.client()).append('/shared', Buffer.from('fast'))).rejects.toMatchObject({
      code: 'NAMESPACE_LEASE_HELD',
      kind: 'refused',
    });
    expect((await read('/shared')).toString()).toBe('base');
    released();
    await slow;
    await client.append('/shared', Buffer.from('fast'));
    expect((await read('/shared')).toString()).toBe('baseslowfast');
  });

  it('of twenty at once ends with every one whole, in some order', async () => {
    await put('/many', Buffer.from(''));
    const clients = await Promise.all(Array.from({ length: 4 }, () => cluster.client()));
    const pieces = Array.from({ length: 20 }, (_, count) => `<${String(count).padStart(2, '0')}>`);
    await Promise.all(
      pieces.map(async (piece, position) => {
        for (;;) {
          try {
            await clients[position % clients.length]?.append('/many', Buffer.from(piece));
            return;
          } catch (error) {
            expect(error).toMatchObject({ code: 'NAMESPACE_LEASE_HELD' });
          }
        }
      }),
    );
    const found = (await read('/many')).toString();
    expect(found.match(/<\d\d>/g)?.toSorted()).toEqual(pieces);
    expect(found).toHaveLength(80);
  });

  it('given up in the middle leaves the file as it was, for the next one', async () => {
    await put('/given-up', Buffer.from('base'));
    const stopping = new AbortController();
    const { first, started } = heldSource('never');
    const append = client.append('/given-up', first, { signal: stopping.signal });
    await started;
    stopping.abort(new Error('enough'));
    await expect(append).rejects.toThrow('enough');
    await client.append('/given-up', Buffer.from('+'));
    expect((await read('/given-up')).toString()).toBe('base+');
  });

  it('and a put survive the death of the leader in their middle', async () => {
    const before = contents(BLOCK + 10, 'before');
    await put('/survivor', before);
    const [appended, created] = [heldSource('x'.repeat(6 * BLOCK)), heldSource('y'.repeat(6 * BLOCK))];
    const append = client.append('/survivor', appended.first);
    const creation = client.put('/created', created.first, { blockSizeBytes: BLOCK });
    await Promise.all([appended.started, created.started]);
    const leader = await cluster.metadata.leader();
    await cluster.metadata.kill(leader.number);
    appended.released();
    created.released();
    await Promise.all([append, creation]);
    const all = await read('/survivor');
    expect(all).toHaveLength(before.length + 6 * BLOCK);
    expect(Buffer.compare(all.subarray(0, before.length), before)).toBe(0);
    expect((await client.stat('/created')).sizeBytes).toBe(6 * BLOCK);
    await cluster.metadata.restart(leader.number);
  });
});

/** A source that gives `text` and ends once it is released; `started` says that somebody reads it. */
function heldSource(text: string): {
  first: AsyncIterable<Uint8Array>;
  started: Promise<void>;
  released: () => void;
} {
  const held = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
    started.resolve();
    await held.promise;
  }
  return { first: bytes(), started: started.promise, released: held.resolve };
}
