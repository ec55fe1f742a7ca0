/** @module Applies committed entries to the state machine in order, beside the Ready loop and with a bounded backlog. */
import type { Entry, Index } from '../../raft/types.ts';
import { type Clock, sleep } from '../common/clock.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { Result } from '../namespace/schema.ts';

export interface ApplierComponents {
  readonly machine: StateMachine;
  /** Makes the core take a membership change; returns the new configuration, encoded. */
  readonly applyConfChange: (entry: Entry) => Uint8Array;
  readonly clock: Clock;
}

export interface ApplierEvents {
  applied(entry: Entry, results: readonly Result[]): void;
  /** Everything up to `index` is applied. */
  reached(index: Index): void;
  /** The machine failed: nothing more is applied. */
  failed(error: unknown): void;
}

/** Bytes of entries queued and not yet applied above which the Ready loop waits: a few Readies' worth (core-config.ts). */
export const MAX_BACKLOG_BYTES: number = 128 * 1024;

export class Applier {
  readonly #components: ApplierComponents;
  readonly #events: ApplierEvents;
  #tail: Promise<void> = Promise.resolve();
  /** Calls of enqueue whose entries are not all applied. */
  #queued = 0;
  #backlogBytes = 0;
  #failed = false;

  constructor(components: ApplierComponents, events: ApplierEvents) {
    this.#components = components;
    this.#events = events;
  }

  /**
   * Queues `entries`, which follow the last ones, and begins with them if nothing waits. More may be queued at once
   * (undefined) while the backlog is small, else when what was queued before them is applied, and after everything is when
   * a membership change is among them (the core must know before it goes on). Never waits for longer than that: a node
   * that has much to apply must still answer its leader.
   */
  enqueue(entries: readonly Entry[]): Promise<void> | undefined {
    if (entries.length === 0) return undefined;
    const before = this.#tail;
    const isIdle = this.#queued === 0;
    this.#queued += 1;
    this.#backlogBytes += sizeOf(entries);
    this.#tail = isIdle ? this.#apply(entries) : before.then(() => this.#apply(entries));
    if (entries.some(isConfChange)) return this.#tail;
    return this.#backlogBytes <= MAX_BACKLOG_BYTES ? undefined : this.#relieved(before);
  }

  /** Rows in memory are applied without ever waiting: the messages that came meanwhile have their turn here. */
  async #relieved(before: Promise<void>): Promise<void> {
    await before;
    await sleep(this.#components.clock, 0);
  }

  /** Resolves when everything queued is applied, or the machine has failed. */
  drained(): Promise<void> {
    return this.#tail;
  }

  async #apply(entries: readonly Entry[]): Promise<void> {
    try {
      if (this.#failed) return;
      for (const run of runsOfOneKind(entries)) await this.#applyRun(run);
    } catch (error) {
      this.#failed = true;
      this.#events.failed(error);
    } finally {
      this.#backlogBytes -= sizeOf(entries);
      this.#queued -= 1;
    }
  }

  async #applyRun(run: readonly Entry[]): Promise<void> {
    const last = run[run.length - 1];
    if (last === undefined) return;
    if (isConfChange(last)) {
      await this.#components.machine.applyConfState(
        last.index,
        last.term,
        this.#components.applyConfChange(last),
      );
      this.#events.applied(last, []);
    } else {
      const results = await this.#components.machine.apply(run);
      run.forEach((entry, position) => this.#events.applied(entry, results[position] ?? []));
    }
    this.#events.reached(last.index);
  }
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((bytes, { data }) => bytes + data.length, 0);
}

export function isConfChange(entry: Entry): boolean {
  return entry.type !== 'EntryNormal';
}

/** Consecutive normal entries together, each membership change alone. */
function runsOfOneKind(entries: readonly Entry[]): Entry[][] {
  const runs: Entry[][] = [];
  for (const entry of entries) {
    const run = runs[runs.length - 1];
    const previous = run?.[run.length - 1];
    if (run === undefined || previous === undefined || isConfChange(entry) || isConfChange(previous))
      runs.push([entry]);
    else run.push(entry);
  }
  return runs;
}
