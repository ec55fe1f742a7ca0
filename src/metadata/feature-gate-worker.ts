/** @module Opens the feature gate: the leader raises the cluster's level once every metadata node supports a higher one. */
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import { FIRST_FEATURE_LEVEL } from '../namespace/feature-level.ts';
import type { Member } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { FEATURE_LEVEL } from '../protocol/methods.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface FeatureGateWorkerComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly driver: RaftDriver;
  readonly proposer: Proposer;
  readonly logger: Logger;
}

const IDLE_MS = 1_000;
const PROBE_TIMEOUT_MS = 2_000;

/**
 * Asks every active member with role meta, voter or learner or about to become one. One that does not answer keeps the
 * gate shut: it may come back as the old version. One that joins between the answers and the command, or is downgraded,
 * finds the command in its log and stops there, as its `format` is above what that version supports.
 */
export class FeatureGateWorker implements BackgroundWorker {
  readonly name = 'feature-gate';
  readonly idleMs: number = IDLE_MS;
  readonly #components: FeatureGateWorkerComponents;

  constructor(components: FeatureGateWorkerComponents) {
    this.#components = components;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { driver, machine, members, proposer, logger } = this.#components;
    const before = machine.featureLevel;
    if (!driver.isLeader || before >= machine.supportedFeatureLevel || machine.cluster() === undefined)
      return 'idle';
    const asked = members.withRole('meta');
    const levels = await Promise.all(asked.map((member) => this.#supportedBy(member, signal)));
    const level = Math.min(...levels);
    if (level <= before) {
      const behind = asked.filter((_, position) => (levels[position] ?? 0) <= before);
      logger.debug('feature.gate-shut', { level: before, behind: behind.map(({ number }) => number) });
      return 'idle';
    }
    await proposer.submitInternal({ $case: 'raiseFeatureLevel', value: { level } }, signal);
    logger.info('feature.gate-opened', { before, level });
    return 'idle';
  }

  /** 0 for a node that does not answer. */
  async #supportedBy({ number, peer }: Member, signal: AbortSignal): Promise<number> {
    const { network, machine, logger } = this.#components;
    if (peer === network.localPeer) return machine.supportedFeatureLevel;
    try {
      const options = { signal, timeoutMs: PROBE_TIMEOUT_MS };
      return (await call(network, peer, FEATURE_LEVEL, {}, options)).supported;
    } catch (error) {
      // Versions of the first level do not know the question.
      if (isHoldfastError(error, 'NETWORK_NO_SUCH_METHOD')) return FIRST_FEATURE_LEVEL;
      logger.debug('feature.not-asked', { node: number, error: describeError(error) });
      return 0;
    }
  }
}
