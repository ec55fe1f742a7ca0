/** @module A copied data directory is the node's own again once it has all that the node may have promised before. */
import { type EntryId, isUpToDate } from '../../raft/entry-id.ts';
import { NO_RESTRAINT, type Restraint } from '../../raft/restraint.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface CopyAdoptionComponents {
  readonly log: RaftLogStore;
  readonly driver: RaftDriver;
}

const IDLE_MS = 250;

/** Until then the restraint lives in this process alone, and the next start must ask again (vouching.ts). */
export class CopyAdoption implements BackgroundWorker {
  readonly name = 'copy-adoption';
  readonly idleMs: number = IDLE_MS;
  readonly #components: CopyAdoptionComponents;
  #restraint: Restraint = NO_RESTRAINT;

  constructor(components: CopyAdoptionComponents) {
    this.#components = components;
  }

  /** Order: the copy was vouched for, the driver has not started, and neither has this worker. Nothing for any other directory. */
  hold(restraint: Restraint): void {
    const { log, driver } = this.#components;
    if (!log.isCopy) return;
    this.#restraint = restraint;
    driver.restrain(restraint);
  }

  async work(): Promise<WorkState> {
    const { log } = this.#components;
    if (log.isCopy && this.#isMet(log)) await log.adopt();
    return 'idle';
  }

  /** By what is durable. */
  #isMet(log: RaftLogStore): boolean {
    const { term, vote } = log.initialState().hardState;
    const index = log.lastIndex();
    const last: EntryId = { term: log.term(index), index };
    const isTermSpent = term > this.#restraint.term || (term === this.#restraint.term && vote !== 0);
    return isTermSpent && isUpToDate(last, this.#restraint.last);
  }
}
