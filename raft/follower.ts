/** @module What a follower does with each message. */
import { hup } from './election.ts';
import { proposalDropped } from './errors.ts';
import { restoreSnapshot } from './membership.ts';
import { EMPTY_BYTES } from './messages.ts';
import type { RaftState } from './raft-state.ts';
import { NO_NODE } from './types.ts';
import type { Message } from './types.ts';

export function stepFollower(raft: RaftState, m: Message): void {
  switch (m.type) {
    case 'MsgApp':
      followLeader(raft, m);
      handleAppendEntries(raft, m);
      return;
    case 'MsgHeartbeat':
      followLeader(raft, m);
      handleHeartbeat(raft, m);
      return;
    case 'MsgSnap':
      followLeader(raft, m);
      handleSnapshot(raft, m);
      return;
    case 'MsgProp':
      forwardProposal(raft, m);
      return;
    case 'MsgReadIndex':
    case 'MsgTransferLeader':
      if (raft.lead === NO_NODE)
        raft.config.logger.info(`${raft.id} knows no leader at term ${raft.term}; dropping ${m.type}`);
      else raft.send({ ...m, to: raft.lead });
      return;
    case 'MsgReadIndexResp':
      raft.readStates.push({ index: m.index, requestCtx: m.entries[0]?.data ?? EMPTY_BYTES });
      return;
    case 'MsgForgetLeader':
      forgetLeader(raft);
      return;
    case 'MsgTimeoutNow':
      raft.config.logger.info(`${raft.id} [term ${raft.term}] is asked by ${m.from} to take over leadership`);
      hup(raft, 'transfer');
      return;
    default:
  }
}

function followLeader(raft: RaftState, m: Message): void {
  raft.electionElapsed = 0;
  raft.lead = m.from;
}

/** Raft §5.3. The answer leaves only when the entries are durable. */
function handleAppendEntries(raft: RaftState, m: Message): void {
  const { log } = raft;
  if (m.index < log.committed) {
    raft.send({ type: 'MsgAppResp', to: m.from, index: log.committed });
    return;
  }
  const lastIndex = log.maybeAppend({ term: m.logTerm, index: m.index }, m.entries, m.commit);
  if (lastIndex !== undefined) {
    raft.send({ type: 'MsgAppResp', to: m.from, index: lastIndex });
    return;
  }
  raft.config.logger.debug(`${raft.id} rejected MsgApp after ${m.logTerm}/${m.index} from ${m.from}`);
  // The largest index here that can still agree with the leader: saves one round trip per entry of divergence.
  const hint = log.findConflictByTerm(Math.min(m.index, log.lastIndex()), m.logTerm);
  raft.send({
    type: 'MsgAppResp',
    to: m.from,
    index: m.index,
    reject: true,
    rejectHint: hint.index,
    logTerm: hint.term,
  });
}

/**
 * A heartbeat's commit is min(commit, match), so it is in our log, unless this disk has lost what it acknowledged.
 * Then we say so, ask for it again, and neither vote nor campaign until it is back.
 */
function handleHeartbeat(raft: RaftState, m: Message): void {
  const { log, config } = raft;
  const lastIndex = log.lastIndex();
  if (m.commit > lastIndex) {
    config.logger.error(
      `${raft.id} lost acknowledged entries: commit ${m.commit}, but last index ${lastIndex}`,
    );
    raft.recoverTo = Math.max(raft.recoverTo, m.commit);
    raft.send({ type: 'MsgHeartbeatResp', to: m.from, reject: true, rejectHint: lastIndex });
    return;
  }
  log.commitTo(m.commit);
  raft.send({ type: 'MsgHeartbeatResp', to: m.from, ...(m.context !== undefined && { context: m.context }) });
}

function handleSnapshot(raft: RaftState, m: Message): void {
  if (m.snapshot === undefined) return;
  // Its configuration would take effect at once, and a membership change being applied would then be made on top of it
  // (simulation seed 132). It has its turn at the next advance().
  if (raft.log.isApplying()) {
    raft.postponedSnapshot = m;
    return;
  }
  const { index, term } = m.snapshot.metadata;
  const restored = restoreSnapshot(raft, m.snapshot);
  raft.config.logger.info(
    `${raft.id} [commit ${raft.log.committed}] ${restored ? 'restored' : 'ignored'} snapshot ${term}/${index}`,
  );
  const acknowledged = restored ? raft.log.lastIndex() : raft.log.committed;
  raft.send({ type: 'MsgAppResp', to: m.from, index: acknowledged });
}

function forwardProposal(raft: RaftState, m: Message): void {
  if (raft.lead === NO_NODE)
    throw proposalDropped('no-leader', 'No leader is known; propose again when one is.');
  if (raft.config.disableProposalForwarding)
    throw proposalDropped('forwarding-disabled', `Propose at the leader, ${raft.lead}.`);
  raft.send({ ...m, to: raft.lead });
}

function forgetLeader(raft: RaftState): void {
  // A lease promises the leader that its followers will not vote.
  if (raft.config.readOnlyOption === 'ReadOnlyLeaseBased') {
    raft.config.logger.error('ignoring MsgForgetLeader: it would break the lease of the leader');
    return;
  }
  raft.lead = NO_NODE;
}
