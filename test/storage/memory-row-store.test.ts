/** @module MemoryRowStore against the suite. */
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import { rowStoreSuite } from './row-store.suite.ts';

rowStoreSuite('MemoryRowStore', async () => new MemoryRowStore());
