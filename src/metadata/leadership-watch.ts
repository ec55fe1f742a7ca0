/** @module Who leads, as far as this node's core knows, and who wants to hear of it. */
import type { NodeId, ReadState, SoftState } from '../../raft/types.ts';
import type { Logger } from '../common/logger.ts';

export interface RaftListener {
  /** 0: nobody is known to lead, or this node takes no part any more. */
  leaderChanged?(leader: NodeId): void;
  readState?(state: ReadState): void;
}

export interface LeadershipEvents {
  /** This node led, and does no longer; before anybody else hears of it. */
  lost(leader: NodeId): void;
}

const NOBODY_LEADS: SoftState = { lead: 0, raftState: 'StateFollower' };

export class LeadershipWatch {
  readonly #logger: Logger;
  readonly #events: LeadershipEvents;
  readonly #listeners = new Set<RaftListener>();
  #soft = NOBODY_LEADS;

  constructor(components: { readonly logger: Logger }, events: LeadershipEvents) {
    this.#logger = components.logger;
    this.#events = events;
  }

  get state(): SoftState {
    return this.#soft;
  }

  get isLeader(): boolean {
    return this.#soft.raftState === 'StateLeader';
  }

  /** 0 when none is known. */
  get leader(): NodeId {
    return this.#soft.lead;
  }

  /** Returns a function that ends the listening. */
  listen(listener: RaftListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the core says of itself. */
  observe(soft: SoftState): void {
    const before = this.#soft;
    this.#soft = soft;
    if (before.raftState === 'StateLeader' && soft.raftState !== 'StateLeader') this.#events.lost(soft.lead);
    if (before.lead === soft.lead) return;
    this.#logger.info('raft.leader', { leader: soft.lead, state: soft.raftState });
    this.#tell(soft.lead);
  }

  read(state: ReadState): void {
    for (const listener of this.#listeners) listener.readState?.(state);
  }

  /** The core says nothing any more. */
  end(): void {
    this.#soft = NOBODY_LEADS;
    this.#tell(0);
  }

  #tell(leader: NodeId): void {
    for (const listener of this.#listeners) listener.leaderChanged?.(leader);
  }
}
