/** @module S32: a leader cannot read its own log (openraft#1795). */
import { equal, throws } from 'node:assert/strict';
import { MemoryStorage } from '../../raft/memory-storage.ts';
import { message } from '../../raft/messages.ts';
import { ManualNode, logOf } from '../manual-raft.ts';
import type { Entry, Index } from '../../raft/types.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a leader whose storage fails sends nothing made up: the failure goes to the shell',
  run() {
    const storage = new FailingStorage();
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], log: logOf(1, 1, 1), storage });
    node.raw.campaign();
    node.flush();
    node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 2 });
    storage.isBroken = true;
    const rejection = message({ type: 'MsgAppResp', from: 2, to: 1, term: 2, index: 3, reject: true });
    throws(() => node.raw.step(rejection), { message: 'EIO' });
    equal(node.raw.hasReady(), false);
  },
};

class FailingStorage extends MemoryStorage {
  isBroken = false;

  override entries(lo: Index, hi: Index, maxSizeBytes: number): Entry[] {
    if (this.isBroken) throw new Error('EIO');
    return super.entries(lo, hi, maxSizeBytes);
  }
}
