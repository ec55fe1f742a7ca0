/** @module What is kept by traffic class and name, found without making a key of both: it is looked up for every frame. */
import type { TrafficClass } from './network.ts';

export class ByClass<T> {
  readonly #classes = new Map<TrafficClass, Map<string, T>>();

  get(trafficClass: TrafficClass, name: string): T | undefined {
    return this.#classes.get(trafficClass)?.get(name);
  }

  set(trafficClass: TrafficClass, name: string, value: T): void {
    let named = this.#classes.get(trafficClass);
    if (named === undefined) this.#classes.set(trafficClass, (named = new Map()));
    named.set(name, value);
  }

  /** Class by class. */
  values(): T[] {
    return [...this.#classes.values()].flatMap((named) => [...named.values()]);
  }

  clear(): void {
    this.#classes.clear();
  }
}
