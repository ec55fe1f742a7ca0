/** @module The rule of admission: an authenticated peer id that is an active member; raft for metadata nodes and those it counts in. */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { call } from '../network/method.ts';
import type { Network, PeerId, TrafficClass } from '../network/network.ts';
import { WHO_IS } from '../protocol/methods.ts';
import { notAMember } from '../network/errors.ts';
import { isMetadataNode, type MemberDirectory, hasRole } from './member-directory.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface MemberAuthorizerComponents {
  readonly network: Network;
  readonly members: Pick<MemberDirectory, 'activeByPeer' | 'byPeer' | 'learn' | 'withRole'>;
  readonly barrier: Pick<ReadBarrier, 'wait'>;
  readonly driver: Pick<RaftDriver, 'isInConfiguration' | 'leader'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A stranger is not looked up again within this, in milliseconds. */
const STRANGER_MS = 1_000;
const MAX_STRANGERS = 1_024;
/** Strangers that others are asked about at a time; who is one more knocks again. */
const MAX_ENQUIRIES = 8;
/** What another metadata node needs for a linearizable look, and no longer, in milliseconds. */
const ENQUIRY_LIMIT_MS = 2_000;

export class MemberAuthorizer {
  readonly #components: MemberAuthorizerComponents;
  readonly #strangers = new Map<PeerId, number>();
  #enquiries = 0;

  constructor(components: MemberAuthorizerComponents) {
    this.#components = components;
  }

  /** Answers at once for a member; a stranger waits for one linearizable look. */
  authorize(peer: PeerId, trafficClass: TrafficClass): boolean | Promise<boolean> {
    if (this.#components.members.byPeer(peer) !== undefined && this.#admits(peer, trafficClass)) return true;
    if (this.#components.members.activeByPeer(peer) !== undefined) return this.#admits(peer, trafficClass);
    return this.#catchUp(peer, trafficClass).then(() => this.#admits(peer, trafficClass));
  }

  /** It speaks under a number that is not known here yet; who must be heard to learn of it may be that very peer. */
  renumbered(peer: PeerId): void {
    void this.#catchUp(peer, 'raft');
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
  async #catchUp(peer: PeerId, trafficClass: TrafficClass): Promise<void> {
    const { barrier, driver, clock, logger } = this.#components;
    const until = this.#strangers.get(peer);
    if (until !== undefined && clock.monotonicMs() < until) return;
    if (this.#strangers.size >= MAX_STRANGERS) this.#strangers.clear();
    this.#strangers.set(peer, clock.monotonicMs() + STRANGER_MS);
    // It may be the very leader that this node needs to hear to know it: it joined while this one was away.
    if (trafficClass === 'raft' && driver.leader === 0) return this.#enquire(peer);
    try {
      await barrier.wait();
    } catch (error) {
      logger.debug('member.lookup-failed', { peer, error: describeError(error) });
      if (trafficClass === 'raft') await this.#enquire(peer);
    }
  }

  /** Asks the metadata nodes known here; their word is as good as the registry they keep. Never rejects. */
  async #enquire(stranger: PeerId): Promise<void> {
    const { network, members, logger } = this.#components;
    if (this.#enquiries >= MAX_ENQUIRIES) return;
    this.#enquiries += 1;
    const others = members.withRole('meta').filter(({ peer }) => peer !== network.localPeer);
    try {
      await Promise.any(others.map(({ peer }) => this.#ask(peer, stranger)));
    } catch (error) {
      logger.debug('member.unknown-to-all', { peer: stranger, error: describeError(error) });
    } finally {
      this.#enquiries -= 1;
    }
  }

  async #ask(peer: PeerId, stranger: PeerId): Promise<void> {
    const { network, members, logger } = this.#components;
    const { member } = await call(network, peer, WHO_IS, { peer: stranger }, { timeoutMs: ENQUIRY_LIMIT_MS });
    if (member?.peer !== stranger || !isMetadataNode(member)) throw notAMember(stranger, 'raft');
    members.learn(member);
    logger.info('member.learned', { number: member.number, peer: stranger, from: peer });
  }
}
