/** @module S25: the log may drop only what is durable in the rows, which are written behind (redisraft#43). */
import { equal } from 'node:assert/strict';
import { silentLogger } from '../../src/common/logger.ts';
import { LogCompactor } from '../../src/metadata/log-compactor.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { MemoryRaftLog } from '../../src/storage/memory-raft-log.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { EMPTY_CONF_STATE } from '../../raft/memory-storage.ts';
import { logOf } from '../manual-raft.ts';

const ENTRIES = 20;
const DURABLE = 12;

export const scenario: BugScenario = {
  claim: 'a compacted log begins no later than behind what a restart finds applied',
  async run() {
    const log = new MemoryRaftLog();
    const entries = logOf(...Array.from({ length: ENTRIES }, () => 1));
    await log.bootstrap({ ...EMPTY_CONF_STATE, voters: [1] }, { term: 1, vote: 0, commit: ENTRIES }, entries);
    const machine = await StateMachine.open({ store: new MemoryRowStore() });
    await machine.apply(entries.slice(0, DURABLE));
    await machine.flush();
    await machine.apply(entries.slice(DURABLE));
    const compactor = new LogCompactor(
      { log, machine, snapshots: { heldIndex: undefined }, logger: silentLogger },
      { maxLogEntries: 5, trailingEntries: 0 },
    );
    while ((await compactor.work()) === 'busy');
    equal(machine.appliedIndex, ENTRIES);
    equal(log.firstIndex(), DURABLE + 1);
  },
};
