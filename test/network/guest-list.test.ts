/** @module Who comes beside libp2p, how many at once, and for how long. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dialTls, TLS_FIRST_BYTE } from '../../src/network/direct-tls.ts';
import { GuestList, HANDSHAKE_GRACE_MS } from '../../src/network/guest-list.ts';
import type { PeerId } from '../../src/network/network.ts';
import { MAX_SOCKETS_PER_PEER } from '../../src/network/resumed-sockets.ts';
import type { SocketAddress } from '../../src/network/socket-address.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const soon = (): AbortSignal => AbortSignal.timeout(5_000);

interface House {
  readonly guests: GuestList;
  readonly address: SocketAddress;
  /** Who came with a ticket. */
  readonly returned: PeerId[];
  nowMs: number;
}

async function openHouse(): Promise<House> {
  const time = { nowMs: 0 };
  const returned: PeerId[] = [];
  const guests = new GuestList(
    (peer) => void returned.push(peer),
    () => time.nowMs,
  );
  guests.open();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    void guests.take(socket, TLS_FIRST_BYTE);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  endings.push(() => {
    server.close();
    guests.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  return Object.assign(time, { guests, returned, address });
}

async function comeBack({ guests, address }: House, peer: PeerId): Promise<Socket> {
  const socket = await dialTls(address, guests.ticketFor(peer), soon());
  endings.push(() => socket.destroy());
  return socket;
}

describe('whoever comes with a ticket', () => {
  it('has room for so many connections at once, and leaves the rest to others', async () => {
    const house = await openHouse();
    const [first] = await Promise.all(Array.from({ length: 32 }, () => comeBack(house, 'one')));
    for (let count = 32; count < MAX_SOCKETS_PER_PEER; count += 1) await comeBack(house, 'one');
    await expect(comeBack(house, 'one')).rejects.toThrow();
    await comeBack(house, 'other');
    first?.destroy();
    await expect
      .poll(() =>
        comeBack(house, 'one').then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    expect(house.returned).toHaveLength(MAX_SOCKETS_PER_PEER + 2);
  });

  it('stays no longer than the ticket is good for', async () => {
    const house = await openHouse();
    const ticket = house.guests.ticketFor('one');
    house.nowMs = ticket.lifetimeMs - 100;
    const socket = await dialTls(house.address, ticket, soon());
    socket.resume();
    await once(socket, 'close', { signal: soon() });
    expect(house.returned).toEqual(['one']);
  });
});

describe('a socket that does not go on with its handshake', () => {
  /** More than may be under way at once. */
  const SILENT = 64;

  it('makes way for others once it had the time for it, and not before', async () => {
    const house = await openHouse();
    const silent = Array.from({ length: SILENT }, () => connect(house.address));
    for (const socket of silent) socket.on('error', () => undefined);
    endings.push(() => silent.forEach((socket) => socket.destroy()));
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    house.nowMs = HANDSHAKE_GRACE_MS - 1;
    await expect(comeBack(house, 'one')).rejects.toThrow();
    house.nowMs += 1;
    await comeBack(house, 'one');
    expect(house.returned).toEqual(['one']);
  });
});
