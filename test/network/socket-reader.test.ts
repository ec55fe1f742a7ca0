/** @module A socket that cannot be told where to read to: another version of Node may have none that can. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { MIB } from '../../src/common/bytes.ts';
import type { ByteStream } from '../../src/network/byte-stream.ts';
import { createInvitation } from '../../src/network/invitation.ts';
import { acceptSealed, dialSealed } from '../../src/network/sealed-socket.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** The socket as it would be if its handle had another name. */
function withoutHandle(socket: Socket): Socket {
  return new Proxy(socket, {
    get(target, name) {
      if (name === '_handle') return undefined;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function received(bytes: ByteStream, sizeBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let gotBytes = 0;
  await new Promise<void>((resolve, reject) => {
    bytes.listen({
      bytes: (chunk) => {
        chunks.push(chunk);
        gotBytes += chunk.byteLength;
        if (gotBytes >= sizeBytes) resolve();
      },
      drained: () => undefined,
      closed: reject,
    });
  });
  return Buffer.concat(chunks);
}

it('carries the same bytes both ways where Node hides its handle, read in the usual way and copied', async () => {
  const { id, key } = createInvitation();
  const accepted = Promise.withResolvers<{ socket: Socket; given: Socket; bytes: ByteStream }>();
  const server = createServer((socket) => {
    const given = withoutHandle(socket);
    acceptSealed(given, (claimed) => (claimed === id ? key : undefined), AbortSignal.timeout(5_000)).then(
      (secured) => accepted.resolve({ socket: secured.socket, given, bytes: secured.bytes('dialler') }),
      accepted.reject,
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  endings.push(() => server.close());
  const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const dialled = await dialSealed(address, { id, key }, AbortSignal.timeout(5_000));
  endings.push(() => dialled.socket.destroy());
  const acceptor = await accepted.promise;
  endings.push(() => acceptor.socket.destroy());
  expect(acceptor.socket).toBe(acceptor.given);
  const sent = randomBytes(3 * MIB + 17);
  const dialler = dialled.bytes('acceptor');
  const both = [received(acceptor.bytes, sent.length), received(dialler, sent.length)];
  dialler.send([sent]);
  acceptor.bytes.send([sent]);
  for (const got of await Promise.all(both)) expect(got.equals(sent)).toBe(true);
});
