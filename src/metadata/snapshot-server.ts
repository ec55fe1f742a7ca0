/** @module Streams snapshot files to other metadata nodes, from any offset on. */
import { createReadStream } from 'node:fs';
import type { Logger } from '../common/logger.ts';
import { describeError } from '../common/errors.ts';
import type { IncomingChannel, Network } from '../network/network.ts';
import { SnapshotReadHeader } from '../protocol/messages.ts';
import { SNAPSHOT_READ_CHANNEL } from '../protocol/methods.ts';
import { notAllowed, snapshotFailed } from './errors.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';
import type { SnapshotStore } from './snapshot-store.ts';

export interface SnapshotServerComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly store: SnapshotStore;
  readonly logger: Logger;
}

const CHUNK_BYTES: number = 256 * 1024;

export class SnapshotServer {
  readonly #components: SnapshotServerComponents;

  constructor(components: SnapshotServerComponents) {
    this.#components = components;
  }

  start(): void {
    const { network, logger } = this.#components;
    network.onChannel(SNAPSHOT_READ_CHANNEL, async (channel) => {
      try {
        await send(this.#components, channel);
      } catch (error) {
        logger.warn('snapshot.not-sent', { peer: channel.peer, error: describeError(error) });
        channel.abort(error instanceof Error ? error : undefined);
      }
    });
  }
}

async function send({ members, store }: SnapshotServerComponents, channel: IncomingChannel): Promise<void> {
  const { name, offset } = SnapshotReadHeader.decode(channel.header);
  if (!hasRole(members.activeByPeer(channel.peer), 'meta'))
    throw notAllowed('only metadata nodes may read snapshots', { peer: channel.peer });
  if (!store.isName(name)) throw snapshotFailed(name, 'that is no name of a snapshot');
  if ((await store.sizeOf(store.pathOf(name))) === 0) throw snapshotFailed(name, 'it is no longer kept here');
  const file = createReadStream(store.pathOf(name), { start: offset, highWaterMark: CHUNK_BYTES });
  for await (const chunk of file as AsyncIterable<Uint8Array>) await channel.write(chunk);
  await channel.end();
}
