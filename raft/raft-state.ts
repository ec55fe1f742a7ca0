/** @module The state of one raft node, and its transitions between roles. Knows no messages' meaning. */
import { restoreConfiguration } from './conf-restore.ts';
import { validateConfig } from './config.ts';
import { type EntryId, NO_ENTRY, isUpToDate } from './entry-id.ts';
import { RaftError, invariant } from './errors.ts';
import { RaftLog } from './log.ts';
import { Outbox } from './outbox.ts';
import type { MessageDraft } from './messages.ts';
import { ReadOnly } from './read-only.ts';
import { ProgressTracker } from './tracker.ts';
import { NO_NODE } from './types.ts';
import type {
  Config,
  HardState,
  Index,
  Message,
  NodeId,
  ReadState,
  SoftState,
  StateType,
  Term,
} from './types.ts';

/**
 * The ground floor of the core: the rules (election.ts, replication.ts …) and the roles (follower.ts, candidate.ts,
 * leader.ts) stand above it, read and write its fields, and nobody else does; the world uses RawNode.
 */
export class RaftState {
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
  /** No log that is older is voted for (restraint.ts). */
  oldestElectable: EntryId = NO_ENTRY;
  readOnly: ReadOnly = new ReadOnly();
  /** Reads asked before this leader committed in its term. */
  postponedReads: Message[] = [];
  /** A MsgSnap that came while the shell was applying entries. */
  postponedSnapshot: Message | undefined;
  electionElapsed = 0;
  heartbeatElapsed = 0;
  randomizedElectionTimeout = 0;

  readStates: ReadState[] = [];
  readonly outbox: Outbox;

  constructor(config: Config) {
    validateConfig(config);
    const { storage, logger } = config;
    this.id = config.id;
    this.config = config;
    this.outbox = new Outbox(config.id);
    this.log = new RaftLog(
      { storage, logger },
      {
        maxApplyingBytes: config.maxCommittedSizePerReadyBytes || config.maxSizePerMsgBytes,
        appliesUnstable: config.asyncStorageWrites !== true,
      },
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

  send(draft: MessageDraft): void {
    this.outbox.send(draft, this.term);
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
    this.drawElectionTimeout();
    this.config.logger.info(`${this.id} became pre-candidate at term ${this.term}`);
  }

  /** Takes over; leadership.ts tells the others. */
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
    this.config.logger.info(`${this.id} became leader at term ${this.term}`);
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
    if (own === undefined || own.isLearner || this.log.unstable.hasSnapshot()) return false;
    return !this.isRecovering() && this.isElectable(this.log.lastEntryId());
  }

  /** Whether whatever this node may have forgotten is in a log that ends with `last`. */
  isElectable(last: EntryId): boolean {
    return isUpToDate(last, this.oldestElectable);
  }

  isRecovering(): boolean {
    return this.log.lastIndex() < this.recoverTo;
  }

  /** Anew for every election, so that split votes do not repeat (Raft §5.2). */
  drawElectionTimeout(): void {
    const { electionTick, rand } = this.config;
    this.randomizedElectionTimeout = electionTick + rand(electionTick);
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
    this.drawElectionTimeout();
    this.leadTransferee = NO_NODE;
    this.leaseVoid = false;
    this.tracker.resetVotes();
    this.tracker.resetProgress(this.id, this.log.lastIndex());
    this.pendingConfIndex = 0;
    this.uncommittedBytes = 0;
    this.readOnly = new ReadOnly();
    this.postponedReads = [];
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

function unfit(raft: RaftState, commit: Index, applied: Index): RaftError {
  const { log } = raft;
  return new RaftError(
    'RAFT_INVALID_CONFIG',
    `The log [${log.firstIndex()}, ${log.lastIndex()}] does not fit commit ${commit} and applied ${applied}: ` +
      'part of the state is lost. Do not start this node; remove it and join it anew.',
  );
}
