/** @module The location index takes no more memory than it was given, and what does not fit goes to disk. */
import { expect, it } from 'vitest';
import { packHashes } from '../../dht/packed-hashes.ts';
import { call } from '../../src/network/method.ts';
import { ANNOUNCE, INDEX_STATUS, LOOKUP } from '../../src/protocol/methods.ts';
import { MemoryPageStore } from '../../src/storage/memory-page-store.ts';
import { hashOf } from '../dht/index-world.ts';
import { type ClusterNodeOptions, TestCluster } from './cluster.ts';

const HASHES: readonly string[] = Array.from({ length: 20 }, (_, at) => hashOf(`${at}`));
const NOTHING = new Uint8Array(0);

/** One metadata node, and a datanode that announces HASHES as often as it is asked to. */
async function announcing(options: ClusterNodeOptions) {
  const cluster = await TestCluster.start(1, options);
  const datanode = await cluster.newPeer();
  const node = (await cluster.join(datanode, ['data'])).member?.number ?? 0;
  const { peer } = cluster.any();
  let sequence = 0;
  return {
    announce: async (): Promise<number> => {
      const batch = { node, generation: 1, sequence: ++sequence, removed: NOTHING, whole: [], epoch: 0 };
      return (await call(datanode, peer, ANNOUNCE, { ...batch, added: packHashes(HASHES) })).taken;
    },
    lookup: () => call(datanode, peer, LOOKUP, { hashes: packHashes(HASHES), epoch: 0 }),
    status: () => call(datanode, peer, INDEX_STATUS, {}),
    [Symbol.asyncDispose]: () => cluster.stop(),
  };
}

it('takes as many copies of blocks as fit, and says of the others that it has not', async () => {
  await using index = await announcing({ indexMemoryBytes: 8 * 80 });
  // One datanode alone gets half of the room.
  expect(await index.announce()).toBe(4);
});

it('takes what does not fit on disk, and finds it there', async () => {
  const locationPages = new MemoryPageStore();
  const bounds = { indexMemoryBytes: 8 * 80, indexMinShardBytes: 0, indexDiskBytes: 1e6 };
  await using index = await announcing({ ...bounds, locationPages });
  expect(await index.announce()).toBe(HASHES.length);
  await expect.poll(async () => (await index.status()).shardsOnDisk).toBeGreaterThan(10);
  expect((await index.lookup()).counts).toEqual(HASHES.map(() => 1));
  expect((await index.status()).bytesOnDisk).toBe(locationPages.usedBytes);
});

it('forgets what it cannot read, and learns it anew', async () => {
  const locationPages = new MemoryPageStore();
  const bounds = { indexMemoryBytes: 0, indexMinShardBytes: 0, indexDiskBytes: 1e6 };
  await using index = await announcing({ ...bounds, locationPages });
  await index.announce();
  await expect.poll(async () => (await index.status()).shardsOnDisk).toBe(HASHES.length);
  for (const run of locationPages.contents) run[9] = (run[9] ?? 0) ^ 1;
  expect((await index.lookup()).counts).toEqual(HASHES.map(() => 0));
  expect((await index.status()).records).toBe(0);
  expect(await index.announce()).toBe(HASHES.length);
  expect((await index.lookup()).counts).toEqual(HASHES.map(() => 1));
});
