/** @module Emptying a datanode: begun and called off by an administrator, carried out by the keepers. */
import { serve, type CallContext } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type { DrainRequest, DrainResponse } from '../protocol/messages.ts';
import { DRAIN } from '../protocol/methods.ts';
import { noSuchMember, notADatanode } from './member-errors.ts';
import { notAllowed } from './errors.ts';
import { ACTIVE, hasRole, type MemberDirectory } from './member-directory.ts';
import type { Proposer } from './proposer.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface DrainServiceComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly barrier: ReadBarrier;
  readonly proposer: Proposer;
}

export class DrainService {
  readonly #components: DrainServiceComponents;

  constructor(components: DrainServiceComponents) {
    this.#components = components;
  }

  /** Errors: METADATA_NOT_ALLOWED, METADATA_NOT_A_DATANODE, NAMESPACE_NO_SUCH_MEMBER; of the proposal. */
  start(): void {
    serve(this.#components.network, DRAIN, (request, context) => this.#drain(request, context));
  }

  async #drain({ number, isOver }: DrainRequest, { peer, signal }: CallContext): Promise<DrainResponse> {
    const { members, barrier, proposer } = this.#components;
    await barrier.wait(signal);
    if (!hasRole(members.activeByPeer(peer), 'client', 'meta'))
      throw notAllowed('a datanode is emptied by administrators', { peer });
    const member = members.byNumber(number);
    if (member === undefined || member.state !== ACTIVE) throw noSuchMember(number);
    if (!hasRole(member, 'data')) throw notADatanode(number);
    // Who asks again for what is done already must not begin it anew.
    if (isOver || (member.drain ?? '') === '') {
      const value = { number, drain: isOver ? '' : 'draining' };
      const { index } = await proposer.submitInternal({ $case: 'setDrain', value }, signal);
      await proposer.settled(index, signal);
    }
    return { member: members.byNumber(number) };
  }
}
