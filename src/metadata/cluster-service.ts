/** @module What an administrator changes about the cluster: who leads, how many vote, when a silent voter is replaced. */
import type { Clock } from '../common/clock.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { type CallContext, serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type {
  ConfigureRequest,
  ConfigureResponse,
  TransferLeaderRequest,
  TransferLeaderResponse,
} from '../protocol/messages.ts';
import { CONFIGURE, TRANSFER_LEADER } from '../protocol/methods.ts';
import type { Logger } from '../common/logger.ts';
import { notAllowed } from './errors.ts';
import { notAVoter, notTransferred } from './member-errors.ts';
import { onLeader } from './leader-call.ts';
import { reachableSuccessor, transferLeadership } from './leadership-handover.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface ClusterServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly driver: RaftDriver;
  readonly proposer: Proposer;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class ClusterService {
  readonly #components: ClusterServiceComponents;

  constructor(components: ClusterServiceComponents) {
    this.#components = components;
  }

  /** Errors: METADATA_NOT_ALLOWED, METADATA_NOT_A_VOTER, METADATA_NOT_TRANSFERRED, METADATA_NOT_LEADER; of the proposal. */
  start(): void {
    const { network } = this.#components;
    serve(network, TRANSFER_LEADER, (request, context) => this.#transfer(request, context));
    serve(network, CONFIGURE, (request, context) => this.#configure(request, context));
  }

  #transfer({ to }: TransferLeaderRequest, { peer, signal }: CallContext): Promise<TransferLeaderResponse> {
    this.#checkCaller(peer);
    const { members } = this.#components;
    const hasComeFar = hasRole(members.activeByPeer(peer), 'meta');
    return onLeader(this.#components, TRANSFER_LEADER, { to }, { hasComeFar, signal }, () =>
      this.#handOver(to),
    );
  }

  async #handOver(wanted: number): Promise<TransferLeaderResponse> {
    const { driver } = this.#components;
    const { voters } = driver.status().confState;
    if (wanted === driver.id) return { leader: driver.id };
    if (wanted !== 0 && !voters.includes(wanted)) throw notAVoter(wanted, voters);
    const to = wanted === 0 ? reachableSuccessor(this.#components) : wanted;
    if (to === undefined) throw notTransferred(0, driver.id);
    return { leader: await transferLeadership(this.#components, to) };
  }

  async #configure(request: ConfigureRequest, { peer, signal }: CallContext): Promise<ConfigureResponse> {
    this.#checkCaller(peer);
    const { proposer, machine } = this.#components;
    const { index } = await proposer.submitInternal({ $case: 'configureCluster', value: request }, signal);
    await proposer.settled(index, signal);
    return { cluster: machine.cluster() };
  }

  #checkCaller(peer: PeerId): void {
    if (!hasRole(this.#components.members.activeByPeer(peer), 'client', 'meta'))
      throw notAllowed('a datanode may not change the cluster', { peer });
  }
}
