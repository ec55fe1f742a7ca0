/** @module Group commit. */
import { expect, it } from 'vitest';
import { GroupCommit } from '../../src/storage/group-commit.ts';

it('writes what arrives meanwhile in one batch, in order, up to the limit', async () => {
  const batches: number[][] = [];
  const commits = new GroupCommit<number>(async (items) => void batches.push([...items]), {
    path: 'x',
    maxItems: 3,
  });
  await Promise.all([1, 2, 3, 4, 5].map((item) => commits.add(item)));
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
});

it('rejects every item of a failed batch, and goes on with the next', async () => {
  const commits = new GroupCommit<string>(
    async (items) => {
      if (items.includes('bad')) throw new Error('no');
    },
    { path: 'x', maxItems: 2 },
  );
  const results = await Promise.allSettled(['good', 'bad', 'later'].map((item) => commits.add(item)));
  expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  await commits.idle();
});

it('refuses with STORAGE_BUSY beyond its bound instead of growing', async () => {
  const gate = Promise.withResolvers<void>();
  const commits = new GroupCommit<number>(() => gate.promise, { path: 'x', maxItems: 1024 });
  const waiting = Array.from({ length: 65_536 }, (_, item) => commits.add(item));
  await expect(commits.add(0)).rejects.toMatchObject({ code: 'STORAGE_BUSY', kind: 'unavailable' });
  gate.resolve();
  await Promise.all(waiting);
});
