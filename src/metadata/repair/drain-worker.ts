/** @module The leader notes when a datanode that is being emptied is empty: when every keeper has walked over its blocks and needs none there. */
import type { Logger } from '../../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../../common/worker.ts';
import type { StateMachine } from '../../namespace/state-machine.ts';
import { LIVENESS_LEVEL } from '../datanode-states.ts';
import type { MemberDirectory } from '../member-directory.ts';
import type { Proposer } from '../proposer.ts';
import type { RaftDriver } from '../raft-driver.ts';
import type { ClusterSurvey } from './cluster-survey.ts';

export interface DrainWorkerComponents {
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly driver: RaftDriver;
  readonly proposer: Proposer;
  readonly clusterSurvey: ClusterSurvey;
  readonly logger: Logger;
}

const IDLE_MS = 1_000;
/** While a datanode drains: somebody waits for it to be empty. */
const DRAINING_IDLE_MS = 250;

/**
 * That a datanode drains is in the log, and what is left to do is looked up: a new leader goes on where the old one was.
 * The copies stay until the datanode is removed, so there is no moment with fewer than before.
 */
export class DrainWorker implements BackgroundWorker {
  readonly name = 'drain';
  readonly #components: DrainWorkerComponents;
  /** Version of the members when this leader first saw the datanode drain: older walks knew nothing of it. */
  readonly #sinceVersion = new Map<number, number>();

  constructor(components: DrainWorkerComponents) {
    this.#components = components;
  }

  get idleMs(): number {
    return this.#sinceVersion.size > 0 ? DRAINING_IDLE_MS : IDLE_MS;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { machine, members, driver, proposer, clusterSurvey, logger } = this.#components;
    const draining = members.withRole('data').filter(({ drain }) => drain === 'draining');
    for (const number of this.#sinceVersion.keys())
      if (!driver.isLeader || !draining.some((member) => member.number === number))
        this.#sinceVersion.delete(number);
    if (!driver.isLeader || machine.featureLevel < LIVENESS_LEVEL || draining.length === 0) return 'idle';
    const { membersVersion } = machine.counters();
    for (const { number } of draining)
      if (!this.#sinceVersion.has(number)) this.#sinceVersion.set(number, membersVersion);
    const figures = await clusterSurvey.ask(signal);
    for (const { number } of draining) {
      const since = this.#sinceVersion.get(number) ?? membersVersion;
      if (!figures.isComplete(since) || figures.needed(number).blocks > 0) continue;
      const value = { number, drain: 'drained', from: 'draining' };
      await proposer.submitInternal({ $case: 'setDrain', value }, signal);
      logger.info('datanode.drained', { datanode: number });
    }
    return 'idle';
  }
}
