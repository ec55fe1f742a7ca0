/** @module The rule of admission: an authenticated peer id that is an active member. Raft is for metadata nodes, and those still in its configuration. */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { call } from '../network/method.ts';
import type { Network, PeerId, TrafficClass } from '../network/network.ts';
import { askForManifest, type ManifestBook } from '../protocol/manifest-exchange.ts';
import { WHO_IS } from '../protocol/methods.ts';
import { notAMember } from '../network/errors.ts';
import { Member } from '../namespace/schema.ts';
import { ACTIVE, isMetadataNode, type MemberDirectory, hasRole } from './member-directory.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface MemberAuthorizerComponents {
  readonly network: Network;
  readonly members: Pick<MemberDirectory, 'activeByPeer' | 'byPeer' | 'learn' | 'withRole'>;
  readonly kademlia: { readonly manifests: ManifestBook };
  readonly barrier: Pick<ReadBarrier, 'wait'>;
  readonly driver: Pick<RaftDriver, 'isInConfiguration' | 'leader'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A stranger is not looked up again within this, in milliseconds: what the last look came to holds so long. */
const STRANGER_MS = 1_000;
const MAX_STRANGERS = 1_024;
/** Strangers that others are asked about at a time; who is one more knocks again. */
const MAX_ENQUIRIES = 8;
/** What another metadata node needs for a linearizable look, and no longer, in milliseconds. */
const ENQUIRY_LIMIT_MS = 2_000;

interface Look {
  readonly untilMs: number;
  /** Rejects when it could not be settled who is a member now. */
  readonly settled: Promise<void>;
}

export class MemberAuthorizer {
  readonly #components: MemberAuthorizerComponents;
  /** By peer, and apart for raft, whose looks ask for less. */
  readonly #strangers = new Map<string, Look>();
  #enquiries = 0;

  constructor(components: MemberAuthorizerComponents) {
    this.#components = components;
  }

  /**
   * Answers at once for a member; a stranger waits for one linearizable look. Rejects with METADATA_NO_QUORUM when that
   * cannot be had: this node may be far behind, and must not call somebody a stranger who is a member.
   */
  authorize(peer: PeerId, trafficClass: TrafficClass): boolean | Promise<boolean> {
    if (this.#components.members.byPeer(peer) !== undefined && this.#admits(peer, trafficClass)) return true;
    if (this.#components.members.activeByPeer(peer) !== undefined) return this.#admits(peer, trafficClass);
    return this.#catchUp(peer, trafficClass).then(() => this.#admits(peer, trafficClass));
  }

  /** It speaks under a number that is not known here yet; who must be heard to learn of it may be that very peer. */
  renumbered(peer: PeerId): void {
    // Of raft a look always settles: what is not known is learned with the next message.
    void this.#catchUp(peer, 'raft');
  }

  #admits(peer: PeerId, trafficClass: TrafficClass): boolean {
    const { members, driver } = this.#components;
    const member = members.activeByPeer(peer);
    if (member !== undefined && (trafficClass !== 'raft' || hasRole(member, 'meta'))) return true;
    if (trafficClass !== 'raft' && trafficClass !== 'control') return false;
    // One that was removed votes, acknowledges and may even lead until its removal from the configuration is committed:
    // to hand over, it must be able to ask the others how far they are.
    const former = members.byPeer(peer);
    return former !== undefined && driver.isInConfiguration(former.number);
  }

  /** The peer may have become a member through another metadata node: one linearizable look settles it. */
  #catchUp(peer: PeerId, trafficClass: TrafficClass): Promise<void> {
    const { clock } = this.#components;
    const key = `${trafficClass === 'raft' ? 'raft' : 'any'}/${peer}`;
    const known = this.#strangers.get(key);
    if (known !== undefined && clock.monotonicMs() < known.untilMs) return known.settled;
    if (this.#strangers.size >= MAX_STRANGERS) this.#strangers.clear();
    const settled = this.#look(peer, trafficClass);
    this.#strangers.set(key, { untilMs: clock.monotonicMs() + STRANGER_MS, settled });
    return settled;
  }

  async #look(peer: PeerId, trafficClass: TrafficClass): Promise<void> {
    const { barrier, driver, logger } = this.#components;
    // It may be the very leader that this node needs to hear to know it: it joined while this one was away.
    if (trafficClass === 'raft' && driver.leader === 0) return this.#enquire(peer);
    try {
      await barrier.wait();
    } catch (error) {
      logger.debug('member.lookup-failed', { peer, error: describeError(error) });
      if (trafficClass !== 'raft') throw error;
      await this.#enquire(peer);
    }
  }

  /**
   * Asks the metadata nodes known here; their word is as good as the registry they keep. All of them may be gone by now, or the
   * stranger the only one that runs: so it is asked, too, what they have signed. Never rejects.
   */
  async #enquire(stranger: PeerId): Promise<void> {
    const { network, members, logger } = this.#components;
    if (this.#enquiries >= MAX_ENQUIRIES) return;
    this.#enquiries += 1;
    const others = members.withRole('meta').filter(({ peer }) => peer !== network.localPeer);
    try {
      const asked = others.map(({ peer }) => this.#ask(peer, stranger));
      await Promise.any([...asked, this.#hear(stranger)]);
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

  /** Believed is what one signed who is known here, or whom such a one names. */
  async #hear(stranger: PeerId): Promise<void> {
    const { members, kademlia, logger } = this.#components;
    const { manifests } = kademlia;
    await askForManifest(this.#components, manifests, stranger);
    const node = manifests.trusts(stranger) && manifests.current?.nodes.find(({ peer }) => peer === stranger);
    if (!node) throw notAMember(stranger, 'raft');
    members.learn(Member.fromPartial({ ...node, roles: ['meta'], state: ACTIVE }));
    logger.info('member.learned', { number: node.number, peer: stranger, from: 'manifest' });
  }
}
