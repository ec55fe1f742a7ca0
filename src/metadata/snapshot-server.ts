/** @module Streams the snapshot this node made to other metadata nodes, from any offset on, at a bounded rate. */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { IncomingChannel, Network } from '../network/network.ts';
import { SnapshotReadHeader } from '../protocol/messages.ts';
import { SNAPSHOT_READ_CHANNEL } from '../protocol/methods.ts';
import { notAllowed, overloaded, snapshotFailed } from './errors.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';
import { Pacer } from '../common/pacer.ts';
import { encodeChunk, SNAPSHOT_CHUNK_BYTES } from './snapshot-chunks.ts';
import type { SnapshotMaker } from './snapshot-maker.ts';
import type { SnapshotStore } from './snapshot-store.ts';

export interface SnapshotServerComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly store: SnapshotStore;
  readonly snapshots: SnapshotMaker;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SnapshotServerOptions {
  /** For all receivers together; less while this node is busy (pacer.ts). */
  readonly maxSnapshotBytesPerSecond?: number;
}

export const DEFAULT_MAX_SNAPSHOT_BYTES_PER_SECOND: number = 64 * 1024 * 1024;
/** Receivers at a time; further ones are told METADATA_OVERLOADED and come again. */
const MAX_SNAPSHOT_STREAMS = 2;

export class SnapshotServer {
  readonly #components: SnapshotServerComponents;
  readonly #pacer: Pacer;
  #streams = 0;

  constructor(components: SnapshotServerComponents, options: SnapshotServerOptions) {
    this.#components = components;
    this.#pacer = new Pacer(components, {
      maxBytesPerSecond: options.maxSnapshotBytesPerSecond ?? DEFAULT_MAX_SNAPSHOT_BYTES_PER_SECOND,
    });
  }

  start(): void {
    const { network, logger } = this.#components;
    network.onChannel(SNAPSHOT_READ_CHANNEL, async (channel) => {
      try {
        await this.#serve(channel);
      } catch (error) {
        logger.warn('snapshot.not-sent', { peer: channel.peer, error: describeError(error) });
        channel.abort(error instanceof Error ? error : undefined);
      }
    });
  }

  async #serve(channel: IncomingChannel): Promise<void> {
    const { members, snapshots } = this.#components;
    const { name, offset } = SnapshotReadHeader.decode(channel.header);
    if (!hasRole(members.activeByPeer(channel.peer), 'meta'))
      throw notAllowed('only metadata nodes may read snapshots', { peer: channel.peer });
    using reading = snapshots.read(name);
    if (reading === undefined) throw snapshotFailed(name, 'it is not kept here any more');
    if (this.#streams >= MAX_SNAPSHOT_STREAMS) throw overloaded('snapshots being sent', MAX_SNAPSHOT_STREAMS);
    this.#streams += 1;
    try {
      await this.#send(channel, name, offset);
    } finally {
      this.#streams -= 1;
    }
  }

  async #send(channel: IncomingChannel, name: string, start: number): Promise<void> {
    const { store } = this.#components;
    let offset = start;
    for await (const payload of store.read(store.pathOf(name), { start, partBytes: SNAPSHOT_CHUNK_BYTES })) {
      await channel.write(encodeChunk(offset, payload));
      offset += payload.length;
      await this.#pacer.spend(payload.length, channel.signal);
    }
    await channel.end();
  }
}
