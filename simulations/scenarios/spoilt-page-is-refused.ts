/** @module H07: pages of the location index that are not what was written are refused, whoever reads them. */
import { ok, rejects } from 'node:assert/strict';
import { MemoryPageStore } from '../../src/storage/memory-page-store.ts';
import { PAGE_SIZE_BYTES } from '../../src/storage/page-store.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim:
    'a page of location records with one bit turned over is read as an error, and its neighbour as it was',
  async run() {
    await using store = new MemoryPageStore();
    const run = await store.write(new Uint8Array(2 * PAGE_SIZE_BYTES).fill(7));
    const [pages] = store.contents;
    ok(pages !== undefined);
    pages[PAGE_SIZE_BYTES + 100] = 6;
    await rejects(store.read(run, 0, 2), { code: 'STORAGE_CORRUPT_PAGE' });
    const [whole, spoilt] = await store.readEach([
      { run, page: 0 },
      { run, page: 1 },
    ]);
    ok(whole instanceof Uint8Array);
    ok(spoilt instanceof Error);
  },
};
