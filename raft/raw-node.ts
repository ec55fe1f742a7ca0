/** @module The door of the core: events in by method calls, everything owed to the world out by ready(). */
import { encodeConfChange } from './conf-change-codec.ts';
import { RaftError } from './errors.ts';
import { applyConfChange } from './membership.ts';
import { isLocalMessage, isLocalTarget, isResponseMessage, message } from './messages.ts';
import type { MessageDraft } from './messages.ts';
import { draftEntry } from './proposals.ts';
import { RaftState } from './raft-state.ts';
import { ReadyQueue } from './ready-queue.ts';
import { raftStatus } from './status.ts';
import type { Status } from './status.ts';
import { type Restraint, restrain } from './restraint.ts';
import { step } from './step.ts';
import { tick } from './ticks.ts';
import { NO_NODE } from './types.ts';
import type { ConfChange, ConfState, Config, EntryType, Message, NodeId, Ready } from './types.ts';

/**
 * One member of a raft group. Synchronous and single-threaded; it keeps no clock and does no I/O.
 *
 * The shell's loop: call tick/step/propose…, then `while (hasReady())`: `ready()`, do what types.ts `Ready` orders,
 * then `advance()`. Events may come in between ready() and advance(); a second ready() may not. With asyncStorageWrites
 * there is no advance(): see README.md, "The order a shell must keep".
 *
 * Any method may throw RAFT_INVARIANT, after which the node must not be used again.
 */
export class RawNode {
  readonly #raft: RaftState;
  readonly #readies: ReadyQueue;

  /** Throws RAFT_INVALID_CONFIG when config and storage do not fit together. */
  constructor(config: Config) {
    this.#raft = new RaftState(config);
    this.#readies = new ReadyQueue(this.#raft);
  }

  /** For a node that has forgotten promises; before the first event. What it raises is in the first Ready. */
  restrain(restraint: Restraint): void {
    restrain(this.#raft, restraint);
  }

  /** One unit of time has passed. */
  tick(): void {
    tick(this.#raft);
  }

  /**
   * Takes a message that came from a peer. Of a RaftError only RAFT_INVARIANT is fatal here; the shell ignores
   * RAFT_STEP_LOCAL_MESSAGE, RAFT_STEP_PEER_NOT_FOUND and, of a forwarded MsgProp, RAFT_PROPOSAL_DROPPED and
   * RAFT_BAD_ENCODING: they are the peer's concern. `from` of MsgProp, MsgReadIndex and MsgTransferLeader may be
   * another member than the one that sent the bytes: these are passed on.
   */
  step(incoming: Message): void {
    if (isLocalMessage(incoming.type) && !isLocalTarget(incoming.from))
      throw new RaftError(
        'RAFT_STEP_LOCAL_MESSAGE',
        `${incoming.type} must not come off the network; ignore it.`,
      );
    if (
      isResponseMessage(incoming.type) &&
      !isLocalTarget(incoming.from) &&
      !this.#raft.tracker.has(incoming.from)
    )
      throw new RaftError(
        'RAFT_STEP_PEER_NOT_FOUND',
        `${incoming.type} came from ${incoming.from}, which is no member here; ignore it.`,
      );
    step(this.#raft, incoming);
  }

  /** Starts an election now (with pre-vote when configured), unless leader or not promotable. */
  campaign(): void {
    this.#step({ type: 'MsgHup', to: NO_NODE, from: this.#raft.id });
  }

  /**
   * Appends `data` if leader, else forwards it to the known leader. There is no promise that it commits.
   * Throws RAFT_PROPOSAL_DROPPED when it surely was neither appended nor forwarded.
   */
  propose(data: Uint8Array): void {
    this.#proposeEntry('EntryNormal', data);
  }

  /**
   * Proposes a membership change; when it commits, the shell decodes the entry (conf-change-codec.ts) and calls
   * applyConfChange. A change that may not be made now (another is pending, or the leader has not committed in its
   * term) is appended as an empty normal entry instead. Throws RAFT_PROPOSAL_DROPPED like propose.
   */
  proposeConfChange(change: ConfChange, entryType: EntryType = 'EntryConfChangeV2'): void {
    this.#proposeEntry(entryType, encodeConfChange(change));
  }

  /**
   * Makes a committed membership change effective, while its entry is applied and before advance().
   * Returns the configuration to store with the applied index. Throws RAFT_CONF_CHANGE_INVALID.
   */
  applyConfChange(change: ConfChange): ConfState {
    return applyConfChange(this.#raft, change);
  }

  /**
   * Asks for a linearizable read point (thesis §6.4): a ReadState with this `requestCtx` comes in some later Ready,
   * or never (leader lost, message lost): ask again then, with a fresh context, never with the same.
   */
  readIndex(requestCtx: Uint8Array): void {
    this.#step({ type: 'MsgReadIndex', to: NO_NODE, entries: [draftEntry('EntryNormal', requestCtx)] });
  }

  /** Asks the leader to hand over to `to`, a voter. Given up after an election time-out. */
  transferLeader(to: NodeId): void {
    this.#step({ type: 'MsgTransferLeader', to: NO_NODE, from: to });
  }

  /** A follower stops believing in its leader (and may vote) without a change of term. */
  forgetLeader(): void {
    this.#step({ type: 'MsgForgetLeader', to: NO_NODE });
  }

  /** The last message to `id` was surely not delivered. */
  reportUnreachable(id: NodeId): void {
    this.#step({ type: 'MsgUnreachable', to: NO_NODE, from: id });
  }

  /** The snapshot sent to `id` was streamed in whole (`succeeded`) or not. Must be called once per MsgSnap. */
  reportSnapshot(id: NodeId, succeeded: boolean): void {
    this.#step({ type: 'MsgSnapStatus', to: NO_NODE, from: id, reject: !succeeded });
  }

  /**
   * Draws no lots: this node campaigns after `ticks` more without a leader, until it next draws. A preferred leader is
   * given fewer, a node that should not lead more; in [electionTick, 2*electionTick), or leaders are disturbed.
   */
  setElectionTimeout(ticks: number): void {
    this.#raft.randomizedElectionTimeout = ticks;
  }

  hasReady(): boolean {
    return this.#readies.hasNext();
  }

  /** Hands over everything owed since the last Ready. Must be followed by advance(), unless asyncStorageWrites. */
  ready(): Ready {
    return this.#readies.next();
  }

  /** The last Ready is persisted, sent and applied. Not with asyncStorageWrites: the responses stand for it there. */
  advance(): void {
    for (const m of this.#readies.takeStepsOnAdvance()) step(this.#raft, m);
  }

  /** A copy of the state, for people and for decisions of the shell. `progress` only on the leader. */
  status(): Status {
    return raftStatus(this.#raft);
  }

  #proposeEntry(type: EntryType, data: Uint8Array): void {
    this.#step({ type: 'MsgProp', to: NO_NODE, from: this.#raft.id, entries: [draftEntry(type, data)] });
  }

  #step(draft: MessageDraft): void {
    step(this.#raft, message(draft));
  }
}

export type { Status } from './status.ts';
