/** @module Applying entries: what they are sure to look for is loaded before the first command runs. */
import { expect, it } from 'vitest';
import { decodeEntry } from '../../src/namespace/apply-batches.ts';
import { EntryApplier } from '../../src/namespace/entry-applier.ts';
import { EntryBoundary } from '../../src/namespace/entry-boundary.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import { MemberIndex } from '../../src/namespace/member-index.ts';
import { RowCache } from '../../src/namespace/row-cache.ts';
import { CommandBatch } from '../../src/namespace/schema.ts';
import { loadPinnedRows } from '../../src/namespace/whole-store.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { TableName } from '../../src/storage/row-store.ts';
import { block, command, FoundedMachine, outcome, START_MS } from './founded-machine.ts';

class CountingStore extends MemoryRowStore {
  blockReads: number[] = [];

  override getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (table === 'block') this.blockReads.push(keys.length);
    return super.getMany(table, keys);
  }
}

it('asks the store once for the blocks of all new files, and runs no command to find out which', async () => {
  const store = new CountingStore();
  const founded = await FoundedMachine.create(store);
  await founded.machine.flush();
  const cache = new RowCache(1024 * 1024);
  await loadPinnedRows(store, cache);
  const boundary = new EntryBoundary();
  const members = new MemberIndex(cache, boundary);
  const applier = new EntryApplier({ store, cache, boundary, members });
  const entries = ['a', 'b'].map((name, at) => {
    const commands = ['1', '2', '3'].map((file) => ({
      session: '',
      sequence: 0,
      ackedBelow: 0,
      command: command('createFile', {
        path: `/${name}${file}`,
        complete: true,
        blocks: [block(name + file)],
      }),
    }));
    const data = CommandBatch.encode({
      format: SUPPORTED_FEATURE_LEVEL,
      timeMs: START_MS,
      commands,
    }).finish();
    return decodeEntry({ index: founded.index + 1 + at, term: 1, data }, SUPPORTED_FEATURE_LEVEL);
  });

  store.blockReads = [];
  await applier.prepare(entries);
  expect(store.blockReads).toEqual([6]);
  const results = [...(await applier.apply(entries, 0)), ...(await applier.apply(entries, 1))];
  expect(results.map(outcome)).toEqual(Array.from({ length: 6 }, () => 'stat'));
  expect(store.blockReads).toEqual([6]);
});
