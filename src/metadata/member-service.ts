/** @module Who belongs to the cluster, and how a member leaves it. */
import type { StateMachine } from '../namespace/state-machine.ts';
import { serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { MEMBERS, REMOVE_MEMBER, WHO_IS } from '../protocol/methods.ts';
import type { RemoveMemberRequest, RemoveMemberResponse } from '../protocol/messages.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import type { DatanodeStates } from './datanode-states.ts';
import { lastMetadataNode, noSuchMember, removalUnsafe } from './member-errors.ts';
import { notAllowed } from './errors.ts';
import { onLeader } from './leader-call.ts';
import type { MemberChanges } from './member-changes.ts';
import { ACTIVE, type MemberDirectory, hasRole } from './member-directory.ts';
import type { MembershipManager } from './membership-manager.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ReadBarrier } from './read-barrier.ts';
import type { ClusterSurvey } from './repair/cluster-survey.ts';
import type { SoleSearch } from './repair/sole-search.ts';
import { removalConcerns } from './removal-check.ts';

export interface MemberServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly changes: MemberChanges;
  readonly proposer: Proposer;
  readonly barrier: ReadBarrier;
  readonly driver: RaftDriver;
  readonly membership: MembershipManager;
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
  readonly clusterSurvey: ClusterSurvey;
  readonly soleSearch: SoleSearch;
}

export class MemberService {
  readonly #components: MemberServiceComponents;

  constructor(components: MemberServiceComponents) {
    this.#components = components;
  }

  start(): void {
    const { network, machine, members, barrier, changes } = this.#components;
    serve(network, MEMBERS, async ({ stale, knownVersion = 0, knownEpoch = 0 }, { signal }) => {
      if (!stale) await barrier.wait(signal);
      const { epoch = 0 } = machine.cluster() ?? {};
      const { members: listed, version, isChange } = changes.since(knownEpoch === epoch ? knownVersion : 0);
      return { members: [...listed], version, isChange, cluster: machine.cluster() };
    });
    serve(network, WHO_IS, async ({ peer }, { signal }) => {
      // Somebody unknown may have joined at another node a moment ago; somebody known needs no round.
      if (members.activeByPeer(peer) === undefined) await barrier.wait(signal);
      return { member: members.activeByPeer(peer) };
    });
    serve(network, REMOVE_MEMBER, async (request, { peer, signal }) => {
      await barrier.wait(signal);
      this.#checkCaller(request.number, peer);
      const hasComeFar = hasRole(members.activeByPeer(peer), 'meta');
      return onLeader(this.#components, REMOVE_MEMBER, request, { hasComeFar, signal }, () =>
        this.#remove(request, signal),
      );
    });
  }

  #checkCaller(number: number, peer: PeerId): void {
    const caller = this.#components.members.activeByPeer(peer);
    if (caller?.number !== number && !hasRole(caller, 'client', 'meta'))
      throw notAllowed('a datanode may remove only itself', { peer, number });
  }

  /** Only the leader knows which voters answer, and so what a removal would leave. */
  async #remove(request: RemoveMemberRequest, signal: AbortSignal): Promise<RemoveMemberResponse> {
    const { members, proposer, membership } = this.#components;
    const { number, force, dryRun } = request;
    const member = members.byNumber(number);
    if (member === undefined) throw noSuchMember(number);
    if (member.state !== ACTIVE) return { member, concerns: [], removed: true };
    const metadataNodes = members.withRole('meta');
    if (metadataNodes.length === 1 && metadataNodes[0]?.number === number) throw lastMetadataNode(number);
    const view = membership.view();
    const { clusterSurvey, soleSearch } = this.#components;
    const [blocks, sole] = await Promise.all([clusterSurvey.ask(signal), soleSearch.ask(number, signal)]);
    const concerns = removalConcerns(
      { ...this.#components, blocks, sole },
      { member, view, settings: membership.settings() },
    );
    if (dryRun) return { member, concerns, removed: false };
    if (concerns.length > 0 && !force) throw removalUnsafe(number, concerns);
    await proposer.submitInternal({ $case: 'removeMember', value: { number } }, signal);
    return { member, concerns, removed: true };
  }
}
