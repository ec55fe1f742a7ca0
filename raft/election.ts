/** @module Elections (Raft §5.2, §5.4.1; pre-vote: thesis §9.6): campaigning, and answering those who do. */
import { voteResponseType } from './messages.ts';
import type { VoteType } from './messages.ts';
import type { RaftState } from './raft-state.ts';
import { NO_NODE } from './types.ts';
import type { Index, Message, Term } from './types.ts';

/** `transfer` = told to by the leader: skips pre-vote and the voters' stickiness (thesis §3.10). */
export type CampaignKind = 'pre-election' | 'election' | 'transfer';

/** Bytes of "CampaignTransfer", as etcd marks such a vote request. */
const TRANSFER_CONTEXT: Uint8Array = Uint8Array.from('CampaignTransfer', (char) => char.charCodeAt(0));
/** Bytes of committed entries looked through at a time for membership changes. */
const SCAN_PAGE_BYTES = 1024 * 1024;

export function isTransferCampaign(m: Message): boolean {
  const { context } = m;
  if (context?.length !== TRANSFER_CONTEXT.length) return false;
  return context.every((byte, i) => byte === TRANSFER_CONTEXT[i]);
}

/** Starts an election if this node may lead. */
export function hup(raft: RaftState, kind: CampaignKind): void {
  const { logger } = raft.config;
  if (raft.state === 'StateLeader') return;
  if (!raft.isPromotable()) {
    logger.warn(`${raft.id} is unpromotable and can not campaign`);
    return;
  }
  // Its quorum would be counted in a configuration that is over (etcd#12359, raft-rs#221).
  if (hasUnappliedConfChange(raft)) {
    logger.warn(
      `${raft.id} cannot campaign at term ${raft.term}: a committed membership change is not applied yet`,
    );
    return;
  }
  logger.info(`${raft.id} is starting a new election at term ${raft.term}`);
  campaign(raft, kind);
}

/** Votes for itself (counted once the vote is durable) and asks all voters of both halves. */
export function campaign(raft: RaftState, kind: CampaignKind): void {
  const isPreVote = kind === 'pre-election';
  if (isPreVote) raft.becomePreCandidate();
  else raft.becomeCandidate();
  const type: VoteType = isPreVote ? 'MsgPreVote' : 'MsgVote';
  const term = isPreVote ? raft.term + 1 : raft.term;
  const last = raft.log.lastEntryId();
  for (const to of raft.tracker.voterIds()) {
    if (to === raft.id) {
      raft.send({ type: voteResponseType(type), to, term });
      continue;
    }
    const marked = kind === 'transfer' ? { context: TRANSFER_CONTEXT } : {};
    raft.send({ type, to, term, index: last.index, logTerm: last.term, ...marked });
  }
}

/**
 * At most one vote per term, and only for a log at least as good. Learners vote too: the candidate may know of their
 * promotion before they do.
 */
export function stepVoteRequest(raft: RaftState, m: Message, type: VoteType): void {
  const isFree = raft.vote === NO_NODE && raft.lead === NO_NODE;
  const isFuturePreVote = type === 'MsgPreVote' && m.term > raft.term;
  const canVote = (raft.vote === m.from || isFree || isFuturePreVote) && !raft.isRecovering();
  const last = { term: m.logTerm, index: m.index };
  const granted = canVote && raft.log.isUpToDate(last) && raft.isElectable(last);
  raft.config.logger.info(
    `${raft.id} [term ${raft.term}, vote ${raft.vote}] ${granted ? 'cast' : 'rejected'} ${type} for ${m.from} [${m.logTerm}/${m.index}] at term ${m.term}`,
  );
  if (!granted) {
    const known = raft.tracker.isVoter(raft.id) ? {} : knownCommit(raft);
    raft.send({ type: voteResponseType(type), to: m.from, term: raft.term, reject: true, ...known });
    return;
  }
  // A granted pre-vote answers in the candidate's future term, or it would be ignored there as stale.
  raft.send({ type: voteResponseType(type), to: m.from, term: m.term });
  if (type === 'MsgPreVote') return;
  raft.electionElapsed = 0;
  raft.vote = m.from;
}

/**
 * A rejection by one who is no voter any more tells how far it has committed, as raft-rs does. The candidate may still
 * count in the old configuration, where it cannot win: the log of the removed leader may be longer than any other, and
 * the removed leader may not campaign (etcd#12359; simulation seed 130).
 */
function knownCommit(raft: RaftState): { readonly commit: Index; readonly logTerm: Term } {
  const commit = raft.log.committed;
  return { commit, logTerm: raft.log.term(commit) ?? 0 };
}

/** Takes over what a rejection says is committed. True if a membership change came to light, to be applied first. */
export function learnCommit(raft: RaftState, rejection: Message): boolean {
  return (
    raft.log.maybeCommit({ term: rejection.logTerm, index: rejection.commit }) && hasUnappliedConfChange(raft)
  );
}

function hasUnappliedConfChange(raft: RaftState): boolean {
  const { log } = raft;
  for (let from = log.applied + 1; from <= log.committed; ) {
    const page = log.slice(from, log.committed + 1, SCAN_PAGE_BYTES);
    if (page.some((entry) => entry.type !== 'EntryNormal')) return true;
    from += page.length;
  }
  return false;
}
