/** @module What a leader does with each event of its own and each request; responses are in leader-responses.ts. */
import { checkQuorum, transferLeadership } from './leadership.ts';
import { stepReadIndex } from './leader-reads.ts';
import { stepResponse } from './leader-responses.ts';
import { propose } from './proposals.ts';
import type { RaftState } from './raft-state.ts';
import { broadcastHeartbeat } from './replication.ts';
import type { Message } from './types.ts';

export function stepLeader(raft: RaftState, m: Message): void {
  switch (m.type) {
    case 'MsgBeat':
      broadcastHeartbeat(raft, raft.readOnly.lastPendingContext());
      return;
    case 'MsgCheckQuorum':
      checkQuorum(raft);
      return;
    case 'MsgProp':
      propose(raft, m.entries);
      return;
    case 'MsgReadIndex':
      stepReadIndex(raft, m);
      return;
    default: {
      const progress = raft.tracker.progress(m.from);
      if (progress === undefined) return;
      if (m.type === 'MsgTransferLeader') transferLeadership(raft, m.from, progress);
      else stepResponse(raft, m, progress);
    }
  }
}
