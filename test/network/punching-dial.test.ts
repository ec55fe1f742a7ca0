import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Connection, Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../src/network/hole-punch.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { INNARDS, type Innards, libp2pSettings } from '../../src/network/libp2p-settings.ts';
import { RelayTransport } from '../../src/network/relay-transport.ts';

const ECHO = '/test/echo';
const hosts: Libp2p[] = [];
const closings: (() => void)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) close();
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

/** Listens nowhere. */
async function startHost(): Promise<Libp2p> {
  const hooks = {
    shared: () => undefined,
    direct: () => undefined,
    closing: new AbortController().signal,
    relays: new RelayTransport(),
    discovery: [],
  };
  const host = await createLibp2p(libp2pSettings(await createIdentity(), { listen: [] }, hooks));
  hosts.push(host);
  await host.handle(ECHO, (stream) => {
    stream.addEventListener('message', ({ data }) => void stream.send(data));
  });
  await host.start();
  return host;
}

/**
 * Where two dial and meet, as in a hole: on one machine a request finds nobody, or it is too late to cross it with another, so
 * that real holes are left to the tests across NATs.
 */
async function startHole(): Promise<number> {
  let first: Socket | undefined;
  const hole = createServer((socket) => {
    socket.on('error', () => undefined);
    closings.push(() => socket.destroy());
    if (first === undefined) first = socket;
    else first.pipe(socket).pipe(first);
  }).listen(0, '127.0.0.1');
  closings.push(() => hole.close());
  await once(hole, 'listening');
  return (hole.address() as AddressInfo).port;
}

async function punch(from: Libp2p, to: Libp2p, hole: number, initiator: boolean): Promise<Connection> {
  const { punchingDial } = from.services[INNARDS] as Innards;
  const address = multiaddr(`/ip4/127.0.0.1/tcp/${hole}/p2p/${to.peerId.toString()}`);
  const localPort = await freePort();
  return punchingDial(address, { localPort, initiator, signal: AbortSignal.timeout(2_000) });
}

async function echoes(connection: Connection): Promise<boolean> {
  const stream = await connection.newStream(ECHO);
  const answer = new Promise<boolean>((resolve) => {
    stream.addEventListener('message', () => resolve(true), { once: true });
    stream.addEventListener('close', () => resolve(false), { once: true });
  });
  stream.send(Uint8Array.of(1));
  return answer;
}

describe('a punched connection', () => {
  it('carries streams in both directions, though both ends dialled', async () => {
    const [a, b] = [await startHost(), await startHost()];
    const hole = await startHole();
    const [fromA, fromB] = await Promise.all([punch(a, b, hole, true), punch(b, a, hole, false)]);
    expect([fromA.direction, fromB.direction]).toEqual(['outbound', 'inbound']);
    expect([await echoes(fromA), await echoes(fromB)]).toEqual([true, true]);
  });

  it('is refused when somebody else than expected is at the other end', async () => {
    const [a, b, c] = [await startHost(), await startHost(), await startHost()];
    const hole = await startHole();
    const results = await Promise.allSettled([punch(a, c, hole, true), punch(b, a, hole, false)]);
    expect(results.map(({ status }) => status)[0]).toBe('rejected');
    expect(a.getConnections()).toEqual([]);
  });
});
