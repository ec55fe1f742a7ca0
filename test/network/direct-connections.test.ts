/** @module Who gets a direct connection, and that bulk flows on when there can be none. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Connection } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { fromUtf8, KIB, utf8 } from '../../src/common/bytes.ts';
import { type Logger, silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { DirectConnections } from '../../src/network/direct-connections.ts';
import { directKindOf } from '../../src/network/direct-kind.ts';
import { acceptTls, dialTls } from '../../src/network/direct-tls.ts';
import { FrameKind } from '../../src/network/frame.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { createInvitation, decodeInvitation, encodeInvitation } from '../../src/network/invitation.ts';
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/network/libp2p-network.ts';
import { memoryStreamPair } from '../../src/network/memory-stream.ts';
import type { PeerId, TrafficClass } from '../../src/network/network.ts';
import { dialSealed, SEALED_FIRST_BYTE } from '../../src/network/sealed-socket.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function startNetwork(
  logger: Logger,
  options: { readonly listen: readonly string[]; readonly directRetryMs?: number },
): Promise<Libp2pNetwork> {
  const network = await createLibp2pNetwork(
    { identity: await createIdentity(), clock: systemClock, random: systemRandom, logger },
    options,
  );
  network.authorize(() => true);
  network.onChannel('count', async (channel) => {
    let sizeBytes = 0;
    for await (const piece of channel) sizeBytes += piece.byteLength;
    await channel.write(utf8(String(sizeBytes)));
  });
  await network.start();
  endings.push(() => network.stop());
  return network;
}

/** A logger that keeps the names of what it is told. */
function recorder(): { events: string[]; logger: Logger } {
  const events: string[] = [];
  const note = (event: string): void => void events.push(event);
  return { events, logger: { ...silentLogger, info: note } };
}

interface Gate {
  /** Connections that it lets through. */
  most: number;
  readonly port: number;
  readonly received: number[];
  readonly sockets: readonly Socket[];
}

/** Lets connections through to `port`, `most` of them, and counts their bytes. */
async function startGate(port: number, most: number): Promise<Gate> {
  const received: number[] = [];
  const sockets: Socket[] = [];
  const limit = { most };
  const server = createServer((socket) => {
    if (received.length >= limit.most) {
      socket.destroy();
      return;
    }
    const number = received.push(0) - 1;
    sockets.push(socket);
    const onward = connect(port, '127.0.0.1');
    for (const end of [socket, onward]) end.on('error', () => socket.destroy());
    socket.on('data', (chunk) => (received[number] = (received[number] ?? 0) + chunk.byteLength));
    socket.pipe(onward).pipe(socket);
    endings.push(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(() => server.close());
  return Object.assign(limit, { port: (server.address() as AddressInfo).port, received, sockets });
}

async function countOver(from: Libp2pNetwork, to: string, sizeBytes: number): Promise<string> {
  const channel = await from.open(to, 'count', utf8(''));
  await channel.write(new Uint8Array(sizeBytes));
  await channel.end();
  let answer = '';
  for await (const piece of channel) answer += fromUtf8(piece);
  return answer;
}

const soon = (): AbortSignal => AbortSignal.timeout(5_000);

async function startServer(accept: (socket: Socket) => void): Promise<{ host: string; port: number }> {
  const server: Server = createServer(accept).listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(() => server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

function portOf(network: Libp2pNetwork): number {
  return Number(/tcp\/(\d+)/.exec(network.addresses()[0] ?? '')?.[1]);
}

describe('bulk', () => {
  const sizeBytes = 700 * KIB;

  async function pairThrough(
    mostConnections: number,
    retry: { readonly directRetryMs?: number } = {},
  ): Promise<{
    dialler: Libp2pNetwork;
    listener: Libp2pNetwork;
    gate: Gate;
    received: readonly number[];
    sockets: readonly Socket[];
    events: string[];
  }> {
    const { events, logger } = recorder();
    const listener = await startNetwork(logger, { listen: ['/ip4/127.0.0.1/tcp/0'] });
    const dialler = await startNetwork(logger, { listen: [], ...retry });
    const gate = await startGate(portOf(listener), mostConnections);
    await dialler.dial(`/ip4/127.0.0.1/tcp/${gate.port}/p2p/${listener.localPeer}`);
    await expect.poll(() => listener.isConnected(dialler.localPeer)).toBe(true);
    const { received, sockets } = gate;
    return { dialler, listener, gate, received, sockets, events };
  }

  it('takes a connection of its own, to the address that is known to work', async () => {
    const { dialler, listener, received, events } = await pairThrough(2);
    expect(await countOver(dialler, listener.localPeer, sizeBytes)).toBe(String(sizeBytes));
    expect(received).toHaveLength(2);
    expect(received[1]).toBeGreaterThan(sizeBytes);
    expect(events).not.toContain('network.no-direct-connection');
  });

  it('to a peer that cannot be dialled goes over a connection that this peer dials', async () => {
    const { dialler, listener, received, events } = await pairThrough(2);
    expect(await countOver(listener, dialler.localPeer, sizeBytes)).toBe(String(sizeBytes));
    expect(received).toHaveLength(2);
    // It came from the listener's side: what the gate saw of the second connection is no more than its handshake.
    expect(received[1]).toBeLessThan(sizeBytes);
    expect(events).not.toContain('network.no-direct-connection');
  });

  it('goes over libp2p, and says so, when a second connection does not come through', async () => {
    const { dialler, listener, received, events } = await pairThrough(1);
    expect(await countOver(dialler, listener.localPeer, sizeBytes)).toBe(String(sizeBytes));
    expect(received).toHaveLength(1);
    expect(received[0]).toBeGreaterThan(sizeBytes);
    expect(events).toContain('network.no-direct-connection');
  });

  it('moves to a connection of its own when one comes through later', async () => {
    const { dialler, listener, gate, received } = await pairThrough(1, { directRetryMs: 50 });
    await countOver(dialler, listener.localPeer, sizeBytes);
    expect(received).toHaveLength(1);
    gate.most = Number.POSITIVE_INFINITY;
    const direct = (): number => Math.max(0, ...received.slice(1));
    const patience = { timeout: 8_000 };
    await expect.poll(() => received.length, patience).toBeGreaterThan(1);
    await expect
      .poll(() => countOver(dialler, listener.localPeer, sizeBytes).then(direct), patience)
      .toBeGreaterThan(sizeBytes);
  });

  it('is broken off with the connection on which the peers proved who they are', async () => {
    const { dialler, listener, sockets } = await pairThrough(2);
    const channel = await dialler.open(listener.localPeer, 'count', utf8(''));
    await channel.write(new Uint8Array(sizeBytes));
    sockets[0]?.destroy();
    await expect(channel[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'NETWORK_DISCONNECTED',
    });
  });

  it('is cut off where a socket begins like a direct connection and was not invited', async () => {
    const { listener } = await pairThrough(1);
    const target = { host: '127.0.0.1', port: portOf(listener) };
    await expect(dialTls(target, createInvitation(), soon())).rejects.toThrow();
    await expect(dialSealed(target, createInvitation(), soon())).rejects.toThrow();
  });
});

describe('an invitation', () => {
  it('lets one socket in, as the peer it was given to', async () => {
    const opened: [PeerId, TrafficClass][] = [];
    const direct = new DirectConnections();
    direct.onOpened((peer, trafficClass, bytes) => {
      opened.push([peer, trafficClass]);
      endings.push(() => bytes.abort(new Error('the test is over')));
    });
    direct.listening();
    const address = await startServer((socket) => void direct.take(socket, SEALED_FIRST_BYTE));
    const { peer } = await createIdentity();
    const connection = { id: 'one', status: 'open', remotePeer: peerIdFromString(peer) } as Connection;
    const [asking, serving] = memoryStreamPair((deliver) => queueMicrotask(deliver));
    direct.serve(connection, serving);
    const answer = await new Promise<Uint8Array>((resolve, reject) => {
      asking.listen({ frame: (_kind, _id, _argument, body) => resolve(body), closed: reject });
      asking.send(FrameKind.request, 0, directKindOf('bulk') ?? -1, new Uint8Array(0), new Uint8Array(0));
    });
    const invitation = decodeInvitation(answer);
    const first = await dialSealed(address, invitation, soon());
    endings.push(() => first.socket.destroy());
    await expect(dialSealed(address, invitation, soon())).rejects.toThrow();
    expect(opened).toEqual([[peer, 'bulk']]);
  });
});

describe('the TLS of a direct connection', () => {
  it('carries bytes between two ends that know the key, encrypted', async () => {
    const invitation = decodeInvitation(encodeInvitation(createInvitation()));
    const accepted = Promise.withResolvers<Socket>();
    const address = await startServer((socket) =>
      acceptTls(socket, () => invitation.key, soon()).then(accepted.resolve, accepted.reject),
    );
    const dialled = await dialTls(address, invitation, soon());
    endings.push(() => dialled.destroy());
    const text = 'a word that must not be read on the way';
    dialled.write(text);
    const [received] = await once(await accepted.promise, 'data');
    expect(String(received)).toBe(text);
    expect((dialled as TLSSocket).getCipher()).toMatchObject({
      name: 'ECDHE-PSK-CHACHA20-POLY1305',
    });
  });

  it('refuses an end that knows another key', async () => {
    const accepted = Promise.withResolvers<Socket>();
    const address = await startServer((socket) =>
      acceptTls(socket, () => createInvitation().key, soon()).then(accepted.resolve, accepted.reject),
    );
    const refusals = [accepted.promise, dialTls(address, createInvitation(), soon())];
    for (const outcome of await Promise.allSettled(refusals)) expect(outcome.status).toBe('rejected');
  });

  it('needs an invitation of 48 bytes', () => {
    expect(() => decodeInvitation(new Uint8Array(47))).toThrow(/47 bytes/);
  });
});
