/** @module How often one datanode may speak to the location index, so that one which floods it does not keep the others waiting. */
import { tooOften } from '../../dht/errors.ts';
import type { Clock } from '../common/clock.ts';
import { RateLimit } from './rate-limit.ts';

/** Batches of one datanode. An announcer has one in flight, and gathers what comes meanwhile into the next. */
export const BATCHES_PER_SECOND = 1_000;
const BURST = 2_000;

export class AnnounceLimits {
  readonly #clock: Clock;
  /** One for each member that ever announced: no more than there are members. */
  readonly #limits = new Map<number, RateLimit>();

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
  }

  /** Counts one batch of `node`. Throws DHT_TOO_OFTEN. */
  check(node: number): void {
    let limit = this.#limits.get(node);
    if (limit === undefined) {
      limit = new RateLimit({ clock: this.#clock }, { burst: BURST, perSecond: BATCHES_PER_SECOND });
      this.#limits.set(node, limit);
    }
    if (limit.take() > 0) throw tooOften(node, BATCHES_PER_SECOND);
  }
}
