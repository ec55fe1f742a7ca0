/** @module Elections that need not wait for the time-out: the leader's connection broke, or there is nobody else to vote. */
import type { RawNode } from '../../raft/raw-node.ts';
import type { SoftState } from '../../raft/types.ts';
import type { Clock, Timer } from '../common/clock.ts';
import type { Random } from '../common/random.ts';

export interface EarlyCampaignsComponents {
  readonly core: RawNode;
  readonly clock: Clock;
  readonly random: Random;
  /** Runs `work` as an event of the core. */
  readonly event: (work: () => void) => void;
}

/** A follower that saw its leader's connection break campaigns after a random delay below this, in milliseconds. */
const CAMPAIGN_DELAY_MS = 200;

export class EarlyCampaigns {
  readonly #components: EarlyCampaignsComponents;
  #timer: Timer | undefined;

  constructor(components: EarlyCampaignsComponents) {
    this.#components = components;
  }

  /** After the core was told to forget its leader. Pre-vote keeps this harmless when only this one connection broke. */
  soon(): void {
    const { core, clock, random, event } = this.#components;
    this.#timer?.cancel();
    this.#timer = clock.after(random.int(CAMPAIGN_DELAY_MS), () => {
      if (core.status().lead === 0) event(() => core.campaign());
    });
  }

  /** Nobody else could win. For when all that is committed is applied, else the core refuses it. */
  ifAlone(soft: SoftState): void {
    if (soft.lead !== 0 || soft.raftState !== 'StateFollower') return;
    const { core } = this.#components;
    const { id, confState } = core.status();
    if (confState.voters.length === 1 && confState.voters[0] === id) core.campaign();
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
