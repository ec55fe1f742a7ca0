/** @module Carries the core's messages as notices, the messages of one Ready to one peer in one notice. */
import type { Message, NodeId } from '../../raft/types.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Network, PeerId } from '../network/network.ts';
import { type RaftMessage, RaftMessages } from '../protocol/messages.ts';
import { RAFT } from '../protocol/methods.ts';
import { type MemberDirectory, isMetadataNode } from './member-directory.ts';
import { fromWire, toWire } from './raft-wire.ts';

export interface RaftTransportComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly logger: Logger;
}

export interface RaftInbox {
  receive(message: Message): void;
  /** Whether raft counts `node` in: its acknowledgements are needed until its removal is committed. */
  isInConfiguration(node: NodeId): boolean;
}

export interface RaftTransportOptions {
  /** The cluster's, as far as it is known here: messages of another epoch are about another log. */
  readonly epoch: () => number;
}

/** Of a cluster that was never recovered; releases that know no epochs send 0. */
export const FIRST_EPOCH = 1;
/** Entries in one notice, at most, in bytes: well below the largest frame, so that a heartbeat never waits long. */
const MAX_NOTICE_BYTES = 2 * 1024 * 1024;

export class RaftTransport {
  readonly #network: Network;
  readonly #members: MemberDirectory;
  readonly #logger: Logger;
  readonly #epoch: () => number;

  constructor(components: RaftTransportComponents, options: RaftTransportOptions) {
    this.#network = components.network;
    this.#members = components.members;
    this.#logger = components.logger;
    this.#epoch = options.epoch;
  }

  /** Delivers inbound messages of this epoch, of metadata members whose number is the message's sender; others are dropped. */
  listen(inbox: RaftInbox): void {
    this.#network.onNotice(RAFT.trafficClass, RAFT.name, (peer, body) => {
      try {
        const { messages, epoch } = RaftMessages.decode(body);
        if ((epoch || FIRST_EPOCH) === this.#epoch())
          for (const message of messages) this.#deliver(peer, message, inbox);
        else this.#logger.debug('raft.other-epoch', { peer, epoch });
      } catch (error) {
        this.#logger.warn('raft.bad-message', { peer, error: describeError(error) });
      }
    });
  }

  /** Sends; returns the nodes that could not be reached, whose messages are lost (the core sends again). */
  send(messages: readonly Message[]): Set<NodeId> {
    const lost = new Set<NodeId>();
    const epoch = this.#epoch();
    for (const [to, batch] of groupByTarget(messages)) {
      const member = this.#members.byNumber(to);
      const sent =
        member !== undefined &&
        noticesOf(batch).every((notice) =>
          this.#network.notify(
            member.peer,
            RAFT.trafficClass,
            RAFT.name,
            RaftMessages.encode({ messages: notice, epoch }).finish(),
          ),
        );
      if (!sent) lost.add(to);
    }
    return lost;
  }

  /** An empty notice to every other metadata node, so that there is a connection; who cannot be reached is left out. */
  greet(self: NodeId): void {
    const nothing = RaftMessages.encode({ messages: [], epoch: this.#epoch() }).finish();
    for (const { number, peer } of this.#members.withRole('meta'))
      if (number !== self) this.#network.notify(peer, RAFT.trafficClass, RAFT.name, nothing);
  }

  #deliver(peer: PeerId, message: RaftMessage, inbox: RaftInbox): void {
    const member = this.#members.byPeer(peer);
    const isSender = member?.number === message.from;
    const isAdmitted = isSender && (isMetadataNode(member) || inbox.isInConfiguration(message.from));
    if (isAdmitted) inbox.receive(fromWire(message));
    else this.#logger.debug('raft.stranger', { peer, from: message.from });
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
