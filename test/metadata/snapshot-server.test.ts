/** @module Who is sent a snapshot, and how many at a time: it is the whole namespace, secrets and all. */
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { SnapshotServer } from '../../src/metadata/snapshot-server.ts';
import { Member } from '../../src/namespace/schema.ts';
import type { ChannelHandler, IncomingChannel } from '../../src/network/network.ts';
import { SnapshotReadHeader } from '../../src/protocol/messages.ts';
import { ManualClock, settle } from '../manual-clock.ts';

const NAME = '1-2-3-abcd.snapshot';
/** Members, each named by its role. */
const MEMBERS: readonly string[] = ['meta', 'data', 'client'];

/** A server with one snapshot, and what peers that ask for it get. */
function serving() {
  let handler: ChannelHandler = () => Promise.reject(new Error('not started'));
  const open = new Set<string>();
  const server = new SnapshotServer(
    {
      network: { onChannel: (_name: string, serve: ChannelHandler) => (handler = serve) },
      members: {
        activeByPeer: (peer: string) =>
          MEMBERS.includes(peer) ? Member.fromPartial({ peer, roles: [peer], state: 'active' }) : undefined,
      },
      snapshots: {
        read: (name: string) => {
          if (name !== NAME) return undefined;
          open.add(name);
          return { [Symbol.dispose]: () => open.delete(name) };
        },
      },
      store: {
        pathOf: (name: string) => name,
        read: async function* () {
          yield new Uint8Array(10);
        },
      },
      clock: new ManualClock(),
      logger: silentLogger,
    } as unknown as ConstructorParameters<typeof SnapshotServer>[0],
    {},
  );
  server.start();

  /** `taken` is how the peer takes a chunk. */
  const ask = (peer: string, name = NAME, taken: () => Promise<void> = () => Promise.resolve()) => {
    const got = { chunks: 0, ended: false, code: '' };
    const channel = {
      peer,
      header: SnapshotReadHeader.encode({ name, offset: 0 }).finish(),
      signal: new AbortController().signal,
      write: () => {
        got.chunks += 1;
        return taken();
      },
      end: async () => {
        got.ended = true;
      },
      abort: (error?: Error & { code?: string }) => {
        got.code = error?.code ?? 'aborted';
      },
    } as unknown as IncomingChannel;
    return { got, done: handler(channel) };
  };
  return { ask, open };
}

describe('a snapshot', () => {
  it('is sent to another metadata node', async () => {
    const { ask, open } = serving();
    const { got, done } = ask('meta');
    await done;
    expect(got).toEqual({ chunks: 1, ended: true, code: '' });
    expect(open.size).toBe(0);
  });

  it.each(['data', 'client', 'stranger'])('is not sent to a %s', async (peer) => {
    const { got, done } = serving().ask(peer);
    await done;
    expect(got).toEqual({ chunks: 0, ended: false, code: 'METADATA_NOT_ALLOWED' });
  });

  it('is refused by its name when it is not kept any more', async () => {
    const { got, done } = serving().ask('meta', 'other.snapshot');
    await done;
    expect(got).toMatchObject({ chunks: 0, code: 'METADATA_SNAPSHOT_FAILED' });
  });

  it('is sent to two at a time, and to the next one when one of them has it', async () => {
    const { ask } = serving();
    const slow = Promise.withResolvers<void>();
    const first = [1, 2].map(() => ask('meta', NAME, () => slow.promise));
    await settle();
    const third = ask('meta');
    await third.done;
    expect(third.got).toEqual({ chunks: 0, ended: false, code: 'METADATA_OVERLOADED' });
    slow.resolve();
    for (const { got, done } of first) {
      await done;
      expect(got.ended).toBe(true);
    }
    const again = ask('meta');
    await again.done;
    expect(again.got.ended).toBe(true);
  });
});
