/** @module What a leader knows of one follower's log, and how fast it may send (etcd's probe / replicate / snapshot). */
import type { Inflights } from './inflights.ts';
import type { Index } from './types.ts';

/**
 * - `StateProbe`: the follower's last index is unknown; one message per heartbeat.
 * - `StateReplicate`: optimistic pipelining, bounded by inflights.
 * - `StateSnapshot`: a snapshot is on its way; no MsgApp.
 */
export type ProgressState = 'StateProbe' | 'StateReplicate' | 'StateSnapshot';

export interface ProgressInit {
  readonly match: Index;
  readonly next: Index;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
  readonly inflights: Inflights;
}

/** Invariant: match < next. Entries in (match, next) are under way or lost. */
export class Progress {
  match: Index;
  next: Index;
  state: ProgressState = 'StateProbe';
  /** Index of the snapshot under way in StateSnapshot, else 0. */
  pendingSnapshot: Index = 0;
  /** Heard of since the last check-quorum. */
  recentActive: boolean;
  /** Nothing more to send until a heartbeat response or an acknowledgement. */
  appFlowPaused = false;
  isLearner: boolean;
  readonly inflights: Inflights;
  /** Highest commit index sent; bounds needless empty MsgApps that would only carry a commit. */
  #sentCommit: Index = 0;

  constructor(init: ProgressInit) {
    this.match = init.match;
    this.next = init.next;
    this.isLearner = init.isLearner;
    this.recentActive = init.recentActive;
    this.inflights = init.inflights;
  }

  /** After a snapshot, probes from behind it: the follower may have it and not have told. */
  becomeProbe(): void {
    const afterSnapshot = this.state === 'StateSnapshot' ? this.pendingSnapshot + 1 : 0;
    this.#resetState('StateProbe');
    this.next = Math.max(this.match + 1, afterSnapshot);
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#resetState('StateReplicate');
    this.next = this.match + 1;
  }

  becomeSnapshot(index: Index): void {
    this.#resetState('StateSnapshot');
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.#sentCommit = index;
  }

  /** The follower has lost what it had acknowledged; start again from `lastIndex` of what it says it has. */
  becomeLost(lastIndex: Index): void {
    this.match = 0;
    this.becomeProbe();
    this.next = lastIndex + 1;
    this.#sentCommit = 0;
  }

  /** A MsgApp with `count` entries was sent. */
  sentEntries(count: number, payloadBytes: number): void {
    if (this.state === 'StateReplicate') {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, payloadBytes);
      }
      // A message sent while full is a probe: the next one waits for a response.
      this.appFlowPaused = this.inflights.isFull();
    } else if (this.state === 'StateProbe' && count > 0) {
      this.appFlowPaused = true;
    }
  }

  /** True when sending `commit` now could raise the follower's commit index, and no sent message did already. */
  canBumpCommit(commit: Index): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.next - 1;
  }

  sentCommitIndex(commit: Index): void {
    this.#sentCommit = commit;
  }

  /** The follower acknowledged `index`. Says whether that was news. */
  maybeUpdate(index: Index): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.appFlowPaused = false;
    return true;
  }

  /**
   * The follower rejected a MsgApp at `rejected`, and may match at `hint`. Says whether `next` went back;
   * false for a rejection that is out of date (reordered or duplicated).
   */
  maybeDecrementTo(rejected: Index, hint: Index): boolean {
    if (this.state === 'StateReplicate') {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      // A probe's rejection must be of the one probe that was sent last.
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.appFlowPaused = false;
    }
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
    return true;
  }

  /** A copy for a draft configuration; it shares the inflights, as only one of the two lives on. */
  clone(): Progress {
    const copy = new Progress(this);
    copy.state = this.state;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.appFlowPaused = this.appFlowPaused;
    copy.#sentCommit = this.#sentCommit;
    return copy;
  }

  isPaused(): boolean {
    return this.state === 'StateSnapshot' || this.appFlowPaused;
  }

  #resetState(state: ProgressState): void {
    this.appFlowPaused = false;
    this.pendingSnapshot = 0;
    this.state = state;
    this.inflights.reset();
  }
}
