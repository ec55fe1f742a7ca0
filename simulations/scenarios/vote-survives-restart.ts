/** @module S02: a vote that a restart forgets is given twice in one term (eliben/raft#27, akka-raft#47). */
import { deepEqual } from 'node:assert/strict';
import { CoreStorage } from '../../src/metadata/core-storage.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { MemoryRaftLog } from '../../src/storage/memory-raft-log.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'the core of a node that starts again knows its term and whom it voted for in it',
  async run() {
    const log = new MemoryRaftLog();
    const hardState = { term: 7, vote: 3, commit: 0 };
    await log.append({ hardState, entries: [], mustSync: true });
    const machine = await StateMachine.open({ store: new MemoryRowStore() });
    deepEqual(new CoreStorage(log, machine, log).initialState().hardState, hardState);
  },
};
