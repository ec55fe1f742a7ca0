/** @module What the core reads of the durable log, with the configuration the state machine has applied. */
import type { ConfState, Entry, HardState, Index, Snapshot, Storage, Term } from '../../raft/types.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { decodeConfState } from './raft-wire.ts';

/** Gives a snapshot to send, or throws RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE (snapshot-maker.ts). */
export interface SnapshotOffer {
  snapshot(): Snapshot;
}

/** The log knows only the configuration it began with; every later one is applied state. */
export class CoreStorage implements Storage {
  readonly #log: RaftLogStore;
  readonly #machine: StateMachine;
  readonly #snapshots: SnapshotOffer;

  constructor(log: RaftLogStore, machine: StateMachine, snapshots: SnapshotOffer) {
    this.#log = log;
    this.#machine = machine;
    this.#snapshots = snapshots;
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    const { hardState, confState } = this.#log.initialState();
    const applied = this.#machine.confState();
    return {
      // A commit index is written without fsync, so the machine may durably be ahead of it; what it applied is committed.
      hardState: { ...hardState, commit: Math.max(hardState.commit, this.#machine.appliedIndex) },
      confState: applied === undefined ? confState : decodeConfState(applied),
    };
  }

  entries(lo: Index, hi: Index, maxSizeBytes: number): Entry[] {
    return this.#log.entries(lo, hi, maxSizeBytes);
  }

  term(i: Index): Term {
    return this.#log.term(i);
  }

  firstIndex(): Index {
    return this.#log.firstIndex();
  }

  lastIndex(): Index {
    return this.#log.lastIndex();
  }

  snapshot(): Snapshot {
    return this.#snapshots.snapshot();
  }
}
