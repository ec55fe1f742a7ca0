/** @module The door of the core: events in by method calls, everything owed to the world out by ready(). */
import { encodeConfChange } from './conf-change-codec.ts';
import { entriesSizeBytes } from './entry-size.ts';
import { RaftError, invariant } from './errors.ts';
import { applyConfChange } from './membership.ts';
import {
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  isLocalMessage,
  isLocalTarget,
  isResponseMessage,
  message,
} from './messages.ts';
import { Raft } from './raft.ts';
import { raftStatus } from './status.ts';
import type { Status } from './status.ts';
import { NO_NODE } from './types.ts';
import type {
  ConfChange,
  ConfState,
  Config,
  Entry,
  EntryType,
  HardState,
  Message,
  NodeId,
  Ready,
  SoftState,
} from './types.ts';

/**
 * One member of a raft group. Synchronous and single-threaded; it keeps no clock and does no I/O.
 *
 * The shell's loop: call tick/step/propose…, then `while (hasReady())`: `ready()`, do what types.ts `Ready` orders,
 * then `advance()`. Events may come in between ready() and advance(); a second ready() may not.
 *
 * Any method may throw RAFT_INVARIANT, after which the node must not be used again.
 */
export class RawNode {
  readonly #raft: Raft;
  #previousSoftState: SoftState;
  #previousHardState: HardState;
  #stepsOnAdvance: Message[] = [];
  #awaitsAdvance = false;

  /** Throws RAFT_INVALID_CONFIG when config and storage do not fit together. */
  constructor(config: Config) {
    this.#raft = new Raft(config);
    this.#previousSoftState = this.#raft.softState();
    this.#previousHardState = this.#raft.hardState();
  }

  /** One unit of time has passed. */
  tick(): void {
    this.#raft.tick();
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
    if (isResponseMessage(incoming.type) && !this.#raft.tracker.has(incoming.from))
      throw new RaftError(
        'RAFT_STEP_PEER_NOT_FOUND',
        `${incoming.type} came from ${incoming.from}, which is no member here; ignore it.`,
      );
    this.#raft.step(incoming);
  }

  /** Starts an election now (with pre-vote when configured), unless leader or not promotable. */
  campaign(): void {
    this.#raft.step(message({ type: 'MsgHup', to: NO_NODE, from: this.#raft.id }));
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
    const entries = [{ term: 0, index: 0, type: 'EntryNormal', data: requestCtx } as const];
    this.#raft.step(message({ type: 'MsgReadIndex', to: NO_NODE, entries }));
  }

  /** Asks the leader to hand over to `to`, a voter. Given up after an election time-out. */
  transferLeader(to: NodeId): void {
    this.#raft.step(message({ type: 'MsgTransferLeader', to: NO_NODE, from: to }));
  }

  /** A follower stops believing in its leader (and may vote) without a change of term. */
  forgetLeader(): void {
    this.#raft.step(message({ type: 'MsgForgetLeader', to: NO_NODE }));
  }

  /** The last message to `id` was surely not delivered. */
  reportUnreachable(id: NodeId): void {
    this.#raft.step(message({ type: 'MsgUnreachable', to: NO_NODE, from: id }));
  }

  /** The snapshot sent to `id` was streamed in whole (`succeeded`) or not. Must be called once per MsgSnap. */
  reportSnapshot(id: NodeId, succeeded: boolean): void {
    this.#raft.step(message({ type: 'MsgSnapStatus', to: NO_NODE, from: id, reject: !succeeded }));
  }

  hasReady(): boolean {
    const raft = this.#raft;
    return (
      raft.outbox.length > 0 ||
      raft.outboxAfterAppend.length > 0 ||
      raft.readStates.length > 0 ||
      raft.log.hasNextUnstableEntries() ||
      raft.log.hasNextCommittedEntries() ||
      raft.log.hasNextUnstableSnapshot() ||
      !sameSoftState(raft.softState(), this.#previousSoftState) ||
      !sameHardState(raft.hardState(), this.#previousHardState)
    );
  }

  /** Hands over everything owed since the last Ready. Must be followed by advance(). */
  ready(): Ready {
    invariant(!this.#awaitsAdvance, () => 'ready() was called twice without advance()');
    const ready = this.#buildReady();
    this.#accept(ready);
    return ready;
  }

  /** The last Ready is persisted, sent and applied. */
  advance(): void {
    this.#awaitsAdvance = false;
    const steps = this.#stepsOnAdvance;
    this.#stepsOnAdvance = [];
    for (const step of steps) this.#raft.step(step);
  }

  /** A copy of the state, for people and for decisions of the shell. `progress` only on the leader. */
  status(): Status {
    return raftStatus(this.#raft);
  }

  #proposeEntry(type: EntryType, data: Uint8Array): void {
    const entries = [{ term: 0, index: 0, type, data }];
    this.#raft.step(message({ type: 'MsgProp', to: NO_NODE, from: this.#raft.id, entries }));
  }

  #buildReady(): Ready {
    const raft = this.#raft;
    const softState = raft.softState();
    const hardState = raft.hardState();
    const entries = raft.log.nextUnstableEntries();
    const snapshot = raft.log.nextUnstableSnapshot();
    const hardStateChanged = !sameHardState(hardState, this.#previousHardState);
    return {
      ...(!sameSoftState(softState, this.#previousSoftState) && { softState }),
      ...(hardStateChanged && { hardState }),
      readStates: raft.readStates,
      entries,
      ...(snapshot !== undefined && { snapshot }),
      committedEntries: raft.log.nextCommittedEntries(),
      messages: [...raft.outbox, ...raft.outboxAfterAppend.filter((m) => m.to !== raft.id)],
      mustSync:
        entries.length > 0 ||
        hardState.term !== this.#previousHardState.term ||
        hardState.vote !== this.#previousHardState.vote,
    };
  }

  #accept(ready: Ready): void {
    const raft = this.#raft;
    this.#awaitsAdvance = true;
    if (ready.softState !== undefined) this.#previousSoftState = ready.softState;
    if (ready.hardState !== undefined) this.#previousHardState = ready.hardState;
    this.#stepsOnAdvance = [
      ...raft.outboxAfterAppend.filter((m) => m.to === raft.id),
      ...this.#storageAppendResponse(ready),
      ...this.#storageApplyResponse(ready.committedEntries),
    ];
    raft.readStates = [];
    raft.outbox = [];
    raft.outboxAfterAppend = [];
    raft.log.acceptUnstable();
    const lastCommitted = ready.committedEntries.at(-1);
    if (lastCommitted !== undefined)
      raft.log.acceptApplying(lastCommitted.index, entriesSizeBytes(ready.committedEntries));
  }

  /** Attests the whole log, not just this Ready's entries: an earlier attestation may have been void by its term. */
  #storageAppendResponse(ready: Ready): Message[] {
    const raft = this.#raft;
    const hasEntries = raft.log.hasNextOrInProgressUnstableEntries();
    if (!hasEntries && ready.snapshot === undefined) return [];
    const last = hasEntries ? raft.log.lastEntryId() : { term: 0, index: 0 };
    return [
      message({
        type: 'MsgStorageAppendResp',
        to: raft.id,
        from: LOCAL_APPEND_THREAD,
        term: raft.term,
        index: last.index,
        logTerm: last.term,
        ...(ready.snapshot !== undefined && { snapshot: ready.snapshot }),
      }),
    ];
  }

  #storageApplyResponse(entries: readonly Entry[]): Message[] {
    if (entries.length === 0) return [];
    return [message({ type: 'MsgStorageApplyResp', to: this.#raft.id, from: LOCAL_APPLY_THREAD, entries })];
  }
}

export type { Status } from './status.ts';

function sameSoftState(a: SoftState, b: SoftState): boolean {
  return a.lead === b.lead && a.raftState === b.raftState;
}

function sameHardState(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.vote === b.vote && a.commit === b.commit;
}
