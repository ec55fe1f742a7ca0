/**
 * @module What the wires between machines are like: per direction latency, spikes, loss, bandwidth, clogs and cuts.
 *
 * It is the weather of streams, as our code sees the network: TCP's, reliable and in order while they last. Packets that are
 * lost, come twice or overtake each other below that are seen as time only: what is sent again is late, and so is all behind
 * it. What does reach the code is a connection that breaks, with whatever was under way on it lost or, at the end that has
 * not noticed yet, still arriving beside the first frames of the next connection (wire.ts). Messages that are lost, doubled
 * and reordered one by one are the business of the core's own simulation (packet-network.ts), which has no streams.
 */
import type { PeerId } from '../../src/network/network.ts';
import { Prng } from '../prng.ts';
import type { World } from './world.ts';

/** 'silent': packets vanish, as with a pulled cable. 'refused': both ends are told, as by a firewall that resets. */
export type CutMode = 'silent' | 'refused';

export interface WeatherOptions {
  /** One way, in milliseconds; most packets are near the first. */
  readonly shortestDelayMs: number;
  readonly longestDelayMs: number;
  /** That a packet takes SPIKE_MS instead, in [0, 1]. */
  readonly spikeProbability: number;
  /** Per packet: that its connection breaks. */
  readonly breakProbability: number;
  /** Per packet: that it must be sent again; none when absent. */
  readonly lossProbability?: number;
  /** Of each direction between two machines, in bytes per millisecond; unlimited when absent. */
  readonly bytesPerMs?: number;
  /** Some directions are slower than others, all the time. */
  readonly isUneven?: boolean;
}

/** One direction between two machines. */
export interface Lane {
  readonly cut?: CutMode;
}

interface LaneState extends Lane {
  /** Its delays are so many times as long. */
  readonly slowness: number;
  cut?: CutMode;
  clogUntilMs: number;
  /** What was sent so far is on its way by then. */
  busyUntilMs: number;
}

const SPIKE_MS = 250;
/** TCP's first retransmission; each further one takes twice as long. */
const RETRANSMISSION_MS = 200;
const MOST_RETRANSMISSIONS = 5;
/** One in ten is slow, and of those one in five as slow as across an ocean. */
const SLOWNESSES: readonly number[] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 10];

export class Weather {
  readonly #world: World;
  readonly #seed: number;
  readonly #random: Prng;
  #options: WeatherOptions;
  readonly #lanes = new Map<PeerId, Map<PeerId, LaneState>>();
  readonly #listeners = new Set<() => void>();

  constructor({ world, seed }: { readonly world: World; readonly seed: number }, options: WeatherOptions) {
    this.#world = world;
    this.#seed = seed;
    this.#random = new Prng(seed, 'weather');
    this.#options = options;
  }

  /** As long as the world lasts, it is the same one. */
  lane(from: PeerId, to: PeerId): Lane {
    return this.#lane(from, to);
  }

  /** How long the next packet takes. Most are fast; the distribution has a tail. */
  delayMs(from: PeerId, to: PeerId, sizeBytes = 0): number {
    return this.delayOnMs(this.#lane(from, to), sizeBytes);
  }

  /** As delayMs, of a lane of this weather. */
  delayOnMs(known: Lane, sizeBytes: number): number {
    const { shortestDelayMs, longestDelayMs, spikeProbability } = this.#options;
    const lane = known as LaneState;
    const queuedMs = this.#transmit(lane, sizeBytes);
    if (this.#random.chance(spikeProbability)) return SPIKE_MS + queuedMs;
    const share = this.#random.int(1000) / 1000;
    const travelMs = shortestDelayMs + (longestDelayMs - shortestDelayMs) * share ** 3;
    const slowness = this.#options.isUneven === true ? lane.slowness : 1;
    const cloggedMs = Math.max(0, lane.clogUntilMs - this.#world.nowMs);
    return travelMs * slowness + cloggedMs + queuedMs + this.#retransmissionMs();
  }

  breaks(): boolean {
    return this.#random.chance(this.#options.breakProbability);
  }

  cutOf(from: PeerId, to: PeerId): CutMode | undefined {
    return this.#lane(from, to).cut;
  }

  /** Something is cut or clogged now. */
  get isRough(): boolean {
    const { nowMs } = this.#world;
    return this.#allLanes().some(({ cut, clogUntilMs }) => cut !== undefined || clogUntilMs > nowMs);
  }

  /** In this direction only. */
  cut(from: PeerId, to: PeerId, mode: CutMode): void {
    this.#lane(from, to).cut = mode;
    this.#changed();
  }

  heal(from: PeerId, to: PeerId): void {
    delete this.#lane(from, to).cut;
    this.#changed();
  }

  /** Everything sent in this direction until `untilMs` of true time arrives only then. */
  clog(from: PeerId, to: PeerId, untilMs: number): void {
    this.#lane(from, to).clogUntilMs = untilMs;
  }

  /** From here on it is like this. */
  become(options: WeatherOptions): void {
    this.#options = options;
  }

  /** No fault from here on. */
  clearUp(): void {
    for (const lane of this.#allLanes()) {
      delete lane.cut;
      lane.clogUntilMs = 0;
    }
    this.#options = fair(this.#options);
    this.#changed();
  }

  /** Calls back whenever a cut is made or healed. */
  listen(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** How long it waits behind what was sent before, and is sent itself. */
  #transmit(lane: LaneState, sizeBytes: number): number {
    const { bytesPerMs } = this.#options;
    if (bytesPerMs === undefined) return 0;
    const { nowMs } = this.#world;
    lane.busyUntilMs = Math.max(lane.busyUntilMs, nowMs) + sizeBytes / bytesPerMs;
    return lane.busyUntilMs - nowMs;
  }

  #retransmissionMs(): number {
    const { lossProbability = 0 } = this.#options;
    let waitedMs = 0;
    for (let lost = 0; lost < MOST_RETRANSMISSIONS && this.#random.chance(lossProbability); lost += 1)
      waitedMs += RETRANSMISSION_MS * 2 ** lost;
    return waitedMs;
  }

  #lane(from: PeerId, to: PeerId): LaneState {
    let lanes = this.#lanes.get(from);
    if (lanes === undefined) this.#lanes.set(from, (lanes = new Map()));
    const known = lanes.get(to);
    if (known !== undefined) return known;
    // A stream for each: what a lane is like does not depend on which was used first.
    const slowness = new Prng(this.#seed, `lane ${from}>${to}`).pick(SLOWNESSES);
    const lane: LaneState = { slowness, clogUntilMs: 0, busyUntilMs: 0 };
    lanes.set(to, lane);
    return lane;
  }

  #allLanes(): LaneState[] {
    return [...this.#lanes.values()].flatMap((lanes) => [...lanes.values()]);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** The same wires on a good day. */
export function fair({ shortestDelayMs, longestDelayMs }: WeatherOptions): WeatherOptions {
  return { shortestDelayMs, longestDelayMs, spikeProbability: 0, breakProbability: 0 };
}
