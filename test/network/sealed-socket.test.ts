/** @module Sealed records: what they carry, and what happens to those that somebody meddled with. */
import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { KIB, MIB } from '../../src/common/bytes.ts';
import type { ByteStream } from '../../src/network/byte-stream.ts';
import { createInvitation, type Invitation } from '../../src/network/invitation.ts';
import { MAX_RECORD_TEXT_BYTES, RecordOpener, RecordSealer } from '../../src/network/record-cipher.ts';
import { RecordReader } from '../../src/network/record-reader.ts';
import { acceptSealed, dialSealed, type Secured } from '../../src/network/sealed-socket.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const HELLO_BYTES = 51;
const EMPTY_RECORD_BYTES = 20;

const soon = (): AbortSignal => AbortSignal.timeout(5_000);

type Meddler = (fromDialler: Socket, toAcceptor: Socket) => void;

/** Both ends of a connection; `meddle` stands between them. */
async function pair(
  invitation: Invitation,
  known: Uint8Array | undefined = invitation.key,
  meddle: Meddler = (from, to) => void from.pipe(to),
  greet?: (dialler: ByteStream) => void,
): Promise<PromiseSettledResult<Secured>[]> {
  const accepted = Promise.withResolvers<Secured>();
  const acceptor = createServer((socket) => {
    endings.push(() => socket.destroy());
    acceptSealed(socket, (id) => (id === invitation.id ? known : undefined), soon()).then(
      accepted.resolve,
      accepted.reject,
    );
  });
  const between = createServer((socket) => {
    const onward = connect((acceptor.address() as AddressInfo).port, '127.0.0.1');
    for (const end of [socket, onward]) end.on('error', () => (socket.destroy(), onward.destroy()));
    onward.pipe(socket);
    meddle(socket, onward);
  });
  for (const server of [acceptor, between]) {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    endings.push(() => server.close());
  }
  const address = { host: '127.0.0.1', port: (between.address() as AddressInfo).port };
  const outcomes = await Promise.allSettled([
    dialSealed(address, invitation, soon()).then((dialled) => {
      greet?.(dialled.bytes('acceptor'));
      return dialled;
    }),
    accepted.promise,
  ]);
  for (const outcome of outcomes)
    if (outcome.status === 'fulfilled') endings.push(() => outcome.value.socket.destroy());
  return outcomes;
}

/** What `bytes` receives until there are `sizeBytes`, or the error that it closed with. */
function received(bytes: ByteStream, sizeBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  return new Promise((resolve, reject) => {
    bytes.listen({
      bytes: (chunk) => {
        chunks.push(chunk);
        const all = Buffer.concat(chunks);
        if (all.length >= sizeBytes) resolve(all);
      },
      drained: () => undefined,
      closed: reject,
    });
  });
}

async function ends(meddle?: Meddler): Promise<[ByteStream, ByteStream]> {
  const [dialled, accepted] = await pair(createInvitation(), undefined, meddle);
  if (dialled?.status !== 'fulfilled' || accepted?.status !== 'fulfilled') throw new Error('no connection');
  return [dialled.value.bytes('acceptor'), accepted.value.bytes('dialler')];
}

/** Both ends of a plain connection; the first one fails when it is read from again and again, with nothing else in between. */
async function plainPair(): Promise<[Socket, Socket]> {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer(accepted.resolve);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  endings.push(() => server.close());
  const dialler = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const acceptor = await accepted.promise;
  for (const socket of [dialler, acceptor]) {
    socket.on('error', () => undefined).setNoDelay(true);
    endings.push(() => socket.destroy());
  }
  const read = acceptor.read.bind(acceptor) as (sizeBytes?: number) => unknown;
  let reads = 0;
  const beat = setInterval(() => (reads = 0), 10);
  endings.push(() => clearInterval(beat));
  acceptor.read = (sizeBytes) => {
    reads += 1;
    if (reads > 1_000) throw new Error('read from on and on: nothing else gets its turn');
    return read(sizeBytes);
  };
  return [acceptor, dialler];
}

describe('a hello', () => {
  it('may come in pieces, and who waits for the rest of it holds up nobody', async () => {
    const [acceptor, dialler] = await plainPair();
    const asked = Promise.withResolvers<string>();
    const waiting = acceptSealed(acceptor, (id) => (asked.resolve(id), undefined), soon());
    const refused = expect(waiting).rejects.toMatchObject({ code: 'NETWORK_BROKEN_FRAME' });
    const invitation = createInvitation();
    const hello = Buffer.concat([Buffer.from('HF\x01'), Buffer.from(invitation.id, 'hex'), randomBytes(32)]);
    for (const piece of [hello.subarray(0, 1), hello.subarray(1, 20), hello.subarray(20)]) {
      const before = acceptor.bytesRead;
      dialler.write(piece);
      await expect.poll(() => acceptor.bytesRead).toBe(before + piece.byteLength);
    }
    expect(await asked.promise).toBe(invitation.id);
    await refused;
  });

  it.each([
    ['is given up by the other end', (socket: Socket) => void socket.end()],
    ['is nonsense', (socket: Socket) => void socket.write(new Uint8Array(HELLO_BYTES - 1).fill(0x48))],
    ['has something after it', (socket: Socket) => void socket.write(Buffer.alloc(HELLO_BYTES, 'F\x01H'))],
  ])('that %s is refused', async (_what, go) => {
    const [acceptor, dialler] = await plainPair();
    const waiting = acceptSealed(acceptor, () => undefined, AbortSignal.timeout(1_000));
    const refused = expect(waiting).rejects.toThrow();
    dialler.write('H');
    await expect.poll(() => acceptor.bytesRead).toBe(1);
    go(dialler);
    await refused;
    expect(acceptor.destroyed).toBe(true);
  });
});

describe('a sealed connection', () => {
  it('carries pieces of any size in both directions, none of them readable on the way', async () => {
    const seen: Buffer[] = [];
    const [dialler, acceptor] = await ends((from, to) => {
      from.on('data', (chunk: Buffer) => (seen.push(chunk), to.write(chunk)));
    });
    const sizes = [1, 0, 5 * KIB, 300 * KIB, MAX_RECORD_TEXT_BYTES, 2 * MIB + 1];
    const pieces = sizes.map((size) => randomBytes(size));
    const sent = Buffer.concat(pieces);
    const atAcceptor = received(acceptor, sent.length);
    const atDialler = received(dialler, sent.length);
    dialler.send(pieces);
    for (const piece of pieces) acceptor.send([piece]);
    expect((await atAcceptor).equals(sent)).toBe(true);
    expect((await atDialler).equals(sent)).toBe(true);
    expect(Buffer.concat(seen).includes(sent.subarray(10, 42))).toBe(false);
  });

  it('keeps what came with the proof for who listens later', async () => {
    const joins: Meddler = (from, to) => {
      let held = Buffer.alloc(0);
      let isFirst = true;
      from.on('data', (chunk: Buffer) => {
        held = Buffer.concat([held, chunk]);
        // The hello alone, then the proof together with the first word.
        const isHello = isFirst && held.length === HELLO_BYTES;
        if (!isHello && (isFirst || held.length <= EMPTY_RECORD_BYTES)) return;
        isFirst = false;
        to.write(held);
        held = Buffer.alloc(0);
      });
    };
    const [, accepted] = await pair(createInvitation(), undefined, joins, (dialler) =>
      dialler.send([Buffer.from('early')]),
    );
    if (accepted?.status !== 'fulfilled') throw new Error('no connection');
    expect(String(await received(accepted.value.bytes('dialler'), 5))).toBe('early');
  });

  it('is refused to an end that knows another key, or an invitation that is not known', async () => {
    for (const known of [createInvitation().key, undefined])
      for (const outcome of await pair({ ...createInvitation() }, known ?? new Uint8Array(32)))
        expect(outcome.status).toBe('rejected');
  });

  it('does not take its own proof, sent back, for that of the other end', async () => {
    const { id, key } = createInvitation();
    const accepted = Promise.withResolvers<Secured>();
    const server = createServer((socket) => {
      endings.push(() => socket.destroy());
      acceptSealed(socket, () => key, soon()).then(accepted.resolve, accepted.reject);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    endings.push(() => server.close());
    const stranger = connect((server.address() as AddressInfo).port, '127.0.0.1');
    stranger.on('error', () => undefined);
    endings.push(() => stranger.destroy());
    stranger.write(Buffer.concat([Buffer.from('HF\x01'), Buffer.from(id, 'hex'), randomBytes(32)]));
    stranger.pipe(stranger);
    await expect(accepted.promise).rejects.toMatchObject({ code: 'NETWORK_BROKEN_FRAME' });
  });

  it('closes, and hands nothing on, when a bit was flipped on the way', async () => {
    const flips: Meddler = (from, to) => {
      let passedBytes = 0;
      from.on('data', (chunk: Buffer) => {
        const copy = Buffer.from(chunk);
        const at = HELLO_BYTES + EMPTY_RECORD_BYTES + 100 - passedBytes;
        if (at >= 0 && at < copy.length) copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
        passedBytes += copy.length;
        to.write(copy);
      });
    };
    const [dialler, acceptor] = await ends(flips);
    const outcome = received(acceptor, 1);
    dialler.send([new Uint8Array(64 * KIB)]);
    await expect(outcome).rejects.toMatchObject({ code: 'NETWORK_BROKEN_FRAME' });
  });

  it('says so when it is cut short in the middle of a record', async () => {
    const cuts: Meddler = (from, to) => {
      let passedBytes = 0;
      from.on('data', (chunk: Buffer) => {
        passedBytes += chunk.length;
        if (passedBytes < 10 * KIB) to.write(chunk);
        else to.end(chunk.subarray(0, 5 * KIB));
      });
    };
    const [dialler, acceptor] = await ends(cuts);
    const outcome = received(acceptor, 1);
    dialler.send([new Uint8Array(64 * KIB)]);
    await expect(outcome).rejects.toMatchObject({ code: 'NETWORK_DISCONNECTED' });
  });
});

describe('a record', () => {
  const secret = randomBytes(32);
  const sealed = (sealer: RecordSealer, text: string): Uint8Array =>
    Buffer.concat(sealer.seal([Buffer.from(text)]));

  it('is AES-256-GCM under the key, the count and the length that the module says', () => {
    const key = new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), 'holdfast record: key', 32));
    const sealer = new RecordSealer(secret);
    sealed(sealer, 'the first');
    const header = Buffer.from([0, 0, 0, 10]);
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.from('000000000000000000000001', 'hex'));
    cipher.setAAD(header);
    const expected = Buffer.concat([
      header,
      cipher.update('the second'),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    expect(Buffer.from(sealed(sealer, 'the second')).equals(expected)).toBe(true);
  });

  it('opens once, in its place, in its direction', () => {
    const sealer = new RecordSealer(secret);
    const [first, second] = [sealed(sealer, 'first'), sealed(sealer, 'second')];
    const opener = new RecordOpener(secret);
    expect(String(Buffer.from(opener.open(first)))).toBe('first');
    expect(() => opener.open(first)).toThrow(/did not seal, or not in this place/);
    expect(() => new RecordOpener(secret).open(second)).toThrow(/not in this place/);
    expect(() => new RecordOpener(randomBytes(32)).open(first)).toThrow(/did not seal/);
  });

  it('never repeats a key with a nonce: after so many records the next key takes over, and the count goes on', () => {
    const recordsPerKey = 3;
    const sealer = new RecordSealer(secret, { recordsPerKey });
    const opener = new RecordOpener(secret, { recordsPerKey });
    const staying = new RecordSealer(secret);
    const texts = ['1', '2', '3', '4', '5', '6', '7'];
    const records = texts.map((text) => sealed(sealer, text));
    const withOneKey = texts.map((text) => sealed(staying, text));
    expect(records.map((record, at) => Buffer.from(record).equals(withOneKey[at] as Uint8Array))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(records.map((record) => String(Buffer.from(opener.open(record))))).toEqual(texts);
  });

  it('may come in crumbs, and is refused when it is longer than any', () => {
    const sealer = new RecordSealer(secret);
    const texts: number[] = [];
    const reader = new RecordReader(new RecordOpener(secret), (text) => texts.push(text.byteLength));
    const sizes = [0, 1, 20 * KIB, 3, 100 * KIB, 0, 7, 60 * KIB];
    const all = Buffer.concat(sizes.flatMap((size) => sealer.seal([new Uint8Array(size)])));
    for (let from = 0, crumb = 1; from < all.length; crumb = (crumb * 7) % 9973) {
      const room = reader.room();
      expect(room.byteLength).toBeGreaterThan(0);
      const taken = Math.min(crumb, room.byteLength, all.length - from);
      room.set(all.subarray(from, from + taken));
      reader.took(taken);
      from += taken;
    }
    expect(texts).toEqual(sizes);
    reader.room().set([0, 255, 255, 255]);
    expect(() => reader.took(4)).toThrow(/limit/);
  });
});
