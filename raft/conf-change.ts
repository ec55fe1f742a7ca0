/** @module Pure arithmetic of membership (thesis ch. 4): from one configuration and a change to the next. */
import { checkConfiguration } from './conf-invariants.ts';
import { RaftError } from './errors.ts';
import { Progress } from './progress.ts';
import type { Configuration, ProgressMap, ProgressTracker } from './tracker.ts';
import type { ConfChangeSingle, Index, NodeId } from './types.ts';

/** A configuration and the progress of exactly its members. */
export interface ChangedConfiguration {
  readonly configuration: Configuration;
  readonly progress: ProgressMap;
}

interface Draft {
  readonly incoming: Set<NodeId>;
  outgoing: Set<NodeId>;
  readonly learners: Set<NodeId>;
  learnersNext: Set<NodeId>;
  readonly progress: Map<NodeId, Progress>;
  autoLeave: boolean;
}

/**
 * Computes the next configuration and leaves the tracker alone. Every method throws RAFT_CONF_CHANGE_INVALID
 * when the change cannot follow. `lastIndex` is where new members are first probed.
 */
export class Changer {
  readonly #tracker: ProgressTracker;
  readonly #lastIndex: Index;

  constructor(tracker: ProgressTracker, lastIndex: Index) {
    this.#tracker = tracker;
    this.#lastIndex = lastIndex;
  }

  /** Adds, removes, promotes or demotes any number of learners but at most one voter (thesis §4.1). */
  simple(changes: readonly ConfChangeSingle[]): ChangedConfiguration {
    if (this.#tracker.isJoint()) throw invalid("can't apply simple config change in joint config");
    const draft = this.#draft();
    this.#apply(draft, changes);
    if (symmetricDifference(this.#tracker.configuration.voters[0], draft.incoming) > 1)
      throw invalid('more than one voter changed without entering joint config');
    return finish(draft);
  }

  /** Copies the voters into the outgoing half and changes the incoming one (thesis §4.3, Cold,new). */
  enterJoint(autoLeave: boolean, changes: readonly ConfChangeSingle[]): ChangedConfiguration {
    if (this.#tracker.isJoint()) throw invalid('config is already joint');
    const draft = this.#draft();
    if (draft.incoming.size === 0) throw invalid("can't make a zero-voter config joint");
    draft.outgoing = new Set(draft.incoming);
    this.#apply(draft, changes);
    draft.autoLeave = autoLeave;
    return finish(draft);
  }

  /** Drops the outgoing half (Cnew) and turns learnersNext into learners. */
  leaveJoint(): ChangedConfiguration {
    if (!this.#tracker.isJoint()) throw invalid("can't leave a non-joint config");
    const draft = this.#draft();
    for (const id of draft.learnersNext) {
      draft.learners.add(id);
      const progress = draft.progress.get(id);
      if (progress !== undefined) progress.isLearner = true;
    }
    draft.learnersNext = new Set();
    for (const id of draft.outgoing)
      if (!draft.incoming.has(id) && !draft.learners.has(id)) draft.progress.delete(id);
    draft.outgoing = new Set();
    draft.autoLeave = false;
    return finish(draft);
  }

  #draft(): Draft {
    const { configuration, progressMap } = this.#tracker;
    checkConfiguration(configuration, progressMap);
    return {
      incoming: new Set(configuration.voters[0]),
      outgoing: new Set(configuration.voters[1]),
      learners: new Set(configuration.learners),
      learnersNext: new Set(configuration.learnersNext),
      progress: new Map([...progressMap].map(([id, progress]) => [id, progress.clone()])),
      autoLeave: configuration.autoLeave,
    };
  }

  #apply(draft: Draft, changes: readonly ConfChangeSingle[]): void {
    for (const { type, nodeId } of changes) {
      // Node 0 is how a shell voids one step of a change that it decided not to make.
      if (nodeId === 0) continue;
      switch (type) {
        case 'ConfChangeAddNode':
          this.#makeVoter(draft, nodeId);
          break;
        case 'ConfChangeAddLearnerNode':
          this.#makeLearner(draft, nodeId);
          break;
        case 'ConfChangeRemoveNode':
          remove(draft, nodeId);
          break;
        case 'ConfChangeUpdateNode':
          break;
      }
    }
    if (draft.incoming.size === 0) throw invalid('removed all voters');
  }

  #makeVoter(draft: Draft, id: NodeId): void {
    const progress = draft.progress.get(id) ?? this.#newProgress(draft, id, false);
    progress.isLearner = false;
    draft.learners.delete(id);
    draft.learnersNext.delete(id);
    draft.incoming.add(id);
  }

  #makeLearner(draft: Draft, id: NodeId): void {
    const progress = draft.progress.get(id) ?? this.#newProgress(draft, id, true);
    if (draft.learners.has(id)) return;
    remove(draft, id);
    draft.progress.set(id, progress);
    // Still a voter of the outgoing half: a learner only once that is left.
    if (draft.outgoing.has(id)) {
      draft.learnersNext.add(id);
      return;
    }
    progress.isLearner = true;
    draft.learners.add(id);
  }

  /** A new member counts as active, or else check-quorum could depose the leader that just added it. */
  #newProgress(draft: Draft, id: NodeId, isLearner: boolean): Progress {
    const next = Math.max(this.#lastIndex, 1);
    const inflights = this.#tracker.newInflights();
    const progress = new Progress({ match: 0, next, isLearner, recentActive: true, inflights });
    draft.progress.set(id, progress);
    return progress;
  }
}

function remove(draft: Draft, id: NodeId): void {
  draft.incoming.delete(id);
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  // Replication to it goes on as long as it votes in the outgoing half.
  if (!draft.outgoing.has(id)) draft.progress.delete(id);
}

function finish(draft: Draft): ChangedConfiguration {
  const { incoming, outgoing, learners, learnersNext, autoLeave, progress } = draft;
  const configuration: Configuration = {
    voters: [incoming, outgoing],
    learners,
    learnersNext,
    autoLeave,
  };
  checkConfiguration(configuration, progress);
  return { configuration, progress };
}

function symmetricDifference(a: ReadonlySet<NodeId>, b: ReadonlySet<NodeId>): number {
  let count = 0;
  for (const id of a) if (!b.has(id)) count += 1;
  for (const id of b) if (!a.has(id)) count += 1;
  return count;
}

function invalid(reason: string): RaftError {
  return new RaftError('RAFT_CONF_CHANGE_INVALID', reason);
}
