/**
 * @module Sockets of sealed records between two peers that share an invitation. The dialler says hello:
 * 'HF' | version | 16 bytes: whose invitation | 32 random bytes. The keys of both directions come from the key of the invitation and
 * the whole hello, so they are new each time. Then each side proves with an empty record that it has them: first who accepted.
 *
 * Forward secrecy is that of the Noise connection on which the invitation was told; no key outlives the socket.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { toHex } from '../common/bytes.ts';
import type { ByteStream } from './byte-stream.ts';
import { brokenFrame } from './errors.ts';
import { type Invitation, INVITATION_ID_BYTES } from './invitation.ts';
import type { PeerId } from './network.ts';
import { expand, RecordOpener, RecordSealer } from './record-cipher.ts';
import { RecordReader } from './record-reader.ts';
import type { SocketAddress } from './socket-address.ts';
import { SealedBytes } from './sealed-bytes.ts';
import { readOnInto, readsInto, type SocketTarget } from './socket-reader.ts';

/** A socket whose other end has proved that it knows the invitation. */
export interface Secured {
  readonly socket: Socket;
  /** Call it once. */
  bytes(peer: PeerId): ByteStream;
}

/** Of a hello; other protocols on the port begin with other bytes. */
export const SEALED_FIRST_BYTE = 0x48;
const MAGIC = Uint8Array.of(SEALED_FIRST_BYTE, 0x46, 1);
const RANDOM_BYTES = 32;
const HELLO_BYTES: number = MAGIC.length + INVITATION_ID_BYTES + RANDOM_BYTES;
const NO_TEXT: readonly Uint8Array[] = [];

/** Resolves once the other end has proved itself. */
export async function dialSealed(
  { host, port }: SocketAddress,
  { id, key }: Invitation,
  signal: AbortSignal,
): Promise<Secured> {
  signal.throwIfAborted();
  const hello = Buffer.concat([MAGIC, Buffer.from(id, 'hex'), randomBytes(RANDOM_BYTES)]);
  const end = new SealedEnd(expand(key, 'dialler', hello), expand(key, 'acceptor', hello));
  const socket = connect({ host, port, onread: readsInto(end) });
  socket.write(hello);
  await end.proved(socket, signal);
  end.prove();
  return end;
}

/** `keyOf` is asked once, with the identity that the other end claims. Resolves once that end has proved itself. */
export async function acceptSealed(
  socket: Socket,
  keyOf: (id: string) => Uint8Array | undefined,
  signal: AbortSignal,
): Promise<Secured> {
  try {
    const hello = await readHello(socket, signal);
    const key = keyOf(toHex(hello.subarray(MAGIC.length, MAGIC.length + INVITATION_ID_BYTES)));
    if (key === undefined) throw brokenFrame('a hello with an invitation that is not, or no longer, known');
    const end = new SealedEnd(expand(key, 'acceptor', hello), expand(key, 'dialler', hello));
    const proved = end.proved(readOnInto(socket, end), signal);
    end.prove();
    await proved;
    return end;
  } catch (error) {
    discard(socket);
    throw error;
  }
}

/** One end, from the first record on. */
class SealedEnd implements SocketTarget, Secured {
  readonly #sealer: RecordSealer;
  readonly #reader: RecordReader;
  readonly #proof = Promise.withResolvers<void>();
  #socket: Socket | undefined;
  #isProved = false;
  /** What came with the proof: one read at most, since the socket is paused then. */
  readonly #early: Uint8Array[] = [];
  #bytes: SealedBytes | undefined;

  constructor(ownSecret: Uint8Array, otherSecret: Uint8Array) {
    this.#sealer = new RecordSealer(ownSecret);
    this.#reader = new RecordReader(new RecordOpener(otherSecret), (text) => this.#receive(text));
  }

  get socket(): Socket {
    if (this.#socket === undefined) throw new Error('A sealed end has its socket once it waits for a proof.');
    return this.#socket;
  }

  bytes(peer: PeerId): ByteStream {
    this.#bytes = new SealedBytes(this.socket, this.#sealer, this.#early, peer);
    return this.#bytes;
  }

  room(): Uint8Array {
    return this.#reader.room();
  }

  /** What is no record ends the connection. */
  took(sizeBytes: number): void {
    try {
      this.#reader.took(sizeBytes);
    } catch (error) {
      this.#proof.reject(error);
      this.#socket?.destroy(error as Error);
    }
  }

  prove(): void {
    for (const part of this.#sealer.seal(NO_TEXT)) this.socket.write(part);
  }

  /** Resolves with the first record; the socket is paused then, until somebody listens. */
  async proved(socket: Socket, signal: AbortSignal): Promise<void> {
    this.#socket = socket;
    socket.setNoDelay(true);
    const failed = (error: unknown): void => this.#proof.reject(error);
    const closed = (): void => failed(brokenFrame('the end of the socket in place of a proof'));
    const aborted = (): void => failed(signal.reason);
    socket.on('error', failed).on('close', closed);
    signal.addEventListener('abort', aborted, { once: true });
    try {
      await this.#proof.promise;
    } catch (error) {
      discard(socket);
      throw error;
    } finally {
      socket.off('close', closed);
      signal.removeEventListener('abort', aborted);
    }
  }

  #receive(text: Uint8Array): void {
    if (this.#isProved) {
      if (this.#bytes === undefined) this.#early.push(text);
      else this.#bytes.receive(text);
      return;
    }
    if (text.byteLength > 0) throw brokenFrame('a record with text in place of a proof');
    this.#isProved = true;
    this.#socket?.pause();
    this.#proof.resolve();
  }
}

async function readHello(socket: Socket, signal: AbortSignal): Promise<Uint8Array> {
  const hello = Buffer.alloc(HELLO_BYTES);
  for (let filled = 0; ; ) {
    // All there is, and not as much as is wanted: a socket tells of bytes that are left in it again and again, in turns of their own,
    // and with half a hello there nothing else in the process would ever get its turn.
    const piece = socket.read() as Buffer | null;
    if (piece !== null) {
      // Nothing may come before our proof.
      if (filled + piece.byteLength > HELLO_BYTES) throw noHello();
      piece.copy(hello, filled);
      filled += piece.byteLength;
      if (filled === HELLO_BYTES) break;
    }
    if (socket.readableEnded || socket.destroyed) throw noHello();
    if (piece === null) await once(socket, 'readable', { signal });
  }
  if (MAGIC.some((byte, at) => hello[at] !== byte)) throw noHello();
  return hello;
}

function noHello(): Error {
  return brokenFrame('bytes that are no hello where a sealed connection begins');
}

function discard(socket: Socket): void {
  // Whatever else goes wrong with a socket that is given up is of no interest.
  socket.on('error', () => undefined);
  socket.destroy();
}
