/** @module The state of one raft node, its transitions between roles, and the routing of each event to its role. */
import { stepCandidate } from './candidate.ts';
import { restoreConfiguration } from './conf-change.ts';
import { validateConfig } from './config.ts';
import { hup, stepVoteRequest } from './election.ts';
import { entriesSizeBytes, payloadSizeBytes } from './entry-size.ts';
import { RaftError, invariant } from './errors.ts';
import { stepFollower } from './follower.ts';
import { stepLeader } from './leader.ts';
import { RaftLog } from './log.ts';
import { leaveJointWhenDone } from './membership.ts';
import { EMPTY_BYTES, message } from './messages.ts';
import type { MessageDraft } from './messages.ts';
import { ReadOnly } from './read-only.ts';
import { admitTerm } from './term-check.ts';
import { ProgressTracker } from './tracker.ts';
import { NO_NODE } from './types.ts';
import type {
  Config,
  Entry,
  HardState,
  Index,
  Message,
  NodeId,
  ReadState,
  SoftState,
  Snapshot,
  StateType,
  Term,
} from './types.ts';

/**
 * The fields are open to the step functions of the roles (follower.ts, candidate.ts, leader.ts …) and to nobody else;
 * the world uses RawNode.
 */
export class Raft {
  readonly id: NodeId;
  readonly config: Config;
  readonly log: RaftLog;
  readonly tracker: ProgressTracker;

  term: Term = 0;
  vote: NodeId = NO_NODE;
  lead: NodeId = NO_NODE;
  state: StateType = 'StateFollower';
  /** Target of a leadership transfer; proposals are refused meanwhile. */
  leadTransferee: NodeId = NO_NODE;
  /** A transfer was tried in this term: a late MsgTimeoutNow may elect another leader within our lease. */
  leaseVoid = false;
  /** On a leader: no membership change may be proposed before this index is applied. */
  pendingConfIndex: Index = 0;
  /** Payload bytes proposed in this term and not applied yet. */
  uncommittedBytes = 0;
  /** Nonzero: this log lost entries it once acknowledged; no vote and no campaign until they are back. */
  recoverTo: Index = 0;
  readOnly: ReadOnly = new ReadOnly();
  /** Reads asked before this leader committed in its term. */
  postponedReads: Message[] = [];
  /** A MsgSnap that came while the shell was applying entries. */
  postponedSnapshot: Message | undefined;
  electionElapsed = 0;
  heartbeatElapsed = 0;
  randomizedElectionTimeout = 0;

  readStates: ReadState[] = [];
  /** May leave at once. */
  outbox: Message[] = [];
  /** Promises (votes, acknowledgements): leave, or are stepped here when to self, once the state is durable. */
  outboxAfterAppend: Message[] = [];

  constructor(config: Config) {
    validateConfig(config);
    const { storage, logger } = config;
    this.id = config.id;
    this.config = config;
    this.log = new RaftLog(
      storage,
      config.maxCommittedSizePerReadyBytes || config.maxSizePerMsgBytes,
      logger,
    );
    this.tracker = new ProgressTracker(config);
    const { hardState, confState } = storage.initialState();
    const restored = restoreConfiguration(confState, this.log.lastIndex(), this.tracker.limits);
    this.tracker.switchTo(restored.configuration, restored.progress);
    this.term = hardState.term;
    this.vote = hardState.vote;
    this.#restoreCursors(hardState.commit, config.applied ?? 0);
    this.becomeFollower(this.term, NO_NODE);
    const last = this.log.lastEntryId();
    logger.info(
      `${this.id} starts at term ${this.term} with peers [${this.tracker.voterIds().join(',')}], commit ${this.log.committed}, applied ${this.log.applied}, last ${last.term}/${last.index}`,
    );
  }

  softState(): SoftState {
    return { lead: this.lead, raftState: this.state };
  }

  hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  /** A term of 0 marks a local event. */
  step(m: Message): void {
    if (!admitTerm(this, m)) return;
    switch (m.type) {
      case 'MsgHup':
        hup(this, this.config.preVote ? 'pre-election' : 'election');
        return;
      case 'MsgStorageAppendResp':
        if (m.index !== 0) this.log.stableTo({ term: m.logTerm, index: m.index });
        if (m.snapshot !== undefined) this.appliedSnapshot(m.snapshot);
        return;
      case 'MsgStorageApplyResp':
        this.#appliedEntries(m.entries);
        return;
      case 'MsgVote':
      case 'MsgPreVote':
        stepVoteRequest(this, m, m.type);
        return;
      default:
        this.#stepRole(m);
    }
  }

  tick(): void {
    if (this.state === 'StateLeader') this.#tickHeartbeat();
    else this.#tickElection();
  }

  /** Adds sender and term. Vote messages bring their own term; proposals and reads carry none. */
  send(draft: MessageDraft): void {
    const from = draft.from === undefined || draft.from === NO_NODE ? this.id : draft.from;
    switch (draft.type) {
      case 'MsgVote':
      case 'MsgPreVote':
        this.outbox.push(message({ ...draft, from }));
        return;
      case 'MsgVoteResp':
      case 'MsgPreVoteResp':
        this.outboxAfterAppend.push(message({ ...draft, from }));
        return;
      case 'MsgAppResp':
        this.outboxAfterAppend.push(message({ ...draft, from, term: this.term }));
        return;
      case 'MsgProp':
      case 'MsgReadIndex':
        this.outbox.push(message({ ...draft, from, term: 0 }));
        return;
      default:
        this.outbox.push(message({ ...draft, from, term: this.term }));
    }
  }

  becomeFollower(term: Term, lead: NodeId): void {
    this.#reset(term);
    this.lead = lead;
    this.state = 'StateFollower';
    this.config.logger.info(`${this.id} became follower at term ${this.term}`);
  }

  becomeCandidate(): void {
    invariant(this.state !== 'StateLeader', () => 'a leader cannot become candidate');
    this.#reset(this.term + 1);
    this.vote = this.id;
    this.state = 'StateCandidate';
    this.config.logger.info(`${this.id} became candidate at term ${this.term}`);
  }

  /** Changes neither term nor vote: nothing is promised yet (thesis §9.6). */
  becomePreCandidate(): void {
    invariant(this.state !== 'StateLeader', () => 'a leader cannot become pre-candidate');
    this.tracker.resetVotes();
    this.lead = NO_NODE;
    this.state = 'StatePreCandidate';
    this.#drawElectionTimeout();
    this.config.logger.info(`${this.id} became pre-candidate at term ${this.term}`);
  }

  /** Appends an empty entry of its term, so that earlier ones can be committed (Raft §8). */
  becomeLeader(): void {
    invariant(this.state !== 'StateFollower', () => 'a follower cannot become leader');
    this.#reset(this.term);
    this.lead = this.id;
    this.state = 'StateLeader';
    const own = this.tracker.progress(this.id);
    invariant(own !== undefined, () => `${this.id} leads a group it is no member of`);
    own.becomeReplicate();
    own.recentActive = true;
    // Any entry of the log may be a membership change not applied yet.
    this.pendingConfIndex = this.log.lastIndex();
    this.appendEntries([{ term: 0, index: 0, type: 'EntryNormal', data: EMPTY_BYTES }]);
    this.config.logger.info(`${this.id} became leader at term ${this.term}`);
  }

  /** A leader's append. Says false, and appends nothing, when too much is uncommitted already. */
  appendEntries(drafts: readonly Entry[]): boolean {
    const payloadBytes = payloadSizeBytes(drafts);
    const limit = this.config.maxUncommittedSizeBytes || Infinity;
    // The first payload always passes, however large; empty entries always do.
    if (this.uncommittedBytes > 0 && payloadBytes > 0 && this.uncommittedBytes + payloadBytes > limit)
      return false;
    this.uncommittedBytes += payloadBytes;
    const first = this.log.lastIndex() + 1;
    const entries = drafts.map(({ type, data }, i) => ({ term: this.term, index: first + i, type, data }));
    const index = this.log.append(entries);
    // The leader counts itself only once this comes back, after its own disk write.
    this.send({ type: 'MsgAppResp', to: this.id, index });
    return true;
  }

  maybeCommit(): boolean {
    return this.log.maybeCommit({ term: this.term, index: this.tracker.committed() });
  }

  /** Before that, this leader does not know what is committed in the cluster (Raft §8). */
  hasCommittedInTerm(): boolean {
    return this.log.term(this.log.committed) === this.term;
  }

  /** Whether this node may become leader: a voter in good order, with no snapshot half installed. */
  isPromotable(): boolean {
    const own = this.tracker.progress(this.id);
    return (
      own !== undefined && !own.isLearner && !this.log.hasNextOrInProgressSnapshot() && !this.isRecovering()
    );
  }

  isRecovering(): boolean {
    return this.log.lastIndex() < this.recoverTo;
  }

  appliedSnapshot(snapshot: Snapshot): void {
    const { index } = snapshot.metadata;
    this.log.stableSnapshotTo(index);
    this.#appliedTo(index, 0);
  }

  #stepRole(m: Message): void {
    switch (this.state) {
      case 'StateFollower':
        stepFollower(this, m);
        return;
      case 'StatePreCandidate':
      case 'StateCandidate':
        stepCandidate(this, m);
        return;
      case 'StateLeader':
        stepLeader(this, m);
    }
  }

  #tickElection(): void {
    this.electionElapsed += 1;
    if (!this.isPromotable() || this.electionElapsed < this.randomizedElectionTimeout) return;
    this.electionElapsed = 0;
    this.step(message({ type: 'MsgHup', to: NO_NODE, from: this.id }));
  }

  #tickHeartbeat(): void {
    this.heartbeatElapsed += 1;
    this.electionElapsed += 1;
    if (this.electionElapsed >= this.config.electionTick) {
      this.electionElapsed = 0;
      if (this.config.checkQuorum) this.step(message({ type: 'MsgCheckQuorum', to: NO_NODE, from: this.id }));
      // A transfer that takes longer than an election has failed: take proposals again (thesis §3.10).
      this.leadTransferee = NO_NODE;
    }
    if (this.state !== 'StateLeader' || this.heartbeatElapsed < this.config.heartbeatTick) return;
    this.heartbeatElapsed = 0;
    this.step(message({ type: 'MsgBeat', to: NO_NODE, from: this.id }));
  }

  /** The vote outlives everything but a change of term: two votes in one term elect two leaders. */
  #reset(term: Term): void {
    if (this.term !== term) {
      this.term = term;
      this.vote = NO_NODE;
    }
    this.lead = NO_NODE;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.#drawElectionTimeout();
    this.leadTransferee = NO_NODE;
    this.leaseVoid = false;
    this.tracker.resetVotes();
    this.tracker.resetProgress(this.id, this.log.lastIndex());
    this.pendingConfIndex = 0;
    this.uncommittedBytes = 0;
    this.readOnly = new ReadOnly();
    this.postponedReads = [];
  }

  #drawElectionTimeout(): void {
    const { electionTick, rand } = this.config;
    this.randomizedElectionTimeout = electionTick + rand(electionTick);
  }

  #appliedEntries(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#appliedTo(last.index, entriesSizeBytes(entries));
    this.uncommittedBytes = Math.max(0, this.uncommittedBytes - payloadSizeBytes(entries));
    const snapshot = this.postponedSnapshot;
    this.postponedSnapshot = undefined;
    if (snapshot !== undefined) this.step(snapshot);
  }

  #appliedTo(index: Index, sizeBytes: number): void {
    this.log.appliedTo(Math.max(index, this.log.applied), sizeBytes);
    leaveJointWhenDone(this);
  }

  /** What was applied or compacted was committed, even where a commit index written without fsync was lost. */
  #restoreCursors(commit: Index, applied: Index): void {
    const { log } = this;
    const known = Math.max(commit, applied);
    if (known > log.lastIndex() || (applied > 0 && applied < log.applied)) throw unfit(this, commit, applied);
    log.commitTo(known);
    if (applied > 0) log.appliedTo(applied, 0);
  }
}

function unfit(raft: Raft, commit: Index, applied: Index): RaftError {
  const { log } = raft;
  return new RaftError(
    'RAFT_INVALID_CONFIG',
    `The log [${log.firstIndex()}, ${log.lastIndex()}] does not fit commit ${commit} and applied ${applied}: ` +
      'part of the state is lost. Do not start this node; remove it and join it anew.',
  );
}
