/** @module One file's writes in order: each batch becomes durable with one sync, and a crash keeps any part of what was not synced. */
import { storageFailed } from '../../src/storage/errors.ts';
import type { Prng } from '../prng.ts';
import type { ProcessGate } from './process-gate.ts';
import type { CutMode } from './weather.ts';
import type { World } from './world.ts';

/** 'sync': an fsync fails, and what it was for may or may not be there. 'full': nothing of the write is there (ENOSPC). */
export type DiskFailure = 'sync' | 'full';

/** The state of a machine's disk; outlives the processes on it. */
export class DiskHealth {
  /** Time of one sync, in milliseconds. */
  fastestSyncMs = 0.2;
  slowestSyncMs = 4;
  /** What the next write meets; it fails once. */
  nextFailure: DiskFailure | undefined;
  /** Pages of the location index fail now and then, until the cluster is healed. */
  losesPages = true;
  /** Writes that failed so far. */
  failures = 0;

  /** Whether the next write meets a full disk; it is then over with it. */
  takeFullness(): boolean {
    if (this.nextFailure !== 'full') return false;
    this.nextFailure = undefined;
    return true;
  }
}

export interface DiskQueueComponents {
  readonly world: World;
  readonly gate: ProcessGate;
  readonly health: DiskHealth;
  readonly random: Prng;
}

interface Write {
  readonly persist: () => void;
  readonly tear: (() => void) | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Of one run of a process. After a failed write every later one fails: it must be opened anew. */
export class DiskQueue {
  readonly #components: DiskQueueComponents;
  readonly #name: string;
  #waiting: Write[] = [];
  #syncing: Write[] = [];
  #failure: Error | undefined;

  constructor(components: DiskQueueComponents, name: string) {
    this.#components = components;
    this.#name = name;
  }

  /**
   * `persist` changes what is on the disk; it is called once, at the moment from which a crash keeps the change.
   * `tear` leaves some of its sectors: the power fails while they are written.
   */
  write(persist: () => void, tear?: () => void): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ persist, tear, resolve, reject });
      if (this.#syncing.length === 0) this.#sync();
    });
  }

  /** Of what was not synced, some first part is on the disk nevertheless; where the power failed ('silent'), half a write. */
  crash(mode: CutMode): void {
    const open = [...this.#syncing, ...this.#waiting];
    this.#syncing = [];
    this.#waiting = [];
    const kept = this.#components.random.int(open.length + 1);
    for (const { persist } of open.slice(0, kept)) persist();
    if (mode === 'silent') open[kept]?.tear?.();
  }

  #sync(): void {
    const { world, gate, health, random } = this.#components;
    this.#syncing = this.#waiting;
    this.#waiting = [];
    const spreadMs = health.slowestSyncMs - health.fastestSyncMs;
    const tookMs = health.fastestSyncMs + (spreadMs * random.int(1000)) / 1000;
    world.after(tookMs, () => {
      if (!gate.isAlive || this.#syncing.length === 0) return;
      const batch = this.#syncing;
      const failure = health.nextFailure;
      if (failure !== undefined) return this.#fail(batch, failure);
      gate.run(() => this.#finish(batch));
    });
  }

  #finish(batch: readonly Write[]): void {
    this.#syncing = [];
    for (const { persist, resolve, reject } of batch)
      try {
        persist();
        resolve();
      } catch (error) {
        // What cannot be written at all is the caller's mistake, not the disk's.
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    if (this.#waiting.length > 0) this.#sync();
  }

  #fail(batch: readonly Write[], failure: DiskFailure): void {
    const { gate, health, random } = this.#components;
    health.nextFailure = undefined;
    health.failures += 1;
    if (failure === 'sync') for (const { persist } of batch.slice(0, random.int(batch.length + 1))) persist();
    const cause = new Error(failure === 'sync' ? 'EIO: i/o error, fsync' : 'ENOSPC: no space left on device');
    this.#failure = storageFailed('write', this.#name, cause);
    const lost = [...batch, ...this.#waiting];
    this.#syncing = [];
    this.#waiting = [];
    for (const { reject } of lost) gate.run(() => reject(this.#failure ?? cause));
  }
}
