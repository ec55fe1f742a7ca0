/** @module The rule of admission: an authenticated peer id that is an active member; raft for metadata nodes and those it counts in. */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { PeerId, TrafficClass } from '../network/network.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface MemberAuthorizerComponents {
  readonly members: MemberDirectory;
  readonly barrier: ReadBarrier;
  readonly driver: RaftDriver;
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
    if (this.#components.members.byPeer(peer) !== undefined && this.#admits(peer, trafficClass)) return true;
    if (this.#components.members.activeByPeer(peer) !== undefined) return this.#admits(peer, trafficClass);
    return this.#catchUp(peer).then(() => this.#admits(peer, trafficClass));
  }

  #admits(peer: PeerId, trafficClass: TrafficClass): boolean {
    const { members, driver } = this.#components;
    const member = members.activeByPeer(peer);
    if (trafficClass !== 'raft') return member !== undefined;
    if (hasRole(member, 'meta')) return true;
    // One that was removed still votes and acknowledges until its removal from the configuration is committed.
    const former = members.byPeer(peer);
    return former !== undefined && driver.isInConfiguration(former.number);
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
