/** @module Files in and out while nodes die, disks rot and fill, and people give up. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KIB, MIB } from '../../src/common/bytes.ts';
import { BlockIndexer } from '../../src/datanode/block-indexer.ts';
import { MemoryBlockStore } from '../../src/storage/memory-block-store.ts';
import { contents, gather, hashOf, inChunks } from './bytes.ts';
import { FileCluster } from './file-cluster.ts';

const CHUNK = 32 * KIB;

/** Serves every block with its first byte changed, as a disk might that rots together with its checksums. */
class LyingStore extends MemoryBlockStore {
  override async *read(...range: Parameters<MemoryBlockStore['read']>): AsyncGenerator<Uint8Array> {
    let isFirst = true;
    for await (const chunk of super.read(...range)) {
      if (isFirst) chunk[0] = (chunk[0] ?? 0) ^ 1;
      isFirst = false;
      yield chunk;
    }
  }
}

/** Yields all of `bytes`; calls `happen` once, after half of them. */
async function* withTrouble(bytes: Uint8Array, happen: () => Promise<void>): AsyncGenerator<Uint8Array> {
  const half = Math.floor(bytes.byteLength / 2);
  yield* inChunks(bytes.subarray(0, half), CHUNK);
  await happen();
  yield* inChunks(bytes.subarray(half), CHUNK);
}

/** Blocks of the first size travel together, those of the second along a chain of datanodes each. */
describe.each([64, 128])('a client in trouble, with blocks of %i KiB', (sizeKib) => {
  const BLOCK = sizeKib * KIB;
  let cluster: FileCluster;
  afterEach(async () => {
    vi.restoreAllMocks();
    await cluster.stop();
  });

  it('replaces a datanode that dies during a put, and every block has its copies', async () => {
    cluster = await FileCluster.start(1, 4);
    const client = await cluster.client();
    const bytes = contents(24 * BLOCK, 'death');
    const source = withTrouble(bytes, async () => cluster.killDataNode(cluster.datanodes[1] as never));
    const { stat, ...result } = await client.put('/death', source, { blockSizeBytes: BLOCK });
    expect(stat.sizeBytes).toBe(bytes.byteLength);
    expect(result).toEqual({ copies: 3, underReplicatedBlocks: 0 });
    expect(hashOf(await gather((await client.get('/death')).bytes))).toBe(hashOf(bytes));
    for (let at = 20 * BLOCK; at < bytes.byteLength; at += BLOCK)
      expect(cluster.holdersOf(hashOf(bytes.subarray(at, at + BLOCK)))).toHaveLength(3);
  });

  it('goes on through the death of the metadata leader during a put', async () => {
    cluster = await FileCluster.start(3, 3);
    const client = await cluster.client();
    const bytes = contents(80 * BLOCK, 'leader');
    const source = withTrouble(bytes, async () => {
      await cluster.metadata.kill((await cluster.metadata.leader()).number);
    });
    await client.put('/leader', source, { blockSizeBytes: BLOCK });
    expect(hashOf(await gather((await client.get('/leader')).bytes))).toBe(hashOf(bytes));
  });

  it('goes on writing when it reconnects within its lease, to the file it began', async () => {
    cluster = await FileCluster.start(1, 3);
    const [network, witness] = [await cluster.metadata.client(), await cluster.client()];
    const client = await cluster.client('elsewhere', { network });
    const peers = [...cluster.metadata.nodes.values(), ...cluster.datanodes].map(({ peer }) => peer);
    const leases = async (): Promise<number | undefined> => (await witness.status()).counters?.leases;
    const bytes = contents(160 * BLOCK, 'lease');
    const source = withTrouble(bytes, async () => {
      for (const peer of peers) cluster.metadata.switch.cut(network.localPeer, peer);
      const asked = client.stat('/', { signal: AbortSignal.timeout(300) });
      await expect(asked).rejects.toThrow();
      expect(await leases()).toBe(1);
      for (const peer of peers) cluster.metadata.switch.heal(network.localPeer, peer);
    });
    await client.put('/lease', source, { blockSizeBytes: BLOCK, sizeBytes: bytes.byteLength });
    expect(hashOf(await gather((await client.get('/lease')).bytes))).toBe(hashOf(bytes));
    expect(await leases()).toBe(0);
  });

  it('reads around rotten copies, which are served no more', async () => {
    cluster = await FileCluster.start(1, 3);
    const client = await cluster.client();
    const bytes = contents(BLOCK, 'rot');
    await client.put('/rot', bytes);
    const holders = cluster.holdersOf(hashOf(bytes));
    expect(holders).toHaveLength(3);
    const [good, ...rotten] = holders;
    for (const { blocks } of rotten) blocks.corrupt(hashOf(bytes), 1000);
    // The order is by lot: after enough reads both rotten copies have been met.
    for (let turn = 0; turn < 20; turn += 1)
      expect(hashOf(await gather((await client.get('/rot')).bytes))).toBe(hashOf(bytes));
    expect(cluster.holdersOf(hashOf(bytes)).map(({ number }) => number)).toEqual([good?.number]);
    expect((await client.locate('/rot')).blocks[0]?.nodes).toEqual([good?.number]);
  });

  it('believes no datanode: bytes with another hash are reported and read elsewhere', async () => {
    cluster = await FileCluster.start(1, 1);
    const liar = await cluster.addDataNode(new LyingStore());
    await cluster.untilRegistered(2);
    // On the liar's machine, so that it is asked first.
    const client = await cluster.client('host-1');
    const bytes = contents(BLOCK, 'lie');
    await client.put('/lie', bytes);
    expect(hashOf(await gather((await client.get('/lie')).bytes))).toBe(hashOf(bytes));
    const { bytes: part } = await client.get('/lie', { offset: 10, length: 10 });
    expect(hashOf(await gather(part))).toBe(hashOf(bytes.subarray(10, 20)));
    const { blocks } = await client.locate('/lie');
    expect(blocks[0]?.nodes).not.toContain(liar.number);
  });

  it('reads on from another copy when a datanode dies during a get', async () => {
    cluster = await FileCluster.start(1, 3);
    const client = await cluster.client();
    const bytes = contents(60 * BLOCK, 'get');
    await client.put('/get', bytes, { blockSizeBytes: BLOCK });
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await client.get('/get')).bytes) {
      if (chunks.length === 4) await cluster.killDataNode(cluster.datanodes[0] as never);
      chunks.push(chunk);
    }
    expect(hashOf(Buffer.concat(chunks))).toBe(hashOf(bytes));
  });

  it('leaves nothing visible when a put is aborted', async () => {
    cluster = await FileCluster.start(1, 3);
    const client = await cluster.client();
    await client.put('/kept', contents(10, 'before'));
    const abort = new AbortController();
    const source = withTrouble(contents(40 * BLOCK, 'aborted'), async () => abort.abort(new Error('ctrl-C')));
    const options = { blockSizeBytes: BLOCK, signal: abort.signal };
    await expect(client.put('/kept', source, options)).rejects.toThrow('ctrl-C');
    expect(hashOf(await gather((await client.get('/kept')).bytes))).toBe(hashOf(contents(10, 'before')));
    // Abandoned at once, not only when its lease ends.
    const { counters } = await client.status();
    expect(counters?.leases).toBe(0);
  });

  it('leaves nothing visible when the source fails', async () => {
    cluster = await FileCluster.start(1, 3);
    const client = await cluster.client();
    const source = withTrouble(contents(9 * BLOCK), () => Promise.reject(new Error('disk unplugged')));
    await expect(client.put('/source', source, { blockSizeBytes: BLOCK })).rejects.toThrow('disk unplugged');
    await expect(client.stat('/source')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
  });

  it('puts blocks elsewhere when a datanode is full', async () => {
    cluster = await FileCluster.start(1, 3);
    const full = new MemoryBlockStore({ capacityBytes: 3 * BLOCK });
    await cluster.addDataNode(full);
    await cluster.untilRegistered(4);
    const client = await cluster.client('host-3');
    const bytes = contents(30 * BLOCK, 'full');
    const { copies } = await client.put('/full', bytes, { blockSizeBytes: BLOCK });
    expect(copies).toBe(3);
    expect(hashOf(await gather((await client.get('/full')).bytes))).toBe(hashOf(bytes));
  });

  it('counts no copy that the index was not told of', async () => {
    cluster = await FileCluster.start(1, 3);
    const client = await cluster.client();
    // Whoever is the first to have a block stores it, and nobody takes note of that in time.
    const { announce } = BlockIndexer.prototype;
    const asked = new Set<BlockIndexer>();
    vi.spyOn(BlockIndexer.prototype, 'announce').mockImplementation(async function (
      this: BlockIndexer,
      ...hashes
    ) {
      const [unheard] = asked.add(this);
      return this !== unheard && announce.apply(this, hashes);
    });
    const bytes = contents(BLOCK, 'unheard');
    const put = await client.put('/unheard', bytes);
    expect(cluster.holdersOf(hashOf(bytes))).toHaveLength(3);
    // It is there already; and another client has not met with that datanode yet.
    const again = await (await cluster.client()).put('/again', bytes);
    for (const { copies, underReplicatedBlocks } of [put, again])
      expect([copies, underReplicatedBlocks]).toEqual([2, 1]);
  });

  it('is content with two copies of three, and refuses fewer than two', async () => {
    cluster = await FileCluster.start(1, 2);
    const client = await cluster.client();
    const put = await client.put('/two', contents(BLOCK, 'two'));
    expect(put).toMatchObject({ copies: 2, underReplicatedBlocks: 1 });
    await cluster.killDataNode(cluster.datanodes[0] as never);
    const refused = client.put('/one', contents(BLOCK, 'one'));
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(client.stat('/one')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
  });

  it('waits for as many copies as it is told to, and says how many are missing', async () => {
    cluster = await FileCluster.start(1, 4);
    const client = await cluster.client();
    const put = async (ack: 'all' | 'quorum' | 'one'): Promise<readonly number[]> => {
      const { copies, underReplicatedBlocks } = await client.put(`/${ack}`, contents(2 * BLOCK, ack), {
        ack,
      });
      const { blocks } = await client.locate(`/${ack}`);
      return [copies, underReplicatedBlocks, ...blocks.map(({ nodes }) => nodes.length)];
    };
    expect(await put('one')).toEqual([1, 1, 1]);
    expect(await put('quorum')).toEqual([2, 1, 2]);
    expect(await put('all')).toEqual([3, 0, 3]);
  });

  it('is content with one copy where there is one datanode', async () => {
    cluster = await FileCluster.start(1, 1);
    const client = await cluster.client();
    const put = await client.put('/single', contents(BLOCK, 'single'));
    expect(put).toMatchObject({ copies: 1, underReplicatedBlocks: 1 });
  });

  it('says so when a file is replaced under a reader, or reads the old one to its end', async () => {
    cluster = await FileCluster.start(1, 3);
    const client = await cluster.client();
    const [before, after] = [contents(20 * MIB, 'before'), contents(20 * MIB, 'after')];
    await client.put('/replaced', before, { blockSizeBytes: BLOCK, replication: 1 });
    const { bytes } = await client.get('/replaced');
    await client.put('/replaced', after, { blockSizeBytes: BLOCK, replication: 1 });
    const outcome = await gather(bytes).then(hashOf, (error: { code?: string }) => error.code);
    expect([hashOf(before), 'CLIENT_FILE_CHANGED']).toContain(outcome);
  });
});
