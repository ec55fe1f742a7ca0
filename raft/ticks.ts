/** @module Time: what a tick makes a node do. The core's only clock (Raft §5.2). */
import { message } from './messages.ts';
import type { RaftState } from './raft-state.ts';
import { step } from './step.ts';
import { NO_NODE } from './types.ts';

/** One unit of time has passed. */
export function tick(raft: RaftState): void {
  if (raft.state === 'StateLeader') tickHeartbeat(raft);
  else tickElection(raft);
}

function tickElection(raft: RaftState): void {
  raft.electionElapsed += 1;
  if (!raft.isPromotable() || raft.electionElapsed < raft.randomizedElectionTimeout) return;
  raft.electionElapsed = 0;
  step(raft, message({ type: 'MsgHup', to: NO_NODE, from: raft.id }));
}

function tickHeartbeat(raft: RaftState): void {
  raft.heartbeatElapsed += 1;
  raft.electionElapsed += 1;
  if (raft.electionElapsed >= raft.config.electionTick) {
    raft.electionElapsed = 0;
    if (raft.config.checkQuorum) step(raft, message({ type: 'MsgCheckQuorum', to: NO_NODE, from: raft.id }));
    // A transfer that takes longer than an election has failed: take proposals again (thesis §3.10).
    raft.leadTransferee = NO_NODE;
  }
  if (raft.state !== 'StateLeader' || raft.heartbeatElapsed < raft.config.heartbeatTick) return;
  raft.heartbeatElapsed = 0;
  step(raft, message({ type: 'MsgBeat', to: NO_NODE, from: raft.id }));
}
