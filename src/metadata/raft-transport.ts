/** @module Carries the core's messages as notices, the messages of one Ready to one peer in one notice. */
import type { Message, NodeId } from '../../raft/types.ts';
import { encodeMessage } from '../common/encode-message.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Network, PeerId } from '../network/network.ts';
import { type RaftMessage, RaftMessages } from '../protocol/messages.ts';
import { RAFT } from '../protocol/methods.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { type MemberDirectory, isMetadataNode } from './member-directory.ts';
import { fromWire, toWire } from './raft-wire.ts';
import type { Incarnation, Witness } from './witness.ts';

export interface RaftTransportComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly log: Pick<RaftLogStore, 'sequence'>;
  readonly witness: Witness;
  readonly logger: Logger;
}

export interface RaftInbox {
  receive(message: Message): void;
  /** Whether raft counts `node` in: its acknowledgements are needed until its removal is committed. */
  isInConfiguration(node: NodeId): boolean;
  /** The peer speaks under a later number than it is known by here. */
  renumbered(peer: PeerId): void;
}

export interface RaftTransportOptions {
  /** The cluster's, as far as it is known here: messages of another epoch are about another log. */
  readonly epoch: () => number;
  readonly run: Incarnation;
}

/** Of a cluster that was never recovered; releases that know no epochs send 0. */
export const FIRST_EPOCH = 1;
/** Entries in one notice, at most, in bytes: well below the largest frame, so that a heartbeat never waits long. */
const MAX_NOTICE_BYTES = 2 * 1024 * 1024;

export class RaftTransport {
  readonly #components: RaftTransportComponents;
  readonly #options: RaftTransportOptions;

  constructor(components: RaftTransportComponents, options: RaftTransportOptions) {
    this.#components = components;
    this.#options = options;
  }

  /**
   * Delivers inbound messages of this epoch, of metadata members whose number is the message's sender, and of no run that
   * has forgotten what an earlier one of that node said here (witness.ts); others are dropped.
   */
  listen(inbox: RaftInbox): void {
    const { network, logger } = this.#components;
    network.onNotice(RAFT.trafficClass, RAFT.name, (peer, body) => {
      try {
        const notice = RaftMessages.decode(body);
        if (!this.#isHeard(peer, notice)) return;
        for (const message of notice.messages) this.#deliver(peer, message, inbox);
      } catch (error) {
        logger.warn('raft.bad-message', { peer, error: describeError(error) });
      }
    });
  }

  /** Sends; returns the nodes that could not be reached, whose messages are lost (the core sends again). */
  send(messages: readonly Message[]): Set<NodeId> {
    const { network, members } = this.#components;
    const lost = new Set<NodeId>();
    for (const [to, batch] of groupByTarget(messages)) {
      const member = members.byNumber(to);
      const sent =
        member !== undefined &&
        noticesOf(batch).every((notice) =>
          network.notify(member.peer, RAFT.trafficClass, RAFT.name, this.#encode(notice)),
        );
      if (!sent) lost.add(to);
    }
    return lost;
  }

  /** An empty notice to every other metadata node, so that there is a connection; who cannot be reached is left out. */
  greet(): void {
    const { network, members } = this.#components;
    const nothing = this.#encode([]);
    for (const { number, peer } of members.withRole('meta'))
      if (number !== this.#options.run.number) network.notify(peer, RAFT.trafficClass, RAFT.name, nothing);
  }

  /** Whatever these messages promise is in the log already (Ready: persist before send), so its length covers it. */
  #encode(messages: RaftMessage[]): Uint8Array {
    const { epoch, run } = this.#options;
    const { sequence } = this.#components.log;
    return encodeMessage(RaftMessages, { messages, epoch: epoch(), run, sequence });
  }

  /** Releases that know no runs send none. */
  #isHeard(peer: PeerId, { epoch, run, sequence }: RaftMessages): boolean {
    const { members, witness, logger } = this.#components;
    if ((epoch || FIRST_EPOCH) !== this.#options.epoch()) {
      logger.debug('raft.other-epoch', { peer, epoch });
      return false;
    }
    if (run === undefined || members.byPeer(peer)?.number !== run.number) return true;
    if (witness.observe(run, sequence)) return true;
    logger.warn('raft.rolled-back', { ...run, seen: witness.of(run.number)?.sequence ?? 0 });
    return false;
  }

  #deliver(peer: PeerId, message: RaftMessage, inbox: RaftInbox): void {
    const { members, logger } = this.#components;
    const member = members.byPeer(peer);
    const isSender = member?.number === message.from;
    const isAdmitted = isSender && (isMetadataNode(member) || inbox.isInConfiguration(message.from));
    if (isAdmitted) return inbox.receive(fromWire(message));
    if (member !== undefined && message.from > member.number) inbox.renumbered(peer);
    logger.debug('raft.stranger', { peer, from: message.from });
  }
}

function groupByTarget(messages: readonly Message[]): Map<NodeId, Message[]> {
  const byTarget = new Map<NodeId, Message[]>();
  for (const message of messages) {
    const batch = byTarget.get(message.to);
    if (batch === undefined) byTarget.set(message.to, [message]);
    else batch.push(message);
  }
  return byTarget;
}

function noticesOf(messages: readonly Message[]): RaftMessage[][] {
  const notices: RaftMessage[][] = [];
  let notice: RaftMessage[] = [];
  let sizeBytes = 0;
  for (const message of messages) {
    const dataBytes = message.entries.reduce((sum, entry) => sum + entry.data.length, 0);
    if (notice.length > 0 && sizeBytes + dataBytes > MAX_NOTICE_BYTES) {
      notices.push(notice);
      notice = [];
      sizeBytes = 0;
    }
    notice.push(toWire(message));
    sizeBytes += dataBytes;
  }
  notices.push(notice);
  return notices;
}
