/** @module MemoryBlockStore against the suite. */
import { expect, it } from 'vitest';
import { MemoryBlockStore } from '../../src/storage/memory-block-store.ts';
import { blockStoreSuite, patterned, put, readAll } from './block-store.suite.ts';

blockStoreSuite('MemoryBlockStore', async (_directory, options) => new MemoryBlockStore(options));

it('notices a bit that a test has flipped', async () => {
  const store = new MemoryBlockStore();
  const { hash } = await put(store, patterned(1000));
  store.corrupt(hash, 10);
  await expect(readAll(store, hash)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_BLOCK' });
  expect(await store.verify(hash)).toBe(false);
});
