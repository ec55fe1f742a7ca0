/** @module The machine under one simulated node: disk and clocks, which outlive its processes. */
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import { Prng } from '../prng.ts';
import { DiskHealth, DiskQueue } from '../world/disk-queue.ts';
import { MachineClock } from '../world/process-clock.ts';
import type { ProcessGate } from '../world/process-gate.ts';
import { SimulatedFiles } from '../world/simulated-files.ts';
import { RaftLogFile } from '../world/simulated-raft-log.ts';
import type { World } from '../world/world.ts';

export class Machine {
  readonly clock: MachineClock;
  readonly health: DiskHealth = new DiskHealth();
  readonly log: RaftLogFile = new RaftLogFile();
  readonly files: SimulatedFiles;
  readonly rows: MemoryRowStore;
  readonly #world: World;
  readonly #random: Prng;
  #queues: DiskQueue[] = [];

  constructor(world: World, options: { readonly seed: number; readonly name: string }) {
    this.#world = world;
    this.#random = new Prng(options.seed, `disk of ${options.name}`);
    this.clock = new MachineClock(world);
    this.files = new SimulatedFiles(new Prng(options.seed, `files of ${options.name}`));
    this.rows = new MemoryRowStore(this.files);
  }

  /** For one file of one run of a process. */
  openQueue(gate: ProcessGate, name: string): DiskQueue {
    const queue = new DiskQueue(
      { world: this.#world, gate, health: this.health, random: this.#random },
      name,
    );
    this.#queues.push(queue);
    return queue;
  }

  /** The process died, or the power failed: what was not synced may be gone. */
  crash(): void {
    for (const queue of this.#queues) queue.crash();
    this.#queues = [];
    this.files.crash();
  }
}
