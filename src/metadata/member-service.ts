/** @module Who belongs to the cluster, and how a member leaves it. */
import type { StateMachine } from '../namespace/state-machine.ts';
import { serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { MEMBERS, REMOVE_MEMBER, WHO_IS } from '../protocol/methods.ts';
import { lastMetadataNode, notAllowed } from './errors.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';
import type { Proposer } from './proposer.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface MemberServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly proposer: Proposer;
  readonly barrier: ReadBarrier;
}

export class MemberService {
  readonly #components: MemberServiceComponents;

  constructor(components: MemberServiceComponents) {
    this.#components = components;
  }

  start(): void {
    const { network, machine, members, barrier } = this.#components;
    serve(network, MEMBERS, async ({ stale }, { signal }) => {
      if (!stale) await barrier.wait(signal);
      return {
        members: [...machine.members()],
        version: machine.counters().membersVersion,
        cluster: machine.cluster(),
      };
    });
    serve(network, WHO_IS, async ({ peer }, { signal }) => {
      // Somebody unknown may have joined at another node a moment ago; somebody known needs no round.
      if (members.activeByPeer(peer) === undefined) await barrier.wait(signal);
      return { member: members.activeByPeer(peer) };
    });
    serve(network, REMOVE_MEMBER, async ({ number }, { peer, signal }) => {
      await barrier.wait(signal);
      await this.#remove(number, peer, signal);
      return {};
    });
  }

  async #remove(number: number, peer: PeerId, signal: AbortSignal): Promise<void> {
    const { members, proposer } = this.#components;
    const caller = members.activeByPeer(peer);
    if (caller?.number !== number && !hasRole(caller, 'client', 'meta'))
      throw notAllowed('a datanode may remove only itself', { peer, number });
    const metadataNodes = members.withRole('meta');
    if (metadataNodes.length === 1 && metadataNodes[0]?.number === number) throw lastMetadataNode(number);
    await proposer.submitInternal({ $case: 'removeMember', value: { number } }, signal);
  }
}
