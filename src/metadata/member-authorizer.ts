/** @module The rule of admission: an authenticated peer id that is an active member, raft only for metadata nodes. */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { PeerId, TrafficClass } from '../network/network.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface MemberAuthorizerComponents {
  readonly members: MemberDirectory;
  readonly barrier: ReadBarrier;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A stranger is not looked up again within this, in milliseconds. */
const STRANGER_MS = 1_000;
const MAX_STRANGERS = 1_024;

export class MemberAuthorizer {
  readonly #components: MemberAuthorizerComponents;
  readonly #strangers = new Map<PeerId, number>();

  constructor(components: MemberAuthorizerComponents) {
    this.#components = components;
  }

  /** Answers at once for a member; a stranger waits for one linearizable look. */
  authorize(peer: PeerId, trafficClass: TrafficClass): boolean | Promise<boolean> {
    if (this.#components.members.activeByPeer(peer) !== undefined) return this.#admits(peer, trafficClass);
    return this.#catchUp(peer).then(() => this.#admits(peer, trafficClass));
  }

  #admits(peer: PeerId, trafficClass: TrafficClass): boolean {
    const member = this.#components.members.activeByPeer(peer);
    return trafficClass === 'raft' ? hasRole(member, 'meta') : member !== undefined;
  }

  /** The peer may have become a member through another metadata node: one linearizable look settles it. */
  async #catchUp(peer: PeerId): Promise<void> {
    const { barrier, clock, logger } = this.#components;
    const until = this.#strangers.get(peer);
    if (until !== undefined && clock.monotonicMs() < until) return;
    if (this.#strangers.size >= MAX_STRANGERS) this.#strangers.clear();
    this.#strangers.set(peer, clock.monotonicMs() + STRANGER_MS);
    try {
      await barrier.wait();
    } catch (error) {
      logger.debug('member.lookup-failed', { peer, error: describeError(error) });
    }
  }
}
