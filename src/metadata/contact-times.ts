/** @module How long the leader has not heard of each member, by its own clock. Begins anew with each leadership. */
import type { Status } from '../../raft/raw-node.ts';
import type { Index, NodeId } from '../../raft/types.ts';

interface Contact {
  /** Heard of at all in this leadership. */
  readonly isKnown: boolean;
  /** Every pause of this process but the longest held against it. */
  readonly unheardMs: number;
  /** As far as this process listened. */
  readonly silentMs: number;
  readonly match: Index;
}

/**
 * Two looks further apart than this mean that this process itself stood still (paused, or its machine suspended):
 * more than this is not held against anybody.
 */
const MAX_STEP_MS = 1_000;
/**
 * A process that looks less often than this does not get the processor, and what was said to it waits. On a machine that is so
 * busy the others, too, are only slow: who is not heard for a while is called away later by as much as this process stood still.
 */
export const MAX_LISTENING_STEP_MS = 200;

/** A member silent for longer does not count as alive when a quorum is at stake, in milliseconds. */
const ALIVE_MS = 2_000;

/** A leader that changes starts the count again: it errs on the side of leaving a voter where it is. */
export class ContactTimes {
  #contacts = new Map<NodeId, Contact>();
  #term = 0;
  #lastMs = 0;

  /** To be called several times a second. On a node that does not lead everything is forgotten. */
  observe(status: Status, nowMs: number): void {
    const isSameLeadership = status.raftState === 'StateLeader' && status.term === this.#term;
    const passedMs = isSameLeadership ? nowMs - this.#lastMs : 0;
    const before = isSameLeadership ? this.#contacts : new Map<NodeId, Contact>();
    this.#contacts = new Map(
      status.progress.map(({ id, match, recentActive }) => {
        const known = before.get(id);
        const isHeard = id === status.id || recentActive || match > (known?.match ?? 0);
        const isKnown = isHeard || known?.isKnown === true;
        if (isHeard) return [id, { match, isKnown, unheardMs: 0, silentMs: 0 }];
        const unheardMs = (known?.unheardMs ?? 0) + Math.min(MAX_STEP_MS, passedMs);
        const silentMs = (known?.silentMs ?? 0) + Math.min(MAX_LISTENING_STEP_MS, passedMs);
        return [id, { match, isKnown, unheardMs, silentMs }];
      }),
    );
    this.#term = status.raftState === 'StateLeader' ? status.term : 0;
    this.#lastMs = nowMs;
  }

  /** Heard of lately, and by this leader: nobody is taken for alive before. */
  isAlive(id: NodeId): boolean {
    const contact = this.#contacts.get(id);
    return contact?.isKnown === true && contact.unheardMs < ALIVE_MS;
  }

  /** In milliseconds in which this process listened; 0 for somebody who is heard, or not known here. */
  silentMs(id: NodeId): number {
    return this.#contacts.get(id)?.silentMs ?? 0;
  }
}
