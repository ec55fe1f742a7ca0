/** @module Begins the eras of garbage collection, by the leader's monotonic clock: one that jumps changes nothing. */
import type { Clock } from '../common/clock.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import { collectionOf } from '../namespace/collection.ts';
import { levelOfCommand } from '../namespace/feature-level.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface EraWorkerComponents {
  readonly driver: Pick<RaftDriver, 'isLeader'>;
  readonly proposer: Pick<Proposer, 'submitInternal'>;
  readonly machine: Pick<StateMachine, 'cluster' | 'featureLevel'>;
  readonly clock: Clock;
}

const MAX_IDLE_MS = 500;

export class EraWorker implements BackgroundWorker {
  readonly name = 'collection-eras';
  readonly #components: EraWorkerComponents;
  /** The era this node has led in, and since when; a new leader waits a whole one. */
  #watched: { readonly era: number; readonly sinceMs: number } | undefined;

  constructor(components: EraWorkerComponents) {
    this.#components = components;
  }

  get idleMs(): number {
    return Math.min(MAX_IDLE_MS, collectionOf(this.#components.machine.cluster()).eraMs / 2);
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { driver, machine, proposer, clock } = this.#components;
    const { era, eraMs } = collectionOf(machine.cluster());
    const begin = { $case: 'beginEra' as const, value: { era: era + 1 } };
    if (!driver.isLeader || machine.featureLevel < levelOfCommand(begin)) {
      this.#watched = undefined;
      return 'idle';
    }
    const nowMs = clock.monotonicMs();
    if (this.#watched?.era !== era) this.#watched = { era, sinceMs: nowMs };
    if (nowMs - this.#watched.sinceMs >= eraMs) await proposer.submitInternal(begin, signal);
    return 'idle';
  }
}
