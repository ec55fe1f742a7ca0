/** @module Lets news of a commit wait a moment for the next entries, which carry it too: half of all packets under load. */
import type { Message, NodeId } from '../../raft/types.ts';
import type { Clock, Timer } from '../common/clock.ts';

export interface CommitNoticesComponents {
  readonly clock: Clock;
  /** Sends what nothing else has overtaken. */
  readonly send: (messages: readonly Message[]) => void;
}

/**
 * How much later followers may apply because of this, in milliseconds. No answer waits for it: the leader answers writes
 * from its own state, and the round of a ReadIndex carries the commit index itself.
 */
const COMMIT_NOTICE_DELAY_MS = 4;

/**
 * A MsgApp without entries only says how far the follower may apply, or probes. Held here it may come later than other
 * messages, and is dropped when another MsgApp goes to the same follower: both are what a network may do.
 */
export class CommitNotices {
  readonly #clock: Clock;
  readonly #release: (messages: readonly Message[]) => void;
  readonly #held = new Map<NodeId, Message>();
  #timer: Timer | undefined;

  constructor(components: CommitNoticesComponents) {
    this.#clock = components.clock;
    this.#release = components.send;
  }

  /** Of the messages of one Ready, those to send now. */
  hold(messages: readonly Message[]): Message[] {
    const now = messages.filter((message) => {
      if (message.type !== 'MsgApp') return true;
      this.#held.delete(message.to);
      if (message.entries.length > 0) return true;
      this.#held.set(message.to, message);
      return false;
    });
    if (this.#held.size > 0) this.#timer ??= this.#clock.after(COMMIT_NOTICE_DELAY_MS, () => this.#send());
    return now;
  }

  /** Drops what is held: another leader tells the followers. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#held.clear();
  }

  #send(): void {
    this.#timer = undefined;
    const messages = [...this.#held.values()];
    this.#held.clear();
    if (messages.length > 0) this.#release(messages);
  }
}
