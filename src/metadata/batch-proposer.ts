/** @module Turns queued commands into entries of the leader's log, stamped with its time. */
import { isRaftError } from '../../raft/errors.ts';
import type { RawNode } from '../../raft/raw-node.ts';
import { notLeader, overloaded } from './errors.ts';
import type { LogClock } from './log-clock.ts';
import type { ProposalQueue } from './proposal-queue.ts';

export interface BatchProposerComponents {
  readonly core: RawNode;
  readonly queue: ProposalQueue;
  readonly logClock: LogClock;
}

export class BatchProposer {
  readonly #components: BatchProposerComponents;
  #lastStampMs = 0;

  constructor(components: BatchProposerComponents) {
    this.#components = components;
  }

  /** Proposes all that is queued. What the core does not take is refused: METADATA_OVERLOADED or METADATA_NOT_LEADER. */
  proposeQueued(): void {
    const { core, queue } = this.#components;
    while (!queue.isEmpty) {
      const batch = queue.takeBatch(this.#stampMs());
      if (batch === undefined) return;
      try {
        core.propose(batch.data);
        queue.proposed(batch);
      } catch (error) {
        if (!isRaftError(error, 'RAFT_PROPOSAL_DROPPED')) throw error;
        const isFull = error.reason === 'too-much-uncommitted';
        queue.refused(batch, isFull ? overloaded('uncommitted log', batch.data.length) : notLeader(0));
      }
    }
  }

  /** Never goes back, whatever the wall clock does, nor behind a time that another leader has committed. */
  #stampMs(): number {
    this.#lastStampMs = Math.max(this.#lastStampMs, this.#components.logClock.nowMs());
    return this.#lastStampMs;
  }
}
