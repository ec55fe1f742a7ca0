/** @module S25: the log begins behind the state that a restart finds (redisraft#43). */
import { equal, throws } from 'node:assert/strict';
import { MemoryStorage } from '../../raft/memory-storage.ts';
import { ManualNode, bytes, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a log that begins behind what is applied is refused at the start, not filled with a gap',
  run() {
    const storage = new MemoryStorage();
    storage.append(logOf(1, 1, 1, 1));
    storage.setHardState({ term: 1, vote: 0, commit: 4 });
    const voters = [1, 2, 3];
    storage.createSnapshot(3, new ManualNode({ id: 1, voters }).raw.status().confState, bytes(''));
    storage.compact(3);
    const start = { id: 1, voters, storage } as const;
    throws(() => new ManualNode({ ...start, config: { applied: 1 } }), { code: 'RAFT_INVALID_CONFIG' });
    equal(new ManualNode({ ...start, config: { applied: 3 } }).raw.status().applied, 3);
  },
};
