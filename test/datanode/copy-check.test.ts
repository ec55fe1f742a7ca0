/** @module A copy that could not be looked at is not a bad one. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { checkCopy } from '../../src/datanode/copy-check.ts';
import { outOfHandles, storageFailed } from '../../src/storage/errors.ts';
import { MemoryBlockStore } from '../../src/storage/memory-block-store.ts';
import { patterned, put } from '../storage/block-store.suite.ts';

describe('a copy that is looked at', () => {
  it.each([
    { when: 'nothing hinders', error: undefined, withdrawn: false },
    {
      when: 'too many files are open',
      error: outOfHandles('read', '/disk', new Error('EMFILE')),
      withdrawn: false,
    },
    { when: 'the disk fails', error: storageFailed('read', '/disk', new Error('ENXIO')), withdrawn: true },
  ])('when $when: the index is told that it is gone? $withdrawn', async ({ error, withdrawn }) => {
    const blocks = new MemoryBlockStore();
    const { hash } = await put(blocks, patterned(1000));
    if (error !== undefined) blocks.verify = () => Promise.reject(error);
    const told: string[] = [];
    const indexer = { withdraw: (gone: string) => void told.push(gone) };
    const checking = checkCopy({ blocks, indexer, clock: systemClock, logger: silentLogger }, hash);
    await (error === undefined ? checking : expect(checking).rejects.toBe(error));
    expect(told).toEqual(withdrawn ? [hash] : []);
    expect(blocks.has(hash)).toBe(true);
  });
});
