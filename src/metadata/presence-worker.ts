/** @module The leader commits which metadata nodes it does not hear, so that others hold their part of the location index. */
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { MembershipManager } from './membership-manager.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface PresenceWorkerComponents {
  readonly driver: RaftDriver;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly membership: MembershipManager;
  readonly proposer: Proposer;
  readonly logger: Logger;
}

/** The feature level from which on presence is committed. */
const PRESENCE_LEVEL = 2;
const IDLE_MS = 200;
/**
 * Silence after which a metadata node is away, in milliseconds. A restart that takes less moves nothing; one that takes
 * longer costs the moving of its shards, which must be over within seconds of its death.
 */
export const AWAY_AFTER_MS = 5_000;

export class PresenceWorker implements BackgroundWorker {
  readonly name = 'presence';
  readonly idleMs: number = IDLE_MS;
  readonly #components: PresenceWorkerComponents;

  constructor(components: PresenceWorkerComponents) {
    this.#components = components;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { driver, machine, members, membership, proposer, logger } = this.#components;
    if (!driver.isLeader || machine.featureLevel < PRESENCE_LEVEL) return 'idle';
    const { contacts } = membership.view();
    for (const { number, away: wasAway = false } of members.withRole('meta')) {
      const away = wasAway ? !contacts.isAlive(number) : contacts.silentMs(number) >= AWAY_AFTER_MS;
      if (away === wasAway) continue;
      await proposer.submitInternal({ $case: 'setPresence', value: { number, away } }, signal);
      logger[away ? 'warn' : 'info']('member.presence', { number, away });
    }
    return 'idle';
  }
}
