/** @module The frames of a stream: their kinds, their layout, and a reader that avoids copies. */
import { giveBack, KIB, MIB, utf8 } from '../common/bytes.ts';
import { brokenFrame } from './errors.ts';

/**
 * Who sends what: the opener of a stream sends request, cancel, notice, ping and open; the other side response and failure;
 * both data, credit, end and abort of a channel. `request`, `notice` and `open` start their body with the method's name.
 */
export const FrameKind = {
  request: 1,
  response: 2,
  failure: 3,
  cancel: 4,
  notice: 5,
  ping: 6,
  open: 7,
  data: 8,
  credit: 9,
  end: 10,
  abort: 11,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];
const LAST_KIND: number = FrameKind.abort;

/**
 * Big-endian: u32 size of the body | u8 kind | u32 id | u32 argument | body.
 * The argument is the time left in ms (request, open), or bytes (credit), else 0.
 */
export const FRAME_HEADER_BYTES = 13;

/** Largest body of one frame. Larger things go through a channel. */
export const MAX_BODY_BYTES: number = 8 * MIB;
/** The limit for a peer that was not (yet) let in. */
export const MAX_STRANGER_BODY_BYTES: number = 64 * KIB;
const MAX_METHOD_BYTES = 255;
export const MAX_UINT32 = 0xffff_ffff;

const NO_BYTES = new Uint8Array(0);

/** `body` may be a view into a larger buffer. */
export type FrameListener = (kind: FrameKind, id: number, argument: number, body: Uint8Array) => void;

export function writeFrameHeader(
  target: DataView,
  offset: number,
  frame: { kind: FrameKind; id: number; argument: number; bodyBytes: number },
): void {
  target.setUint32(offset, frame.bodyBytes);
  target.setUint8(offset + 4, frame.kind);
  target.setUint32(offset + 5, frame.id);
  target.setUint32(offset + 9, frame.argument);
}

const methodHeads = new Map<string, Uint8Array>();
/** The same by their bytes, under slotOf(). */
const namesBySlot = new Map<number, { readonly method: string; readonly head: Uint8Array }>();
const MAX_METHOD_HEADS = 1024;

/** The name as a body starts with it: u8 length, then the bytes. RangeError outside 1 to 255 bytes. */
export function methodHead(method: string): Uint8Array {
  const known = methodHeads.get(method);
  if (known !== undefined) return known;
  const name = utf8(method);
  if (name.byteLength === 0 || name.byteLength > MAX_METHOD_BYTES)
    throw new RangeError(`A method's name has 1 to ${MAX_METHOD_BYTES} bytes, not ${name.byteLength}`);
  const head = new Uint8Array(1 + name.byteLength);
  head[0] = name.byteLength;
  head.set(name, 1);
  if (methodHeads.size < MAX_METHOD_HEADS) {
    methodHeads.set(method, head);
    namesBySlot.set(slotOf(head), { method, head });
  }
  return head;
}

/** Undoes it for a name that was called or is served here: without making a string of it, for every frame. */
function knownMethod(body: Uint8Array, end: number): string | undefined {
  const known = namesBySlot.get(slotOf(body));
  if (known?.head.byteLength !== end) return undefined;
  for (let at = 1; at < end; at += 1) if (body[at] !== known.head[at]) return undefined;
  return known.method;
}

/** Of a name: its length, its last bytes and one from its middle. Names that meet in one cost only a string again. */
function slotOf(head: Uint8Array): number {
  const size = head[0] ?? 0;
  const byte = (at: number): number => head[at] ?? 0;
  return (size << 24) | (byte(size) << 16) | (byte(size - 1) << 8) | byte((size >> 1) + 1);
}

/** Undoes `methodHead`. NETWORK_BROKEN_FRAME when the body is too short. */
export function splitMethod(body: Uint8Array): { method: string; rest: Uint8Array } {
  const end = 1 + (body[0] ?? MAX_METHOD_BYTES);
  if (end > body.byteLength) throw brokenFrame('a body shorter than its method name');
  const method =
    knownMethod(body, end) ?? Buffer.from(body.buffer, body.byteOffset + 1, end - 1).toString('utf8');
  return { method, rest: body.subarray(end) };
}

/** See giveBack(): for a body that has its buffer for itself, but for its own header before it. Of another one nothing happens. */
export function giveBackBody(body: Uint8Array): void {
  const { buffer, byteOffset, byteLength } = body;
  const isAlone = byteOffset === FRAME_HEADER_BYTES && byteOffset + byteLength === buffer.byteLength;
  giveBack(isAlone ? new Uint8Array(buffer) : body);
}

/**
 * Cuts a byte stream into frames. Bodies that lie whole in one chunk are not copied. Others are gathered: below, bytes come in
 * pieces of 16 to 64 KiB, and each piece handed on costs its way through a pipeline of promises, which is more than the copy.
 */
export class FrameReader {
  readonly #listener: FrameListener;
  /** Bodies above this are NETWORK_BROKEN_FRAME; may be changed at any time. */
  limitBytes: number = MAX_BODY_BYTES;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  readonly #headerView = new DataView(this.#header.buffer);
  #headerFilled = 0;
  #kind: FrameKind = FrameKind.ping;
  #id = 0;
  #argument = 0;
  #missing = 0;
  #body: Uint8Array | undefined;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  /** Calls the listener for each frame that `chunk` completes, in order. */
  push(chunk: Uint8Array): void {
    // A Buffer's slice() is a view and a Uint8Array's is a copy: listeners always get the latter.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let offset = 0;
    while (offset < bytes.byteLength) {
      if (this.#missing > 0) offset = this.#takeBody(bytes, offset);
      else if (this.#headerFilled === 0 && bytes.byteLength - offset >= FRAME_HEADER_BYTES) {
        this.#begin(view, offset);
        offset += FRAME_HEADER_BYTES;
      } else offset = this.#takeHeader(bytes, offset);
    }
  }

  #takeHeader(bytes: Uint8Array, offset: number): number {
    const taken = Math.min(FRAME_HEADER_BYTES - this.#headerFilled, bytes.byteLength - offset);
    this.#header.set(bytes.subarray(offset, offset + taken), this.#headerFilled);
    this.#headerFilled += taken;
    if (this.#headerFilled === FRAME_HEADER_BYTES) {
      this.#headerFilled = 0;
      this.#begin(this.#headerView, 0);
    }
    return offset + taken;
  }

  #begin(view: DataView, offset: number): void {
    const size = view.getUint32(offset);
    const kind = view.getUint8(offset + 4);
    if (kind === 0 || kind > LAST_KIND) throw brokenFrame(`unknown kind ${kind}`);
    if (size > this.limitBytes) throw brokenFrame(`a body of ${size} bytes, limit ${this.limitBytes}`);
    this.#kind = kind as FrameKind;
    this.#id = view.getUint32(offset + 5);
    this.#argument = view.getUint32(offset + 9);
    this.#missing = size;
    if (size === 0) this.#listener(this.#kind, this.#id, this.#argument, NO_BYTES);
  }

  #takeBody(bytes: Uint8Array, offset: number): number {
    const end = Math.min(offset + this.#missing, bytes.byteLength);
    const piece = bytes.subarray(offset, end);
    if (this.#body === undefined && piece.byteLength === this.#missing) {
      this.#missing -= piece.byteLength;
      this.#listener(this.#kind, this.#id, this.#argument, piece);
      return end;
    }
    // Not cleared: every byte is written before the listener sees any.
    this.#body ??= new Uint8Array(Buffer.allocUnsafeSlow(this.#missing).buffer);
    this.#body.set(piece, this.#body.byteLength - this.#missing);
    this.#missing -= piece.byteLength;
    if (this.#missing === 0) {
      const body = this.#body;
      this.#body = undefined;
      this.#listener(this.#kind, this.#id, this.#argument, body);
    }
    return end;
  }
}
