/** @module The port that everything comes in by, and those who come and say nothing. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { PROBE_BYTE } from '../../src/network/address-probe.ts';
import { sharePort } from '../../src/network/shared-port.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

interface Port {
  readonly server: Server;
  /** Those that were handed on to whom the server belongs. */
  readonly greeted: Socket[];
  readonly closing: AbortController;
  /** `allowHalfOpen`: it is not closed because the other end is. */
  open(options?: { readonly allowHalfOpen: boolean }): Promise<Socket>;
}

async function openPort(options: { readonly maxSilent?: number } = {}): Promise<Port> {
  const greeted: Socket[] = [];
  const closing = new AbortController();
  const server = createServer((socket) => void greeted.push(socket));
  sharePort(server, { shared: () => {}, direct: () => {}, closing: closing.signal }, options);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  endings.push(() => server.close());
  const open: Port['open'] = async (halfOpen) => {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', ...halfOpen });
    socket.on('error', () => undefined);
    endings.push(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { server, greeted, closing, open };
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );
}

it('keeps no more silent sockets than it may: the oldest goes, and who has spoken stays', async () => {
  const { greeted, open } = await openPort({ maxSilent: 2 });
  const speaker = await open();
  speaker.write(Uint8Array.of(19));
  await expect.poll(() => greeted.length).toBe(1);
  const [first, ...others] = [await open(), await open(), await open()];
  first?.resume();
  await once(first as Socket, 'close', { signal: AbortSignal.timeout(5_000) });
  expect([speaker, ...others].map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
  for (const socket of others) socket.write(Uint8Array.of(19));
  await expect.poll(() => greeted.length).toBe(3);
});

it('answers a probe, and is rid of the socket although the other end never closes it', async () => {
  const { server, open } = await openPort();
  const socket = await open({ allowHalfOpen: true });
  const answer = once(socket, 'data', { signal: AbortSignal.timeout(5_000) });
  socket.write(Uint8Array.of(PROBE_BYTE));
  expect(String((await answer)[0])).toBe(`127.0.0.1 ${socket.localPort}\n`);
  await expect.poll(() => connectionsOf(server), { timeout: 5_000 }).toBe(0);
  expect(socket.destroyed).toBe(false);
});

it('closes though somebody came and said nothing, and lets nobody in any more', async () => {
  const { server, greeted, closing, open } = await openPort();
  await open();
  await expect.poll(() => connectionsOf(server)).toBe(1);
  closing.abort();
  await expect.poll(() => connectionsOf(server)).toBe(0);
  const late = await open();
  late.write(Uint8Array.of(19));
  late.resume();
  const gone = [once(late, 'end'), once(late, 'close')];
  await Promise.any(gone);
  expect(await connectionsOf(server)).toBe(0);
  expect(greeted).toEqual([]);
});
