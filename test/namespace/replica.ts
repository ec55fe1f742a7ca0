/** @module A state machine that crashes, comes back, lags behind, and is given the rows of another. */
import { expect } from 'vitest';
import type { LogEntry } from '../../src/namespace/apply-batches.ts';
import type { Result } from '../../src/namespace/schema.ts';
import { StateMachine, type StateMachineOptions } from '../../src/namespace/state-machine.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { RowStore } from '../../src/storage/row-store.ts';
import { FoundedMachine } from './founded-machine.ts';

/** Where the rows of one machine are. */
export interface Disk {
  open(): Promise<RowStore>;
  /** A file that another place can be given. */
  readonly copyPath: string;
}

/** A machine that comes back from what was flushed, and takes the rest from the log. */
export class Replica {
  machine!: StateMachine;
  store!: RowStore;
  readonly #disk: Disk;
  readonly #options: StateMachineOptions;

  constructor(disk: Disk, options: StateMachineOptions = {}) {
    this.#disk = disk;
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.store?.close();
    this.store = await this.#disk.open();
    this.machine = await StateMachine.open({ store: this.store }, this.#options);
  }

  async found(): Promise<void> {
    await this.start();
    const { machine } = await FoundedMachine.create(this.store, this.#options);
    this.machine = machine;
    await machine.flush();
  }

  /** What it has not applied of the log, in one go; its results as they should be. */
  async catchUp(log: readonly LogEntry[], results: readonly Result[][]): Promise<void> {
    const from = log.findIndex(({ index }) => index > this.machine.appliedIndex);
    if (from >= 0) expect(await this.machine.apply(log.slice(from))).toEqual(results.slice(from));
  }

  async give(to: Replica, meanwhile: () => Promise<void>): Promise<void> {
    const { rows } = await this.machine.pin();
    await meanwhile();
    await rows.copyTo(this.#disk.copyPath);
    await rows[Symbol.asyncDispose]();
    await to.machine.verify(this.#disk.copyPath);
    await to.machine.restoreFrom(this.#disk.copyPath);
  }
}

export function memoryDisk(copyPath: string): Disk {
  // A closed store can be opened again, as a file could.
  let store = new MemoryRowStore();
  return { copyPath, open: () => Promise.resolve((store = store.clone())) };
}
