/** @module Makes the file of a snapshot when a follower needs one, and removes it when nobody does any more. */
import { RaftError } from '../../raft/errors.ts';
import type { Index, Snapshot } from '../../raft/types.ts';
import { toHex } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { SnapshotHandle } from '../protocol/messages.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import type { CopyOptions } from '../storage/row-store.ts';
import { Pacer } from '../common/pacer.ts';
import { decodeConfState } from './raft-wire.ts';
import type { FileDigest, SnapshotStore } from './snapshot-store.ts';

export interface SnapshotMakerComponents {
  readonly log: RaftLogStore;
  readonly machine: StateMachine;
  readonly store: SnapshotStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Made {
  readonly snapshot: Snapshot;
  readonly name: string;
}

/** Copying and hashing of the own file, in bytes per second; it backs off for clients (pacer.ts). */
const COPY_BYTES_PER_SECOND: number = 256 * 1024 * 1024;
/** A file that nobody asked for or read for so long is removed; a follower that restarts comes back sooner. */
const KEEP_MS = 60_000;
const IDLE_MS = 1_000;
const NAME_RANDOM_BYTES = 4;

/**
 * The machine's state is on this disk anyway, so a snapshot is copied only for sending it: at most one at a time, of the
 * size of the namespace. Raft's log is kept from its index on while it is in use (`heldIndex`).
 */
export class SnapshotMaker implements BackgroundWorker {
  readonly name = 'snapshot';
  readonly idleMs: number = IDLE_MS;
  readonly #components: SnapshotMakerComponents;
  readonly #number: number;
  readonly #pacer: Pacer;
  readonly #stopping = new AbortController();
  #made: Made | undefined;
  #making: Promise<void> | undefined;
  #readers = 0;
  #usedMs = 0;

  constructor(components: SnapshotMakerComponents, options: { readonly number: number }) {
    this.#components = components;
    this.#number = options.number;
    this.#pacer = new Pacer(components, { maxBytesPerSecond: COPY_BYTES_PER_SECOND });
  }

  /**
   * A snapshot that the log goes on from. Throws RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE, and begins to make one, where
   * there is none; the core asks again with every heartbeat.
   */
  snapshot(): Snapshot {
    const made = this.#usable();
    this.#usedMs = this.#components.clock.monotonicMs();
    if (made !== undefined) return made.snapshot;
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    throw new RaftError('RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE', 'The snapshot is being made.');
  }

  /** Entries behind this index are needed by whoever gets the snapshot; undefined when nobody does. */
  get heldIndex(): Index | undefined {
    return this.#made?.snapshot.metadata.index;
  }

  /** Keeps the file of this name until the reader is done. Undefined when it is not the snapshot of now. */
  read(name: string): Disposable | undefined {
    if (this.#made?.name !== name) return undefined;
    this.#readers += 1;
    return {
      [Symbol.dispose]: () => {
        this.#readers -= 1;
        this.#usedMs = this.#components.clock.monotonicMs();
      },
    };
  }

  /** Forgets a snapshot that nobody uses, or that the log no longer goes on from. */
  async work(): Promise<WorkState> {
    const { clock, store } = this.#components;
    if (this.#made === undefined || this.#readers > 0) return 'idle';
    const isUnused = clock.monotonicMs() - this.#usedMs > KEEP_MS;
    if (!isUnused && this.#usable() !== undefined) return 'idle';
    const { name } = this.#made;
    this.#made = undefined;
    await store.discard(name);
    return 'idle';
  }

  /** Ends what is being made. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#making;
  }

  #usable(): Made | undefined {
    const { log } = this.#components;
    const made = this.#made;
    return made !== undefined && made.snapshot.metadata.index >= log.firstIndex() - 1 ? made : undefined;
  }

  async #make(): Promise<void> {
    const { store, logger, clock } = this.#components;
    const startMs = clock.monotonicMs();
    try {
      if (this.#made !== undefined) {
        const { name } = this.#made;
        this.#made = undefined;
        await store.discard(name);
      }
      this.#made = await this.#copy();
      this.#usedMs = clock.monotonicMs();
      const { index, term } = this.#made.snapshot.metadata;
      logger.info('snapshot.made', { index, term, tookMs: Math.round(this.#usedMs - startMs) });
    } catch (error) {
      if (!this.#stopping.signal.aborted) logger.warn('snapshot.not-made', { error: describeError(error) });
    }
  }

  async #copy(): Promise<Made> {
    const { machine, store, random } = this.#components;
    const { signal } = this.#stopping;
    const { at, rows } = await machine.pin();
    await using pinned = rows;
    // Two copies of one state need not be equal to the byte, so each has a name of its own.
    const name = `${at.term}-${at.index}-${this.#number}-${toHex(random.bytes(NAME_RANDOM_BYTES))}.snapshot`;
    const pace = (bytes: number): Promise<void> => this.#pacer.spend(bytes, signal);
    await pinned.copyTo(store.pathOf(name), { pace, signal });
    const { sizeBytes, sha256 } = await this.#digest(name, { pace, signal });
    const data = SnapshotHandle.encode({ name, sizeBytes, sha256, node: this.#number }).finish();
    const metadata = { index: at.index, term: at.term, confState: decodeConfState(at.confState) };
    return { name, snapshot: { metadata, data } };
  }

  /** What cannot be read back does not stay: the next attempt has another name, and each is as large as the namespace. */
  async #digest(name: string, options: CopyOptions): Promise<FileDigest> {
    const { store } = this.#components;
    try {
      return await store.digest(store.pathOf(name), options);
    } catch (error) {
      await store.discard(name);
      throw error;
    }
  }
}
