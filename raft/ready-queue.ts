/** @module From the node's state to the next Ready: what has changed since the last one, and what is owed because of it. */
import { entriesSizeBytes } from './entry-size.ts';
import { invariant } from './errors.ts';
import type { Outgoing } from './outbox.ts';
import type { RaftState } from './raft-state.ts';
import {
  storageAppend,
  storageAppendResponse,
  storageApply,
  storageApplyResponse,
} from './storage-messages.ts';
import type { HardState, Message, Ready, SoftState } from './types.ts';

/** All of a Ready but its messages. */
type Work = Omit<Ready, 'messages'>;

/** Remembers what the shell was told, and, in synchronous mode, what its advance() will confirm. */
export class ReadyQueue {
  readonly #raft: RaftState;
  readonly #isAsync: boolean;
  #toldSoftState: SoftState;
  #toldHardState: HardState;
  #stepsOnAdvance: Message[] = [];
  #awaitsAdvance = false;

  constructor(raft: RaftState) {
    this.#raft = raft;
    this.#isAsync = raft.config.asyncStorageWrites === true;
    this.#toldSoftState = raft.softState();
    this.#toldHardState = raft.hardState();
  }

  /** Asked after every event: compares, and builds nothing. */
  hasNext(): boolean {
    const { outbox, readStates, log } = this.#raft;
    return (
      !outbox.isEmpty ||
      readStates.length > 0 ||
      log.unstable.hasNextEntries() ||
      log.hasNextCommittedEntries() ||
      log.unstable.nextSnapshot() !== undefined ||
      this.#isNewSoftState() ||
      this.#isNewHardState()
    );
  }

  next(): Ready {
    invariant(!this.#awaitsAdvance, () => 'ready() was called twice without advance()');
    const raft = this.#raft;
    const work = this.#work();
    const outgoing = raft.outbox.take();
    const messages = this.#isAsync ? this.#withWrites(work, outgoing) : this.#splitOff(work, outgoing);
    this.#awaitsAdvance = !this.#isAsync;
    this.#accept(work);
    return { ...work, messages };
  }

  /** The events that the shell's advance() stands for; empty when no Ready is out. */
  takeStepsOnAdvance(): readonly Message[] {
    invariant(
      !this.#isAsync,
      () => 'advance() was called with asyncStorageWrites; deliver the responses instead',
    );
    const steps = this.#stepsOnAdvance;
    this.#stepsOnAdvance = [];
    this.#awaitsAdvance = false;
    return steps;
  }

  #work(): Work {
    const raft = this.#raft;
    const entries = raft.log.unstable.nextEntries();
    const snapshot = raft.log.unstable.nextSnapshot();
    return {
      ...(this.#isNewSoftState() && { softState: raft.softState() }),
      ...(this.#isNewHardState() && { hardState: raft.hardState() }),
      readStates: raft.readStates,
      entries,
      ...(snapshot !== undefined && { snapshot }),
      committedEntries: raft.log.nextCommittedEntries(),
      // A commit index alone may be lost: the next leader tells it again.
      mustSync:
        entries.length > 0 ||
        raft.term !== this.#toldHardState.term ||
        raft.vote !== this.#toldHardState.vote,
    };
  }

  /** Asynchronous: the promises go along with the write that they wait for. */
  #withWrites(work: Work, { immediate, afterAppend }: Outgoing): Message[] {
    const append = storageAppend(this.#raft, work, afterAppend);
    const apply = storageApply(this.#raft, work.committedEntries);
    if (append !== undefined) immediate.push(append);
    if (apply !== undefined) immediate.push(apply);
    return immediate;
  }

  /** Synchronous: promises to others leave with the Ready, which is written first; those to itself wait for advance(). */
  #splitOff(work: Work, { immediate, afterAppend }: Outgoing): Message[] {
    const steps: Message[] = [];
    for (const promise of afterAppend) (promise.to === this.#raft.id ? steps : immediate).push(promise);
    const stable = storageAppendResponse(this.#raft, work.snapshot);
    if (stable !== undefined) steps.push(stable);
    if (work.committedEntries.length > 0) steps.push(storageApplyResponse(this.#raft, work.committedEntries));
    this.#stepsOnAdvance = steps;
    return immediate;
  }

  #accept({ softState, hardState, committedEntries }: Work): void {
    const raft = this.#raft;
    if (softState !== undefined) this.#toldSoftState = softState;
    if (hardState !== undefined) this.#toldHardState = hardState;
    raft.readStates = [];
    raft.log.unstable.acceptInProgress();
    const last = committedEntries.at(-1);
    if (last !== undefined) raft.log.acceptApplying(last.index, entriesSizeBytes(committedEntries));
  }

  #isNewSoftState(): boolean {
    const { lead, state } = this.#raft;
    return lead !== this.#toldSoftState.lead || state !== this.#toldSoftState.raftState;
  }

  #isNewHardState(): boolean {
    const { term, vote, log } = this.#raft;
    const told = this.#toldHardState;
    return term !== told.term || vote !== told.vote || log.committed !== told.commit;
  }
}
