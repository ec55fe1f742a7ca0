/** @module Keeps the log bounded: drops entries whose effects are durable in the namespace's own rows. */
import type { Index } from '../../raft/types.ts';
import { MIB } from '../common/bytes.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { decodeConfState } from './raft-wire.ts';

export interface LogCompactorComponents {
  readonly log: RaftLogStore;
  readonly machine: StateMachine;
  /** Entries behind `heldIndex` are needed by a follower that is being sent a snapshot. */
  readonly snapshots: { readonly heldIndex: Index | undefined };
  readonly logger: Logger;
}

export interface LogCompactorOptions {
  /** Entries in the log above which it is compacted. */
  readonly maxLogEntries?: number;
  /** Bytes in the log above which it is compacted; half of them are kept then, if `trailingEntries` allows. */
  readonly maxLogBytes?: number;
  /** Entries kept behind what is durable, so that a follower a little behind needs no snapshot. */
  readonly trailingEntries?: number;
}

/** All of it is in memory, and read at every start. */
const DEFAULT_MAX_LOG_ENTRIES = 100_000;
export const DEFAULT_MAX_LOG_BYTES: number = 64 * MIB;
const DEFAULT_TRAILING_ENTRIES = 50_000;
/** A log so many times too large no longer waits for a snapshot to arrive: memory comes first, and a new one is made. */
export const HELD_FACTOR = 4;
/** Entries dropped by one write, which the log's next write waits for. */
const STEP_ENTRIES = 4_096;
const IDLE_MS = 1_000;

/** No state is copied for it: the rows are the snapshot, and a file of them is made when a follower needs one. */
export class LogCompactor implements BackgroundWorker {
  readonly name = 'log-compaction';
  readonly idleMs: number = IDLE_MS;
  readonly #components: LogCompactorComponents;
  readonly #options: Required<LogCompactorOptions>;
  /** What a compaction under way goes up to. */
  #target: Index = 0;

  constructor(components: LogCompactorComponents, options: LogCompactorOptions) {
    this.#components = components;
    this.#options = {
      maxLogEntries: options.maxLogEntries ?? DEFAULT_MAX_LOG_ENTRIES,
      maxLogBytes: options.maxLogBytes ?? DEFAULT_MAX_LOG_BYTES,
      trailingEntries: options.trailingEntries ?? DEFAULT_TRAILING_ENTRIES,
    };
  }

  async work(): Promise<WorkState> {
    const { log, machine, logger } = this.#components;
    if (this.#target < log.firstIndex()) this.#target = this.#upTo();
    if (this.#target < log.firstIndex()) return 'idle';
    const { index, term, confState } = machine.durable;
    const upTo = Math.min(this.#target, log.firstIndex() - 1 + STEP_ENTRIES);
    const metadata = { index, term, confState: decodeConfState(confState) };
    await log.compact({ metadata, data: new Uint8Array() }, upTo);
    if (upTo < this.#target) return 'busy';
    logger.info('log.compacted', { upTo, durable: index, last: log.lastIndex() });
    return 'idle';
  }

  /** The last entry to drop; 0 when none is. */
  #upTo(): Index {
    const { log, machine, snapshots } = this.#components;
    const { maxLogEntries, maxLogBytes, trailingEntries } = this.#options;
    const entries = log.lastIndex() - log.firstIndex() + 1;
    const fill = Math.max(log.retainedBytes() / maxLogBytes, entries / maxLogEntries);
    if (fill <= 1) return 0;
    const held = fill > HELD_FACTOR ? undefined : snapshots.heldIndex;
    const trailing = Math.min(trailingEntries, this.#entriesOf(maxLogBytes / 2));
    return Math.min(machine.durable.index - trailing, held ?? Infinity);
  }

  /** How many of the newest entries have at most so many bytes together. */
  #entriesOf(maxBytes: number): number {
    const { log } = this.#components;
    const entries = log.entries(log.firstIndex(), log.lastIndex() + 1, Infinity);
    let bytes = 0;
    const last = entries.findLastIndex(({ data }) => (bytes += data.length) > maxBytes);
    return entries.length - 1 - last;
  }
}
