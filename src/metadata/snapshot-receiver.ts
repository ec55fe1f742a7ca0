/** @module Fetches the file a MsgSnap speaks of before the core sees the message, and restores the machine from it. */
import type { Index, Message, Snapshot } from '../../raft/types.ts';
import { type Clock, sleep } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { Network } from '../network/network.ts';
import type { SnapshotHandle } from '../protocol/messages.ts';
import { snapshotFailed } from './errors.ts';
import { handleOf } from './log-snapshot.ts';
import type { MemberDirectory } from './member-directory.ts';
import { SnapshotDownload } from './snapshot-download.ts';
import type { SnapshotStore } from './snapshot-store.ts';

export interface SnapshotReceiverComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly store: SnapshotStore;
  readonly machine: StateMachine;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SnapshotReceiverEvents {
  /** The file is here and sound: the core may have the message. */
  fetched(message: Message): void;
  /** It could not be had; the leader must hear of it, or it would wait for ever. */
  failed(message: Message): void;
}

interface Fetch {
  readonly name: string;
  /** The latest that named the file: a leader that did not hear of us asks again, maybe in a later term. */
  message: Message;
  readonly abort: AbortController;
  ended: Promise<void>;
}

/** Connections tried in a row without a single byte more; each goes on where the last one broke. */
const MAX_ATTEMPTS = 5;
const RETRY_PAUSE_MS = 200;

export class SnapshotReceiver {
  readonly #components: SnapshotReceiverComponents;
  readonly #events: SnapshotReceiverEvents;
  #fetch: Fetch | undefined;
  /** Names and indices of files whose messages the core was given, which it may be about to install. */
  readonly #delivered = new Map<string, Index>();

  constructor(components: SnapshotReceiverComponents, events: SnapshotReceiverEvents) {
    this.#components = components;
    this.#events = events;
  }

  /** Fetches in the background; one file at a time, the newest asked for. */
  receive(message: Message): void {
    const { snapshot } = message;
    if (snapshot === undefined) return;
    const handle = handleOf(snapshot);
    // The core answers a snapshot it does not need with where it stands.
    if (snapshot.metadata.index <= this.#components.machine.appliedIndex)
      return this.#events.fetched(message);
    const before = this.#fetch;
    if (before?.name === handle.name) {
      before.message = message;
      return;
    }
    before?.abort.abort();
    const fetch: Fetch = {
      name: handle.name,
      message,
      abort: new AbortController(),
      ended: Promise.resolve(),
    };
    this.#fetch = fetch;
    // Two at a time would remove each other's files.
    fetch.ended = (before?.ended ?? Promise.resolve()).then(() => this.#run(fetch, handle));
  }

  get isFetching(): boolean {
    return this.#fetch !== undefined;
  }

  async stop(): Promise<void> {
    this.#fetch?.abort.abort();
    await this.#fetch?.ended;
  }

  /** Puts a fetched snapshot into the machine. */
  async restore(snapshot: Snapshot): Promise<void> {
    const { machine, store, logger } = this.#components;
    const handle = handleOf(snapshot);
    await machine.restoreFrom(store.pathOf(handle.name));
    logger.info('snapshot.restored', { index: snapshot.metadata.index, term: snapshot.metadata.term });
  }

  async #run(fetch: Fetch, handle: SnapshotHandle): Promise<void> {
    const { signal } = fetch.abort;
    try {
      signal.throwIfAborted();
      await this.#fetchWhole(fetch.message.from, handle, signal);
      signal.throwIfAborted();
      this.#delivered.set(handle.name, fetch.message.snapshot?.metadata.index ?? 0);
      this.#events.fetched(fetch.message);
    } catch (error) {
      if (signal.aborted) return;
      this.#components.logger.warn('snapshot.not-fetched', {
        name: handle.name,
        error: describeError(error),
      });
      this.#events.failed(fetch.message);
    } finally {
      if (this.#fetch === fetch) this.#fetch = undefined;
    }
  }

  /** The file is verified and durable before the core hears of it: what remains then is a rename. */
  async #fetchWhole(source: number, handle: SnapshotHandle, signal: AbortSignal): Promise<void> {
    const { network, members, store, machine, logger } = this.#components;
    const { name } = handle;
    const peer = members.byNumber(source)?.peer;
    if (peer === undefined || !store.isName(name)) throw snapshotFailed(name, 'its sender is unknown');
    // Of another snapshot a crash or a change of leaders may have left a part. What the core was told of stays.
    for (const [other, index] of this.#delivered)
      if (index <= machine.appliedIndex) this.#delivered.delete(other);
    await store.prune([name, ...this.#delivered.keys()]);
    if (await store.has(handle)) return;
    const download = await SnapshotDownload.resume({ network, store }, { peer, handle });
    logger.info('snapshot.fetching', { name, offset: download.offset, sizeBytes: handle.sizeBytes });
    await this.#finish(download, name, signal);
    if (!download.isSound()) {
      await store.discard(name);
      throw snapshotFailed(name, 'what arrived does not match its checksum');
    }
    await machine.verify(store.partialPathOf(name));
    await store.publish(name);
  }

  async #finish(download: SnapshotDownload, name: string, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#components;
    for (let attempt = 1; ; attempt += 1) {
      const before = download.offset;
      try {
        return await download.fetchRest(signal);
      } catch (error) {
        if (download.offset > before) attempt = 0;
        if (attempt === MAX_ATTEMPTS || signal.aborted) throw error;
        logger.debug('snapshot.fetch-retried', {
          name,
          offset: download.offset,
          error: describeError(error),
        });
        await sleep(clock, RETRY_PAUSE_MS, signal);
      }
    }
  }
}
