/** @module Gives a metadata node that has lost its log a new number: node ids are never used again (S16 of simulations/README.md). */
import type { Logger } from '../common/logger.ts';
import { featureLevelTooLow } from '../namespace/errors.ts';
import { FIRST_FEATURE_LEVEL } from '../namespace/feature-level.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { type CallContext, serve } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type { JoinResponse, RejoinRequest } from '../protocol/messages.ts';
import { REJOIN } from '../protocol/methods.ts';
import { badRequest, notAllowed, notLeader, notReady } from './errors.ts';
import { rejoinUnsafe } from './member-errors.ts';
import { type MemberDirectory, isMetadataNode } from './member-directory.ts';
import type { MembershipManager } from './membership-manager.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ReadBarrier } from './read-barrier.ts';
import { hasLivingQuorum } from './voter-plan.ts';

export interface RejoinServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly membership: MembershipManager;
  readonly proposer: Proposer;
  readonly barrier: ReadBarrier;
  readonly driver: RaftDriver;
  readonly logger: Logger;
}

export class RejoinService {
  readonly #components: RejoinServiceComponents;

  constructor(components: RejoinServiceComponents) {
    this.#components = components;
  }

  /**
   * The old number has left when the answer comes, and the new one begins as a learner. To the others this is the loss of
   * a voter, so it is refused unless a majority of the remaining voters is heard: then they could elect and commit
   * without it. Errors: METADATA_NOT_LEADER (ask the next one), METADATA_NO_QUORUM, METADATA_REJOIN_UNSAFE,
   * METADATA_NOT_READY (unavailable); METADATA_NOT_ALLOWED, NAMESPACE_FEATURE_LEVEL_TOO_LOW (refused).
   */
  start(): void {
    serve(this.#components.network, REJOIN, (request, context) => this.#readmit(request, context));
  }

  async #readmit(
    { number, reason, featureLevel }: RejoinRequest,
    context: CallContext,
  ): Promise<JoinResponse> {
    const { peer, signal } = context;
    const { machine, members, membership, proposer, barrier, driver, logger } = this.#components;
    // Not passed on to the leader: who asks is known by its connection only.
    if (!driver.isLeader) throw notLeader(driver.leader);
    await barrier.wait(signal);
    const cluster = machine.cluster();
    if (cluster === undefined) throw notReady();
    // Its number of now, whatever it asked for: an earlier answer may have been lost, and a number that may have voted
    // is not given again.
    const member = members.activeByPeer(peer);
    if (member === undefined || !isMetadataNode(member))
      throw notAllowed('only a metadata node gets a new number', { peer, number });
    const supported = featureLevel ?? FIRST_FEATURE_LEVEL;
    if (supported < machine.featureLevel) throw featureLevelTooLow(supported, machine.featureLevel);
    const view = membership.view();
    const remaining = view.status.confState.voters.filter((id) => id !== member.number);
    if (!hasLivingQuorum(view, remaining)) throw rejoinUnsafe(member.number, remaining);

    const command = { $case: 'replaceMember', value: { number: member.number } } as const;
    const { result, index } = await proposer.submitInternal(command, signal);
    await proposer.settled(index, signal);
    if (result.kind?.$case !== 'member') throw badRequest('the member was not replaced');
    const heir = result.kind.value;
    logger.warn('member.replaced', { number: member.number, by: heir.number, peer, reason });
    return { cluster, member: heir, client: undefined, metadataNodes: [...members.withRole('meta')] };
  }
}
