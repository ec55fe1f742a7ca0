/** @module Keeps the log bounded: exports the state when enough log has gathered, and drops what it covers. */
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { SnapshotHandle } from '../protocol/messages.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { handleOf, logSnapshot } from './log-snapshot.ts';
import { decodeConfState } from './raft-wire.ts';
import { type SnapshotStore, digestFile } from './snapshot-store.ts';

export interface SnapshotTakerComponents {
  readonly log: RaftLogStore;
  readonly machine: StateMachine;
  readonly store: SnapshotStore;
  readonly logger: Logger;
}

export interface SnapshotTakerOptions {
  /** This node's number; part of the file's name, since nodes' files of one index differ. */
  readonly number: number;
  /** Entries in the log above which a snapshot is taken. */
  readonly maxLogEntries?: number;
  /** Bytes in the log above which a snapshot is taken. */
  readonly maxLogBytes?: number;
  /** Entries kept behind a snapshot, so that a follower a little behind needs none. */
  readonly trailingEntries?: number;
}

export const DEFAULT_MAX_LOG_ENTRIES = 20_000;
export const DEFAULT_MAX_LOG_BYTES: number = 32 * 1024 * 1024;
export const DEFAULT_TRAILING_ENTRIES = 5_000;
/** With entries so large that their bytes count, only so many are kept behind. */
const TRAILING_LARGE_ENTRIES = 64;
const IDLE_MS = 1_000;

export class SnapshotTaker implements BackgroundWorker {
  readonly name = 'snapshot';
  readonly idleMs: number = IDLE_MS;
  readonly #components: SnapshotTakerComponents;
  readonly #options: Required<SnapshotTakerOptions>;
  /** The one before the log's: somebody may still be fetching it. */
  #previous: readonly string[] = [];

  constructor(components: SnapshotTakerComponents, options: SnapshotTakerOptions) {
    this.#components = components;
    this.#options = {
      number: options.number,
      maxLogEntries: options.maxLogEntries ?? DEFAULT_MAX_LOG_ENTRIES,
      maxLogBytes: options.maxLogBytes ?? DEFAULT_MAX_LOG_BYTES,
      trailingEntries: options.trailingEntries ?? DEFAULT_TRAILING_ENTRIES,
    };
  }

  async work(): Promise<WorkState> {
    const trailing = this.#trailing();
    if (trailing === undefined) return 'idle';
    await this.#take(trailing);
    return 'idle';
  }

  /** How many entries to keep behind a snapshot taken now; undefined when none is due. */
  #trailing(): number | undefined {
    const { log, machine } = this.#components;
    const { maxLogEntries, maxLogBytes, trailingEntries } = this.#options;
    const isTooLarge = log.retainedBytes() > maxLogBytes;
    const isTooLong = log.lastIndex() - log.firstIndex() + 1 > maxLogEntries;
    const trailing = isTooLarge ? Math.min(TRAILING_LARGE_ENTRIES, trailingEntries) : trailingEntries;
    const dropsSomething = machine.appliedIndex - trailing >= log.firstIndex();
    return (isTooLarge || isTooLong) && dropsSomething ? trailing : undefined;
  }

  /** The file is durable before the log points to it, and the log is cut in the same write that points to it. */
  async #take(trailing: number): Promise<void> {
    const { log, machine, store, logger } = this.#components;
    const name = `${log.term(machine.appliedIndex)}-${machine.appliedIndex}-${this.#options.number}.snapshot`;
    await store.discardPartial(name);
    const { index, term, confState } = await machine.exportTo(store.partialPathOf(name));
    const { sizeBytes, sha256 } = await digestFile(store.partialPathOf(name));
    await store.publish(name);

    this.#previous = fileNameIn(log);
    const data = SnapshotHandle.encode({ name, sizeBytes, sha256, node: this.#options.number }).finish();
    const metadata = { index, term, confState: decodeConfState(confState) };
    await log.compact({ metadata, data }, Math.max(index - trailing, log.firstIndex() - 1));
    // A snapshot from the leader may have replaced the log's meanwhile: keep whichever it names now.
    await store.prune([name, ...this.#previous, ...fileNameIn(log)]);
    logger.info('snapshot.taken', { index, term, sizeBytes, firstIndex: log.firstIndex() });
  }
}

function fileNameIn(log: RaftLogStore): string[] {
  const snapshot = logSnapshot(log);
  return snapshot === undefined ? [] : [handleOf(snapshot).name];
}
