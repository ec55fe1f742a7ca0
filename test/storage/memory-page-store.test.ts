/** @module MemoryPageStore against the suite. */
import { MemoryPageStore } from '../../src/storage/memory-page-store.ts';
import { PAGE_SIZE_BYTES } from '../../src/storage/page-store.ts';
import { pageStoreSuite } from './page-store.suite.ts';

pageStoreSuite('MemoryPageStore', async () => new MemoryPageStore({ maxBytes: 16 * PAGE_SIZE_BYTES }));
