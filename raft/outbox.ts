/** @module Messages on their way out, in two queues: what may leave at once, and what promises something durable. */
import { NO_NODE } from './types.ts';
import type { Message, NodeId, Term } from './types.ts';
import { message } from './messages.ts';
import type { MessageDraft } from './messages.ts';

/** Both queues since they were last taken, in the order of sending. */
export interface Outgoing {
  readonly immediate: Message[];
  /** Votes and acknowledgements, some of them to this node itself. */
  readonly afterAppend: Message[];
}

/**
 * A vote or an acknowledgement must not be seen by anybody, this node's own tally included, before what it promises is
 * on disk (thesis §3.8). A rejection waits too: it may rest on a vote or an entry that is not durable yet.
 */
export class Outbox {
  readonly #id: NodeId;
  #immediate: Message[] = [];
  #afterAppend: Message[] = [];

  constructor(id: NodeId) {
    this.#id = id;
  }

  get isEmpty(): boolean {
    return this.#immediate.length === 0 && this.#afterAppend.length === 0;
  }

  /** Adds sender and term. Vote messages bring their own term; proposals and reads carry none. */
  send(draft: MessageDraft, term: Term): void {
    const from = draft.from === undefined || draft.from === NO_NODE ? this.#id : draft.from;
    switch (draft.type) {
      case 'MsgVote':
      case 'MsgPreVote':
        this.#immediate.push(message(draft, from));
        return;
      case 'MsgVoteResp':
      case 'MsgPreVoteResp':
        this.#afterAppend.push(message(draft, from));
        return;
      case 'MsgAppResp':
        this.#afterAppend.push(message(draft, from, term));
        return;
      case 'MsgProp':
      case 'MsgReadIndex':
        this.#immediate.push(message(draft, from, 0));
        return;
      default:
        this.#immediate.push(message(draft, from, term));
    }
  }

  take(): Outgoing {
    const taken = { immediate: this.#immediate, afterAppend: this.#afterAppend };
    this.#immediate = [];
    this.#afterAppend = [];
    return taken;
  }
}
