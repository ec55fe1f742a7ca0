/** @module The machine under one simulated node: disk and clocks, which outlive its processes. */
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { ShelvedBlockStore } from '../../src/storage/shelved-block-store.ts';
import { Prng } from '../prng.ts';
import { BlockPlatter } from '../world/block-platter.ts';
import { DiskHealth, DiskQueue } from '../world/disk-queue.ts';
import { MachineClock } from '../world/process-clock.ts';
import type { ProcessGate } from '../world/process-gate.ts';
import { SimulatedFiles } from '../world/simulated-files.ts';
import { RaftLogFile } from '../world/simulated-raft-log.ts';
import { openSimulatedBlockStore } from '../world/simulated-shelf.ts';
import type { World } from '../world/world.ts';

export interface MachineOptions {
  readonly seed: number;
  readonly name: string;
  /** Of the disk that blocks lie on, in bytes. */
  readonly blockCapacityBytes?: number | undefined;
}

const SEEK_STEPS = 1_000;
const DEFAULT_BLOCK_CAPACITY_BYTES: number = 1024 * 1024 * 1024;

export class Machine {
  readonly clock: MachineClock;
  readonly health: DiskHealth = new DiskHealth();
  readonly log: RaftLogFile = new RaftLogFile();
  readonly files: SimulatedFiles;
  readonly rows: MemoryRowStore;
  readonly platter: BlockPlatter;
  readonly #world: World;
  readonly #random: Prng;
  #queues: DiskQueue[] = [];

  constructor(world: World, options: MachineOptions) {
    this.#world = world;
    this.#random = new Prng(options.seed, `disk of ${options.name}`);
    this.clock = new MachineClock(world);
    this.files = new SimulatedFiles(new Prng(options.seed, `files of ${options.name}`));
    this.rows = new MemoryRowStore(this.files);
    this.platter = new BlockPlatter(options.blockCapacityBytes ?? DEFAULT_BLOCK_CAPACITY_BYTES);
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

  /** For the blocks of one run of a process. */
  openBlocks(gate: ProcessGate): ShelvedBlockStore {
    const { platter, health } = this;
    const seek = (): Promise<void> =>
      new Promise((resolve) => {
        const spreadMs = health.slowestSyncMs - health.fastestSyncMs;
        const seekMs = health.fastestSyncMs + (spreadMs * this.#random.int(SEEK_STEPS)) / SEEK_STEPS;
        this.#world.after(seekMs, () => gate.run(resolve));
      });
    return openSimulatedBlockStore({ platter, health, seek, queue: this.openQueue(gate, 'blocks') });
  }

  /** The process died, or the power failed: what was not synced may be gone. */
  crash(): void {
    for (const queue of this.#queues) queue.crash();
    this.#queues = [];
    this.files.crash();
    this.platter.crash(this.#random);
  }
}
