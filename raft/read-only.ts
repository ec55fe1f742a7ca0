/** @module Linearizable reads that wait for proof that this leader still leads (thesis §6.4, ReadIndex). */
import { EMPTY_BYTES } from './messages.ts';
import type { Votes } from './quorum.ts';
import type { Index, Message, NodeId } from './types.ts';

/** Reads beyond this many in one leader are dropped; whoever asked asks again. */
export const MAX_PENDING_READS = 65_536;

export interface PendingRead {
  readonly request: Message;
  /** Commit index when the request came. */
  readonly index: Index;
}

interface WaitingRead extends PendingRead {
  readonly acks: Map<NodeId, boolean>;
}

/** In order of arrival: a proof for one request is a proof for all that came before it. */
export class ReadOnly {
  readonly #waiting = new Map<string, WaitingRead>();
  #lastContext: Uint8Array = EMPTY_BYTES;

  isFull(): boolean {
    return this.#waiting.size >= MAX_PENDING_READS;
  }

  /** The context of `request` is its name; a name that waits already is not added again. */
  add(request: Message, index: Index): void {
    const context = readContext(request);
    const key = keyOf(context);
    if (this.#waiting.has(key)) return;
    this.#waiting.set(key, { request, index, acks: new Map() });
    this.#lastContext = context;
  }

  /** `from` answered a heartbeat that carried `context`. Returns all who did. */
  acknowledge(from: NodeId, context: Uint8Array): Votes {
    const waiting = this.#waiting.get(keyOf(context));
    if (waiting === undefined) return new Map();
    waiting.acks.set(from, true);
    return waiting.acks;
  }

  /** `context` has its quorum: takes out that read and all before it. */
  release(context: Uint8Array): PendingRead[] {
    const last = keyOf(context);
    if (!this.#waiting.has(last)) return [];
    const released: PendingRead[] = [];
    for (const [key, waiting] of this.#waiting) {
      this.#waiting.delete(key);
      released.push(waiting);
      if (key === last) break;
    }
    return released;
  }

  /** Goes along with periodic heartbeats, in case the first round was lost. Empty when none waits. */
  lastPendingContext(): Uint8Array {
    return this.#waiting.size === 0 ? EMPTY_BYTES : this.#lastContext;
  }
}

/** The caller's name for a read, carried as its one entry. */
export function readContext(request: Message): Uint8Array {
  return request.entries[0]?.data ?? EMPTY_BYTES;
}

function keyOf(context: Uint8Array): string {
  let key = '';
  for (const byte of context) key += String.fromCharCode(byte);
  return key;
}
