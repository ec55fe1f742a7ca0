/** @module How many connections of peers that nobody knows there may be. */
import type { Connection } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { beforeAll, expect, it } from 'vitest';
import { createIdentity } from '../../src/network/identity.ts';
import { UnknownConnections } from '../../src/network/unknown-connections.ts';

let peers: string[];
beforeAll(async () => {
  peers = await Promise.all(Array.from({ length: 5 }, async () => (await createIdentity()).peer));
});

type Fake = Pick<Connection, 'id' | 'direction' | 'remotePeer' | 'abort'>;

interface House {
  readonly unknown: UnknownConnections;
  readonly asked: number[];
  /** Numbers of the connections that were aborted, and of the peers that were forgotten. */
  readonly aborted: number[];
  readonly forgotten: number[];
  readonly connected: Set<string>;
  connect(number: number, direction?: 'inbound' | 'outbound'): Fake;
}

function house(members: readonly number[]): House {
  const [asked, aborted, forgotten]: number[][] = [[], [], []];
  const connected = new Set<string>();
  const numberOf = (peer: { toString(): string }): number => peers.indexOf(peer.toString());
  const unknown = new UnknownConnections(
    {
      admits: async (peer) => {
        asked?.push(numberOf(peer));
        return members.includes(numberOf(peer));
      },
      isConnected: (peer) => connected.has(peer),
      forget: (peer) => void forgotten?.push(numberOf(peer)),
    },
    { maxOpen: 2, maxDeparted: 1 },
  );
  const connect: House['connect'] = (number, direction = 'inbound') => {
    const remotePeer = peerIdFromString(peers[number] ?? '');
    const connection = {
      id: `of ${number}`,
      direction,
      remotePeer,
      abort: () => {
        aborted?.push(number);
        unknown.closed(connection);
      },
    };
    unknown.opened(connection);
    return connection;
  };
  return {
    unknown,
    asked: asked ?? [],
    aborted: aborted ?? [],
    forgotten: forgotten ?? [],
    connected,
    connect,
  };
}

it('asks about nobody while there are few, nor about those who were dialled', async () => {
  const { connect, asked } = house([]);
  connect(0);
  connect(1);
  for (const number of [2, 3, 4]) connect(number, 'outbound');
  await Promise.resolve();
  expect(asked).toEqual([]);
});

it('lets the oldest stranger go when one more comes, and keeps members', async () => {
  const { connect, asked, aborted } = house([0]);
  for (const number of [0, 1, 2]) connect(number);
  await expect.poll(() => asked).toEqual([0]);
  expect(aborted).toEqual([]);
  // The member counts no more: two strangers have its place and their own, and a third is one too many.
  connect(3);
  await expect.poll(() => aborted).toEqual([1]);
  expect(asked).toEqual([0, 1]);
});

it('has libp2p forget strangers that left, but not members, nor who is back', async () => {
  const { connect, unknown, forgotten, connected } = house([0]);
  connected.add(peers[1] ?? '');
  for (const number of [0, 1, 2, 3]) unknown.closed(connect(number));
  // Of four that left the last may be remembered; the first is a member, the second is connected again.
  await expect.poll(() => forgotten).toEqual([2]);
});
