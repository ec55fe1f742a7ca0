/** @module What faults come down to, for whatever process they hit. */
import { describeError } from '../../src/common/errors.ts';
import type { PeerId } from '../../src/network/network.ts';
import type { CutMode, Weather } from '../world/weather.ts';
import type { World } from '../world/world.ts';
import type { DataProcess } from './data-process.ts';
import type { MetadataProcess } from './metadata-process.ts';

/** Any that faults may hit. */
export type Process = MetadataProcess | DataProcess;

export interface FaultActionsComponents {
  readonly world: World;
  readonly weather: Weather;
  /** Starts a process again, unless it was removed meanwhile. */
  readonly startLater: (process: Process, afterMs: number) => void;
  readonly say: (text: string) => void;
}

export interface Cut {
  readonly mode: CutMode;
  readonly oneWay: boolean;
  readonly forMs: number;
}

/** A supervisor kills what does not stop in this time, in milliseconds. */
const STOP_GRACE_MS = 10_000;

/** Nothing happens to a process that is not there. */
export class FaultActions {
  readonly #components: FaultActionsComponents;

  constructor(components: FaultActionsComponents) {
    this.#components = components;
  }

  crash(process: Process | undefined, mode: CutMode, forMs: number): void {
    if (process === undefined) return;
    process.crash(mode);
    this.#components.startLater(process, forMs);
  }

  restart(process: Process | undefined, forMs: number): void {
    if (process === undefined || process.isPaused) return;
    const { world, startLater, say } = this.#components;
    const { runs } = process;
    const stopped = process
      .stop()
      .catch((error: unknown) => say(`node ${process.number}: ${describeError(error)}`));
    world.after(STOP_GRACE_MS, () => {
      if (process.runs !== runs) return;
      // A stop that was killed never ends.
      process.crash('refused');
      startLater(process, forMs);
    });
    void stopped.finally(() => startLater(process, forMs));
  }

  pause(process: Process | undefined, forMs: number): void {
    process?.pause();
    this.#components.world.after(forMs, () => process?.resume());
  }

  slowDisk(process: Process | undefined, slowestSyncMs: number, forMs: number): void {
    if (process === undefined) return;
    const { health } = process.machine;
    const before = health.slowestSyncMs;
    health.slowestSyncMs = slowestSyncMs;
    this.#components.world.after(forMs, () => {
      health.slowestSyncMs = Math.min(health.slowestSyncMs, before);
    });
  }

  cut(left: readonly PeerId[], right: readonly PeerId[], { mode, oneWay, forMs }: Cut): void {
    const { world, weather } = this.#components;
    const there = left.flatMap((from) => right.map((to) => [from, to] as const));
    const pairs = oneWay ? there : there.flatMap(([from, to]) => [[from, to] as const, [to, from] as const]);
    for (const [from, to] of pairs) if (from !== to) weather.cut(from, to, mode);
    world.after(forMs, () => {
      for (const [from, to] of pairs) weather.heal(from, to);
    });
  }
}
