/** @module One block along a chain of datanodes, and what each of them answers. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromHex, KIB } from '../../src/common/bytes.ts';
import { systemClock } from '../../src/common/clock.ts';
import type { Network } from '../../src/network/network.ts';
import { BlockPush } from '../../src/protocol/block-push.ts';
import { BlockReadHeader, type CopyOutcome, type Holder } from '../../src/protocol/messages.ts';
import { BLOCK_READ_CHANNEL } from '../../src/protocol/methods.ts';
import { MemoryBlockStore } from '../../src/storage/memory-block-store.ts';
import { contents, gather, hashOf, inChunks } from '../client/bytes.ts';
import { FileCluster, type RunningDataNode } from '../client/file-cluster.ts';

describe('a chain of datanodes', () => {
  let cluster: FileCluster;
  let network: Network;
  let chain: readonly RunningDataNode[];
  /** Other bytes in each test, so that the tests can share a cluster. */
  let bytes: Uint8Array;
  let hash: string;

  beforeAll(async () => {
    cluster = await FileCluster.start(1, 3);
    network = await cluster.metadata.client();
    chain = [...cluster.datanodes];
  });
  beforeEach(({ task }) => {
    bytes = contents(700 * KIB, task.name);
    hash = hashOf(bytes);
  });
  afterAll(() => cluster.stop());

  function push(nodes: readonly RunningDataNode[], overrides = {}, signal?: AbortSignal): BlockPush {
    const [target, ...rest] = nodes.map(holderOf) as [Holder, ...Holder[]];
    const origin = { fileId: 7, pathHint: '/pushed', position: 3 };
    const named = { hash: fromHex(hash), sizeBytes: bytes.byteLength, write: undefined, also: [] };
    const header = { ...named, ...origin, chain: rest, ...overrides };
    return new BlockPush({ network, clock: systemClock }, { target, header, signal });
  }

  async function send(nodes: readonly RunningDataNode[], overrides = {}): Promise<readonly CopyOutcome[]> {
    const sending = push(nodes, overrides);
    for await (const chunk of inChunks(bytes, 100 * KIB)) await sending.write(chunk);
    return sending.finish();
  }

  it('leaves a durable, announced copy on each', async () => {
    const outcomes = await send(chain);
    expect(outcomes.map(summary)).toEqual(chain.map(({ number }) => `${number} ok announced`));
    for (const { blocks } of chain) {
      expect(await blocks.verify(hash)).toBe(true);
      expect(await blocks.origin(hash)).toEqual({ fileId: 7, pathHint: '/pushed', position: 3 });
    }
  });

  it('answers "existed" for a block that is held, once its bytes are verified', async () => {
    await send(chain.slice(0, 1));
    const outcomes = await send(chain.slice(0, 2));
    expect(outcomes.map(({ ok, existed }) => [ok, existed])).toEqual([
      [true, true],
      [true, false],
    ]);
  });

  it('writes a block anew whose copy here is rotten, instead of acknowledging what is there', async () => {
    const [first] = chain as [RunningDataNode];
    await send([first]);
    first.blocks.corrupt(hash, 70_000);
    const outcomes = await send([first]);
    expect(outcomes).toMatchObject([{ ok: true, announced: true, existed: false }]);
    expect(await first.blocks.verify(hash)).toBe(true);
    expect(await send([first])).toMatchObject([{ ok: true, existed: true }]);
  });

  it('acknowledges nothing when the held copy is taken out of service while the block is being sent', async () => {
    const [first] = chain as [RunningDataNode];
    await send([first]);
    let verified = 0;
    const verify = vi.spyOn(first.blocks, 'verify').mockImplementation(async () => {
      verified += 1;
      return true;
    });
    const sending = push([first]);
    await sending.write(bytes.subarray(0, 300 * KIB));
    await cluster.metadata.until('the copy was looked at', () => verified === 1);
    // Once around, for the reader that now compares.
    await new Promise((resolve) => setImmediate(resolve));
    verify.mockRestore();
    await first.blocks.quarantine(hash, { reason: 'corrupt', era: 0, index: 0, sinceMs: 0 });
    await sending.write(bytes.subarray(300 * KIB));
    expect((await sending.finish()).map(summary)).toEqual([`${first.number} DATANODE_COPY_TAKEN_OUT`]);
  });

  it('refuses other bytes under the name of a held block, and keeps the good ones', async () => {
    await send(chain.slice(0, 1));
    const sending = push(chain.slice(0, 1));
    await sending.write(contents(bytes.byteLength, 'forged'));
    expect((await sending.finish()).map(summary)).toEqual([`${chain[0]?.number} STORAGE_HASH_MISMATCH`]);
    expect(await chain[0]?.blocks.verify(hash)).toBe(true);
  });

  it('keeps nothing of bytes that do not match their hash, on any node', async () => {
    const sending = push(chain);
    await sending.write(contents(bytes.byteLength, 'forged'));
    const outcomes = await sending.finish();
    expect(outcomes.map(summary)).toEqual(chain.map(({ number }) => `${number} STORAGE_HASH_MISMATCH`));
    expect(cluster.holdersOf(hash)).toEqual([]);
  });

  it('passes the bytes on through a node that has no room for them', async () => {
    const full = await cluster.addDataNode(new MemoryBlockStore({ capacityBytes: 10 }));
    const outcomes = await send([full, ...chain.slice(0, 1)]);
    expect(outcomes.map(summary)).toEqual([
      `${full.number} STORAGE_FULL`,
      `${chain[0]?.number} ok announced`,
    ]);
  });

  it('keeps nothing when the sender gives up', async () => {
    const abort = new AbortController();
    const sending = push(chain, {}, abort.signal);
    await sending.write(bytes);
    abort.abort(new Error('given up'));
    await expect(sending.finish()).rejects.toThrow('given up');
    const probe = await send(chain.slice(0, 1), { hash: fromHex(hashOf(bytes)) });
    // The probe ran after the abort on the same streams; had the first push been kept, this copy would have existed.
    expect(probe.map(({ existed }) => existed)).toEqual([false]);
    expect(cluster.holdersOf(hash)).toEqual([chain[0]]);
  });

  it('refuses more bytes than were announced', async () => {
    const sending = push(chain.slice(0, 1), { sizeBytes: 10 });
    const failure = (async () => {
      await sending.write(bytes);
      await sending.finish();
    })();
    await expect(failure).rejects.toMatchObject({ code: 'DATANODE_TOO_MANY_BYTES' });
  });

  it('refuses a chain that comes back to itself', async () => {
    const [first] = chain as [RunningDataNode];
    const failure = push([first], { chain: [holderOf(first)] }).finish();
    await expect(failure).rejects.toMatchObject({ code: 'DATANODE_BAD_HEADER' });
  });

  it.each([
    [0, 0],
    [1, 100],
    [64 * KIB, 64 * KIB],
    [699 * KIB, KIB],
  ])('serves a range of a block: %i, %i', async (offset, length) => {
    await send(chain.slice(0, 1));
    const header = BlockReadHeader.encode({ hash: fromHex(hash), offset, length }).finish();
    const channel = await network.open(chain[0]?.peer ?? '', BLOCK_READ_CHANNEL, header);
    const got = await gather(channel);
    expect(hashOf(got)).toBe(hashOf(bytes.subarray(offset, length === 0 ? undefined : offset + length)));
  });

  it('has nothing to serve of a block it does not hold', async () => {
    const header = BlockReadHeader.encode({ hash: fromHex(hash), offset: 0, length: 0 }).finish();
    const channel = await network.open(chain[0]?.peer ?? '', BLOCK_READ_CHANNEL, header);
    await expect(gather(channel)).rejects.toMatchObject({ code: 'STORAGE_NO_BLOCK' });
  });

  // Last: it leaves the cluster a node short.
  it('keeps the copies before a node that dies in the middle of a block', async () => {
    const sending = push(chain);
    await sending.write(bytes.subarray(0, 300 * KIB));
    await cluster.killDataNode(chain[1] as RunningDataNode);
    await sending.write(bytes.subarray(300 * KIB));
    const [first, second, third] = await sending.finish();
    expect(first && summary(first)).toBe(`${chain[0]?.number} ok announced`);
    expect(second).toMatchObject({ ok: false, code: expect.stringMatching(/^NETWORK_/) });
    expect(third).toMatchObject({ ok: false, code: 'PROTOCOL_CHAIN_BROKEN' });
    expect(cluster.holdersOf(hash)).toEqual([chain[0]]);
  });
});

function holderOf({ number, peer }: RunningDataNode): Holder {
  return { node: number, peer, addresses: [], name: '', host: '', alive: true };
}

function summary({ node, ok, announced, code }: CopyOutcome): string {
  return ok ? `${node} ok${announced ? ' announced' : ''}` : `${node} ${code}`;
}
