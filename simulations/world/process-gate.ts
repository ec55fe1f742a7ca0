/** @module The one way in to a simulated process: whatever happens to it passes here, waits while it is paused, or is lost. */
import type { World } from './world.ts';

export interface ProcessGateComponents {
  readonly world: World;
  /** The process has done something: time to look at it. */
  readonly ran?: () => void;
}

/** Of one run of a process; the next one gets its own, so that nothing of the old can reach it. */
export class ProcessGate {
  readonly #components: ProcessGateComponents;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #held: (() => void)[] = [];

  constructor(components: ProcessGateComponents) {
    this.#components = components;
  }

  get isAlive(): boolean {
    return this.#state !== 'dead';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  /** Calls `callback` now, after the pause, or never. */
  run(callback: () => void): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'paused') {
      this.#held.push(callback);
      return;
    }
    this.#components.ran?.();
    callback();
  }

  /** As SIGSTOP. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** As SIGCONT: what came meanwhile happens now, in order. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const held = this.#held;
    this.#held = [];
    for (const callback of held) this.#components.world.after(0, () => this.run(callback));
  }

  /** As kill -9: nothing of this run ever happens again. */
  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }
}
