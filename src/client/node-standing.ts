/** @module Which datanodes have failed lately, so that one silent node does not cost a time-out per block. */
import type { Clock } from '../common/clock.ts';

/** A failed node is tried last for this long, in milliseconds. */
const PENALTY_MS = 20_000;
const SILENT_PENALTY_MS = 10_000;

/** Said of a node that could not be reached: it may be gone, or this machine cut off. */
export const NOT_HEARD: readonly string[] = [
  'NETWORK_TIMEOUT',
  'NETWORK_UNREACHABLE',
  'NETWORK_DISCONNECTED',
  'NETWORK_ABORTED',
];

export class NodeStanding {
  readonly #clock: Clock;
  /** Bounded by the number of datanodes. */
  readonly #badUntilMs = new Map<number, number>();
  readonly #silentUntilMs = new Map<number, number>();

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** It did not say hello in time. It, or this machine, may just be overloaded: others are better, it is better than nobody. */
  silent(node: number): void {
    this.#silentUntilMs.set(node, this.#clock.monotonicMs() + SILENT_PENALTY_MS);
  }

  failed(node: number): void {
    this.#badUntilMs.set(node, this.#clock.monotonicMs() + PENALTY_MS);
  }

  /** It did not take or give a block, for the reason of that code. The way to it may have failed: then it is better than nobody. */
  unable(node: number, code: string): void {
    if (NOT_HEARD.includes(code)) this.silent(node);
    else this.failed(node);
  }

  served(node: number): void {
    this.#badUntilMs.delete(node);
    this.#silentUntilMs.delete(node);
  }

  /** Failed or silent lately. */
  isBad(node: number): boolean {
    return this.#isWithin(this.#badUntilMs, node) || this.#isWithin(this.#silentUntilMs, node);
  }

  bad(): readonly number[] {
    const marked = [...this.#badUntilMs.keys(), ...this.#silentUntilMs.keys()];
    return [...new Set(marked)].filter((node) => this.isBad(node));
  }

  /** Of those, the ones that have failed. */
  failing(): readonly number[] {
    return [...this.#badUntilMs.keys()].filter((node) => this.#isWithin(this.#badUntilMs, node));
  }

  #isWithin(untilMs: Map<number, number>, node: number): boolean {
    const until = untilMs.get(node);
    if (until === undefined) return false;
    if (this.#clock.monotonicMs() < until) return true;
    untilMs.delete(node);
    return false;
  }
}
