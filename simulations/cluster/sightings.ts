/** @module Recognises, in what the oracle is shown, the moments that are worth a test of their own. */
import type { AwaitedMoment, Moment } from './moment.ts';
import type { Status } from '../../raft/raw-node.ts';
import type { ConfState, NodeId, Term } from '../../raft/types.ts';
import type { CommandBatch } from '../../src/namespace/schema.ts';
import type { Coverage } from './coverage.ts';

interface LastStatus {
  readonly term: Term;
  readonly isLeader: boolean;
  readonly isJoint: boolean;
  readonly confState: ConfState;
}

export class Sightings {
  readonly #coverage: Coverage;
  /** Of the run of each node that is up. */
  readonly #last = new Map<NodeId, LastStatus>();
  /** The newest leader, and whether a snapshot of its was on its way when it was last seen. */
  #lead = { term: 0, isSending: false };
  readonly #waiting: (AwaitedMoment & { readonly callback: () => void })[] = [];
  /** Term in which each request was first carried out, by session and sequence. */
  readonly #requests = new Map<string, Term>();

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  /** A node did something; this is what it came to. */
  look(node: NodeId, status: Status): void {
    const before = this.#last.get(node);
    const { term, confState } = status;
    const isLeader = status.raftState === 'StateLeader';
    if (isLeader && !(before?.isLeader === true && before.term === term)) this.#sawElection(term);
    const isJoint = confState.votersOutgoing.length > 0;
    if (isJoint && before?.isJoint === false) {
      this.#coverage.saw('joint configurations');
      this.#come('joint', node);
    }
    const isChanged = before !== undefined && before.confState !== confState;
    if (isLeader && isChanged && before.confState.voters.join() !== confState.voters.join())
      this.#coverage.saw('voters changed');
    if (isLeader && term >= this.#lead.term) {
      const isSending = status.progress.some(({ pendingSnapshot }) => pendingSnapshot > 0);
      if (isSending && !this.#lead.isSending) this.#come('snapshot', node);
      this.#lead = { term, isSending };
    }
    this.#last.set(node, { term, isLeader, isJoint, confState });
  }

  /** Calls back once, when the next of these comes. */
  atNext(awaited: AwaitedMoment, callback: () => void): void {
    this.#waiting.push({ ...awaited, callback });
  }

  /** Entries are on their way to a node's disk. */
  sawWrite(node: NodeId): void {
    this.#come('log-write', node);
  }

  /** Entries are gone from a node's log. */
  sawCompaction(node: NodeId): void {
    this.#come('compaction', node);
  }

  /** The run of this node has ended, without having been asked to. */
  crashed(node: NodeId): void {
    if ([...this.#last.values()].some(({ isJoint }) => isJoint))
      this.#coverage.saw('crashes in a joint configuration');
    this.#last.delete(node);
  }

  /** An entry was applied for the first time anywhere. */
  sawApplied(term: Term, { commands }: CommandBatch): void {
    this.#coverage.saw('entries applied');
    for (const { session, sequence } of commands) {
      if (session === '') continue;
      const request = `${session}/${sequence}`;
      const first = this.#requests.get(request);
      if (first === undefined) this.#requests.set(request, term);
      else {
        this.#coverage.saw('requests repeated');
        if (first < term) this.#coverage.saw('requests repeated after a leader change');
      }
    }
  }

  #come(moment: Moment, node: NodeId): void {
    const due = this.#waiting.filter(
      (waiting) => waiting.moment === moment && (waiting.node ?? node) === node,
    );
    for (const waiting of due) this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    for (const { callback } of due) callback();
  }

  #sawElection(term: Term): void {
    this.#coverage.saw('elections');
    if (this.#lead.isSending && this.#lead.term < term)
      this.#coverage.saw('leader changes during a snapshot install');
  }
}
