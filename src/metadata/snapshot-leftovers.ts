/** @module Removes what is there of a snapshot whose fetching nobody went on with after a restart. */
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { SnapshotReceiver } from './snapshot-receiver.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** A leader that wants us to have a snapshot says so within seconds. */
const WAIT_MS = 600_000;

export class SnapshotLeftovers implements BackgroundWorker {
  readonly name = 'snapshot-leftovers';
  readonly idleMs: number = WAIT_MS;
  readonly #receiver: SnapshotReceiver;
  readonly #store: SnapshotStore;

  constructor(components: { readonly receiver: SnapshotReceiver; readonly received: SnapshotStore }) {
    this.#receiver = components.receiver;
    this.#store = components.received;
  }

  async work(): Promise<WorkState> {
    if (this.#receiver.isFetching) return 'idle';
    await this.#store.prunePartial();
    return 'done';
  }
}
