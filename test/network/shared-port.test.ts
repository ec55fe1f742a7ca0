/** @module The port that everything comes in by, and those who come and say nothing. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { sharePort } from '../../src/network/shared-port.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

it('keeps no more silent sockets than it may: the oldest goes, and who has spoken stays', async () => {
  const greeted: Socket[] = [];
  const server = createServer((socket) => void greeted.push(socket));
  sharePort(server, { shared: () => {}, direct: () => {} }, { maxSilent: 2 });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  endings.push(() => server.close());
  const open = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    endings.push(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
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
