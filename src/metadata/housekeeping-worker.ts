/** @module Expiry and the freeing of orphans, proposed by the leader so that every node does the same. */
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { LogClock } from './log-clock.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface HousekeepingComponents {
  readonly driver: RaftDriver;
  readonly proposer: Proposer;
  readonly machine: StateMachine;
  readonly logClock: LogClock;
}

const IDLE_MS = 1_000;
/** Blocks freed by one command, at most: keeps one entry's work small. */
const FREED_BLOCKS_LIMIT = 1_000;

export class HousekeepingWorker implements BackgroundWorker {
  readonly name = 'housekeeping';
  readonly idleMs: number = IDLE_MS;
  readonly #components: HousekeepingComponents;

  constructor(components: HousekeepingComponents) {
    this.#components = components;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { driver, proposer, machine, logClock } = this.#components;
    if (!driver.isLeader || !machine.housekeepingDue(logClock.nowMs())) return 'idle';
    const value = { limit: FREED_BLOCKS_LIMIT };
    const { result } = await proposer.submitInternal({ $case: 'housekeeping', value }, signal);
    return result.kind?.$case === 'housekeeping' && result.kind.value.more ? 'busy' : 'idle';
  }
}
