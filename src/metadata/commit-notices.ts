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
 * A timer waits no less than this, in milliseconds, as Node's do: what the sum of two times is short of by rounding may be
 * too little to move a clock on, which then wakes for ever at one moment (seed 108, hell, at b4f4b6e).
 */
const SHORTEST_WAIT_MS = 1;

interface Held {
  readonly message: Message;
  /** The time by which it goes by itself, by the monotonic clock. */
  readonly dueMs: number;
}

/**
 * A MsgApp without entries only says how far the follower may apply, or probes. Held here it may come later than other
 * messages, and is dropped when another MsgApp goes to the same follower: both are what a network may do.
 */
export class CommitNotices {
  readonly #clock: Clock;
  readonly #release: (messages: readonly Message[]) => void;
  readonly #held = new Map<NodeId, Held>();
  #timer: Timer | undefined;

  constructor(components: CommitNoticesComponents) {
    this.#clock = components.clock;
    this.#release = components.send;
  }

  /** Of the messages of one Ready, those to send now. */
  hold(messages: readonly Message[]): Message[] {
    const now = messages.filter((message) => {
      if (message.type !== 'MsgApp') return true;
      if (message.entries.length > 0) this.#held.delete(message.to);
      else this.#keep(message);
      return message.entries.length > 0;
    });
    if (this.#held.size > 0) this.#wakeAfter(COMMIT_NOTICE_DELAY_MS);
    return now;
  }

  /**
   * Sends what is held: this node leads no longer. One that has just removed itself may be the only voter to know that it is
   * out; those who stay would wait for its vote for ever, once it has ended.
   */
  release(): void {
    const held = [...this.#held.values()].map(({ message }) => message);
    this.stop();
    if (held.length > 0) this.#release(held);
  }

  /** Drops what is held: the node ends. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#held.clear();
  }

  /** What takes the place of another is due when that was: news that follow one another do not put each other off. */
  #keep(message: Message): void {
    const dueMs = this.#held.get(message.to)?.dueMs ?? this.#clock.monotonicMs() + COMMIT_NOTICE_DELAY_MS;
    this.#held.set(message.to, { message, dueMs });
  }

  #wakeAfter(delayMs: number): void {
    this.#timer ??= this.#clock.after(Math.max(SHORTEST_WAIT_MS, delayMs), () => {
      this.#timer = undefined;
      this.#sendDue();
    });
  }

  /** The timer may be that of a notice which entries have overtaken since: what came after it has its own time. */
  #sendDue(): void {
    const nowMs = this.#clock.monotonicMs();
    const due = [...this.#held.values()].filter(({ dueMs }) => dueMs <= nowMs);
    for (const { message } of due) this.#held.delete(message.to);
    if (this.#held.size > 0)
      this.#wakeAfter(Math.min(...[...this.#held.values()].map(({ dueMs }) => dueMs)) - nowMs);
    if (due.length > 0) this.#release(due.map(({ message }) => message));
  }
}
