/** @module Fetches the file a MsgSnap speaks of before the core sees the message, and restores the machine from it. */
import { open } from 'node:fs/promises';
import type { Message, Snapshot } from '../../raft/types.ts';
import type { Clock } from '../common/clock.ts';
import { sleep } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { Network, PeerId } from '../network/network.ts';
import { type SnapshotHandle, SnapshotReadHeader } from '../protocol/messages.ts';
import { SNAPSHOT_READ_CHANNEL } from '../protocol/methods.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { logInconsistent, snapshotFailed } from './errors.ts';
import { handleOf, logSnapshot } from './log-snapshot.ts';
import type { MemberDirectory } from './member-directory.ts';
import { type SnapshotStore, digestFile, matches } from './snapshot-store.ts';

export interface SnapshotReceiverComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly store: SnapshotStore;
  readonly machine: StateMachine;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SnapshotReceiverEvents {
  /** The file is here: the core may have the message. */
  fetched(message: Message): void;
  /** It could not be had; the leader must hear of it, or it would wait for ever. */
  failed(message: Message): void;
}

/** Connections tried for one file; each goes on where the last one broke. */
const MAX_ATTEMPTS = 5;
const RETRY_PAUSE_MS = 200;

export class SnapshotReceiver {
  readonly #components: SnapshotReceiverComponents;
  readonly #events: SnapshotReceiverEvents;
  #fetch:
    | { readonly name: string; readonly abort: AbortController; readonly ended: Promise<void> }
    | undefined;

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
    if (this.#fetch?.name === handle.name) return;
    this.#fetch?.abort.abort();
    const abort = new AbortController();
    this.#fetch = { name: handle.name, abort, ended: this.#run(message, handle, abort.signal) };
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

  async #run(message: Message, handle: SnapshotHandle, signal: AbortSignal): Promise<void> {
    try {
      await this.#fetchWhole(message.from, handle, signal);
      signal.throwIfAborted();
      this.#events.fetched(message);
    } catch (error) {
      this.#components.logger.warn('snapshot.not-fetched', {
        name: handle.name,
        error: describeError(error),
      });
      if (!signal.aborted) this.#events.failed(message);
    } finally {
      if (this.#fetch?.abort.signal === signal) this.#fetch = undefined;
    }
  }

  /** From whoever sent the message: it keeps the file its own log names, be it its own or one it was sent. */
  async #fetchWhole(source: number, handle: SnapshotHandle, signal: AbortSignal): Promise<void> {
    const { members, store, clock, logger } = this.#components;
    const peer = members.byNumber(source)?.peer;
    if (peer === undefined || !store.isName(handle.name))
      throw snapshotFailed(handle.name, 'its sender is unknown');
    if (await store.has(handle)) return;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#fetchRest(peer, handle, signal);
        break;
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || signal.aborted) throw error;
        logger.debug('snapshot.fetch-retried', { name: handle.name, error: describeError(error) });
        await sleep(clock, RETRY_PAUSE_MS, signal);
      }
    }
    if (!matches(await digestFile(store.partialPathOf(handle.name)), handle)) {
      await store.discardPartial(handle.name);
      throw snapshotFailed(handle.name, 'what arrived does not match its checksum');
    }
    await store.publish(handle.name);
  }

  async #fetchRest(peer: PeerId, { name, sizeBytes }: SnapshotHandle, signal: AbortSignal): Promise<void> {
    const { network, store } = this.#components;
    let offset = await store.sizeOf(store.partialPathOf(name));
    if (offset >= sizeBytes) return;
    const header = SnapshotReadHeader.encode({ name, offset }).finish();
    const channel = await network.open(peer, SNAPSHOT_READ_CHANNEL, header, { signal });
    const onAbort = (): void => channel.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await using file = await open(store.partialPathOf(name), 'a');
      for await (const chunk of channel) {
        offset += chunk.length;
        if (offset > sizeBytes) throw snapshotFailed(name, 'more bytes arrived than it has');
        await file.writeFile(chunk);
      }
      await channel.end();
    } catch (error) {
      channel.abort();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    if (offset < sizeBytes) throw snapshotFailed(name, `it ended after ${offset} of ${sizeBytes} bytes`);
  }
}

/**
 * Brings the machine to the log's snapshot when a crash came between the two (RaftDriver writes the log first).
 * Throws METADATA_LOG_INCONSISTENT when they do not belong together.
 */
export async function repairAtStart(
  log: RaftLogStore,
  machine: StateMachine,
  store: SnapshotStore,
): Promise<void> {
  const snapshot = logSnapshot(log);
  const facts = { applied: machine.appliedIndex, last: log.lastIndex() };
  if (machine.appliedIndex > log.lastIndex())
    throw logInconsistent('the namespace holds changes that the log does not have', facts);
  if (snapshot === undefined || machine.appliedIndex >= snapshot.metadata.index) return;
  const handle = handleOf(snapshot);
  if (!(await store.has(handle)))
    throw logInconsistent(
      `the log begins with snapshot ${handle.name}, whose file is missing or damaged`,
      facts,
    );
  await machine.restoreFrom(store.pathOf(handle.name));
}
