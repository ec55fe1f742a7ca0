/** @module The bytes of a socket that carries sealed records: a connection of its own for bulk. */
import type { Socket } from 'node:net';
import { giveBack, KIB } from '../common/bytes.ts';
import type { PeerId } from './network.ts';
import { MAX_RECORD_TEXT_BYTES, type RecordSealer } from './record-cipher.ts';
import { SocketStream } from './socket-stream.ts';

/** Smaller buffers are left to the garbage collector. */
const WORTH_BYTES: number = 16 * KIB;

/** Frames that tell the end of data are sealed as all else is: so nobody can cut data short unnoticed. */
export class SealedBytes extends SocketStream {
  readonly copies = true;
  readonly #sealer: RecordSealer;
  readonly #early: readonly Uint8Array[];

  /** `socket` is paused. What it reads comes through receive(), but for `early`, what was read before. */
  constructor(socket: Socket, sealer: RecordSealer, early: readonly Uint8Array[], peer: PeerId) {
    super(socket, peer);
    this.#sealer = sealer;
    this.#early = early;
  }

  /** The text of a record that came; none does before listen(). */
  receive(text: Uint8Array): void {
    this.received(text);
  }

  send(pieces: readonly Uint8Array[]): boolean {
    this.assertWritable();
    let hasRoom = true;
    this.socket.cork();
    for (const text of recordsOf(pieces))
      for (const part of this.#sealer.seal(text)) hasRoom = this.#write(part);
    this.socket.uncork();
    return hasRoom && !this.socket.writableNeedDrain;
  }

  protected begin(): void {
    for (const text of this.#early) this.received(text);
    this.socket.resume();
  }

  /** What is sealed is ours alone, and of no use once it has left. */
  #write(part: Uint8Array): boolean {
    if (part.byteLength < WORTH_BYTES) return this.socket.write(part);
    return this.socket.write(part, (error) => {
      // After a failure the system may still be at it.
      if (!error) giveBack(part);
    });
  }
}

/** As few records as the pieces fit into; only a piece that is longer than a record is cut. */
function* recordsOf(pieces: readonly Uint8Array[]): Generator<Uint8Array[]> {
  let record: Uint8Array[] = [];
  let sizeBytes = 0;
  for (const piece of pieces)
    for (let from = 0; from < piece.byteLength; ) {
      const part = piece.subarray(from, from + MAX_RECORD_TEXT_BYTES);
      if (sizeBytes > 0 && sizeBytes + part.byteLength > MAX_RECORD_TEXT_BYTES) {
        yield record;
        record = [];
        sizeBytes = 0;
      }
      record.push(part);
      sizeBytes += part.byteLength;
      from += part.byteLength;
    }
  if (sizeBytes > 0) yield record;
}
