/** @module Who is kept waiting when many come at once and do not say who they are. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { MultiaddrConnection, Upgrader } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { createLibp2pNetwork } from '../../src/network/libp2p-network.ts';
import { UpgradeRoom } from '../../src/network/upgrade-room.ts';

const MAX = 4;

interface Door {
  /** A connection from that host begins; its upgrade ends with done(), or when it is aborted. */
  come(name: string, host: string): { readonly done: () => void };
  /** Names of those that were aborted. */
  readonly aborted: string[];
}

function openDoor(): Door {
  const aborted: string[] = [];
  const upgradeInbound = (connection: { readonly ended: Promise<void> }): Promise<void> => connection.ended;
  const inner = { upgradeInbound } as unknown as Upgrader;
  const upgrader = new UpgradeRoom({ max: MAX }).around(inner);
  const come: Door['come'] = (name, host) => {
    const { promise: ended, resolve: done, reject } = Promise.withResolvers<void>();
    const connection = {
      remoteAddr: multiaddr(`/ip4/${host}/tcp/1`),
      ended,
      abort: (cause: Error) => {
        aborted.push(name);
        reject(cause);
      },
    } as unknown as MultiaddrConnection;
    upgrader
      .upgradeInbound(connection, { signal: new AbortController().signal })
      .catch(({ code }: { code: string }) => expect(code).toBe('NETWORK_OVERLOADED'));
    return { done };
  };
  return { come, aborted };
}

it('lets the host with the most of them lose its oldest, and nobody else', async () => {
  const { come, aborted } = openDoor();
  come('member', '192.0.2.1');
  for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) come(name, '192.0.2.66');
  come('another', '192.0.2.2');
  expect(aborted).toEqual(['first', 'second', 'third']);
});

it('forgets those that are done', async () => {
  const { come, aborted } = openDoor();
  for (let round = 0; round < 3; round += 1) {
    const comers = ['a', 'b', 'c', 'd'].map((name) => come(name, '192.0.2.66'));
    for (const { done } of comers) done();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(aborted).toEqual([]);
});

// Elsewhere a machine has one address of its own only.
it.runIf(process.platform === 'linux')(
  'stands before the door of a node: whoever only knocks there keeps no other host out',
  async () => {
    const collaborators = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const start = async (listen: readonly string[]): ReturnType<typeof createLibp2pNetwork> => {
      const network = await createLibp2pNetwork(
        { identity: await createIdentity(), ...collaborators },
        { listen },
      );
      await network.start();
      onTestFinished(() => network.stop());
      return network;
    };
    const node = await start(['/ip4/127.0.0.1/tcp/0']);
    const address = node.addresses()[0] ?? '';
    const port = Number(/tcp\/(\d+)/.exec(address)?.[1]);
    const knock = async (): Promise<Socket> => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.66' });
      socket.on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      socket.write(Uint8Array.of(19));
      return socket.resume();
    };
    const client = await start([]);
    // More than libp2p has room for.
    for (let count = 0; count < 1_100; count += 1) await knock();
    expect(await client.dial(address)).toBe(node.localPeer);
  },
);
