/** @module What the wires between machines are like: per direction latency, spikes, loss, clogs and cuts. */
import type { PeerId } from '../../src/network/network.ts';
import type { Prng } from '../prng.ts';
import type { World } from './world.ts';

/** 'silent': packets vanish, as with a pulled cable. 'refused': both ends are told, as by a firewall that resets. */
export type CutMode = 'silent' | 'refused';

export interface WeatherOptions {
  /** One way, in milliseconds; most packets are near the first. */
  readonly shortestDelayMs: number;
  readonly longestDelayMs: number;
  /** That a packet takes SPIKE_MS instead, in [0, 1]. */
  readonly spikeProbability: number;
  /** Per packet: that its connection breaks, which is what loss comes to below TCP. */
  readonly breakProbability: number;
}

const SPIKE_MS = 250;

export class Weather {
  readonly #world: World;
  readonly #random: Prng;
  #options: WeatherOptions;
  readonly #cuts = new Map<string, CutMode>();
  readonly #clogs = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  constructor(components: { readonly world: World; readonly random: Prng }, options: WeatherOptions) {
    this.#world = components.world;
    this.#random = components.random;
    this.#options = options;
  }

  /** How long the next packet takes. Most are fast; the distribution has a tail. */
  delayMs(from: PeerId, to: PeerId): number {
    const { shortestDelayMs, longestDelayMs, spikeProbability } = this.#options;
    if (this.#random.chance(spikeProbability)) return SPIKE_MS;
    const share = this.#random.int(1000) / 1000;
    const clogMs = Math.max(0, (this.#clogs.get(direction(from, to)) ?? 0) - this.#world.nowMs);
    return shortestDelayMs + (longestDelayMs - shortestDelayMs) * share ** 3 + clogMs;
  }

  breaks(): boolean {
    return this.#random.chance(this.#options.breakProbability);
  }

  cutOf(from: PeerId, to: PeerId): CutMode | undefined {
    return this.#cuts.get(direction(from, to));
  }

  /** Something is cut or clogged now. */
  get isRough(): boolean {
    const isClogged = [...this.#clogs.values()].some((untilMs) => untilMs > this.#world.nowMs);
    return this.#cuts.size > 0 || isClogged;
  }

  /** In this direction only. */
  cut(from: PeerId, to: PeerId, mode: CutMode): void {
    this.#cuts.set(direction(from, to), mode);
    this.#changed();
  }

  heal(from: PeerId, to: PeerId): void {
    this.#cuts.delete(direction(from, to));
    this.#changed();
  }

  /** Everything sent in this direction until `untilMs` of true time arrives only then. */
  clog(from: PeerId, to: PeerId, untilMs: number): void {
    this.#clogs.set(direction(from, to), untilMs);
  }

  /** From here on it is like this. */
  become(options: WeatherOptions): void {
    this.#options = options;
  }

  /** No fault from here on. */
  clearUp(): void {
    this.#cuts.clear();
    this.#clogs.clear();
    this.#options = { ...this.#options, spikeProbability: 0, breakProbability: 0 };
    this.#changed();
  }

  /** Calls back whenever a cut is made or healed. */
  listen(listener: () => void): void {
    this.#listeners.add(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function direction(from: PeerId, to: PeerId): string {
  return `${from}>${to}`;
}
