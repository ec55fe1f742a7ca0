/** @module One direction of one stream: what goes in comes out later, in order, once the weather lets it. */
import type { PeerId } from '../../src/network/network.ts';
import type { ProcessGate } from './process-gate.ts';
import type { Lane, Weather } from './weather.ts';
import type { World } from './world.ts';

export interface WireComponents {
  readonly world: World;
  readonly weather: Weather;
  /** Of the process at the far end. */
  readonly gate: ProcessGate;
  /** The connection breaks. */
  readonly snap: () => void;
}

export class Wire {
  readonly #components: WireComponents;
  readonly #lane: Lane;
  readonly #stuck: (() => void)[] = [];
  #lastArrivalMs = 0;
  #isBroken = false;

  constructor(components: WireComponents, ends: { readonly from: PeerId; readonly to: PeerId }) {
    this.#components = components;
    this.#lane = components.weather.lane(ends.from, ends.to);
  }

  carry(deliver: () => void, sizeBytes: number): void {
    const { world, weather, snap } = this.#components;
    if (this.#isBroken) return;
    if (weather.breaks()) return snap();
    const arrivalMs = Math.max(this.#lastArrivalMs, world.nowMs + weather.delayOnMs(this.#lane, sizeBytes));
    this.#lastArrivalMs = arrivalMs;
    world.after(arrivalMs - world.nowMs, () => this.#arrive(deliver));
  }

  /** A cut was made or healed: what TCP kept sending again gets through. */
  retry(): void {
    if (this.#lane.cut !== undefined) return;
    const { world } = this.#components;
    for (const deliver of this.#stuck.splice(0)) world.after(0, () => this.#arrive(deliver));
  }

  /** Nothing more goes in. What is under way arrives, unless the far end notices the break first. */
  break(): void {
    this.#isBroken = true;
    this.#stuck.length = 0;
  }

  #arrive(deliver: () => void): void {
    const isCut = this.#lane.cut !== undefined;
    if (!isCut && this.#stuck.length === 0) return this.#components.gate.run(deliver);
    if (!this.#isBroken) this.#stuck.push(deliver);
  }
}
