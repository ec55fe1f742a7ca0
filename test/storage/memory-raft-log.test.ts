/** @module MemoryRaftLog against the suite. */
import { MemoryRaftLog } from '../../src/storage/memory-raft-log.ts';
import { raftLogStoreSuite } from './raft-log-store.suite.ts';

raftLogStoreSuite('MemoryRaftLog', async () => new MemoryRaftLog());
