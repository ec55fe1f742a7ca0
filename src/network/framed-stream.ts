/** @module Frames over one stream of bytes: many small ones become one write, large bodies are not copied. */
import { once } from 'node:events';
import { KIB, type Left, MIB } from '../common/bytes.ts';
import type { ByteStream } from './byte-stream.ts';
import { FRAME_HEADER_BYTES, type FrameKind, FrameReader, writeFrameHeader } from './frame.ts';
import type { PathKind } from './network.ts';
import type { FrameStream, FrameStreamListener } from './transport.ts';

/** Frames up to this size are gathered by copying; above, the copy would cost more than a separate write. */
const GATHER_BYTES: number = 16 * KIB;
const SCRATCH_BYTES: number = 64 * KIB;
/** Unsent bytes: above the first, bulk waits; above the second, requests are refused. */
const HIGH_WATER_BYTES: number = 512 * KIB;
const OVERFULL_BYTES: number = 16 * MIB;
/** Handed down in steps of at least this much while there is more: each step costs a packet and its acknowledgement. */
const WRITE_BYTES: number = 256 * KIB;
const EMPTY = new Uint8Array(0);

/** Bytes on their way down. */
interface Part {
  readonly bytes: Uint8Array;
  readonly left?: Left | undefined;
}

export class FramedStream implements FrameStream {
  readonly #bytes: ByteStream;
  readonly #reader: FrameReader;
  #listener: FrameStreamListener | undefined;

  /** Gathered frames lie in [0, #filled) of the scratch buffer, after everything in #parts. */
  #scratch = new Uint8Array(SCRATCH_BYTES);
  #scratchView = new DataView(this.#scratch.buffer);
  #filled = 0;
  #parts: Part[] = [];
  #partsBytes = 0;
  #flushing = false;
  #blocked = false;
  /** Tells close() of each 'drained'. */
  readonly #drains = new EventTarget();
  readonly #writers: (() => void)[] = [];
  #closed: { readonly cause: unknown } | undefined;

  readonly path: PathKind;

  constructor(bytes: ByteStream, path: PathKind = 'direct') {
    this.path = path;
    this.#bytes = bytes;
    this.#reader = new FrameReader((kind, id, argument, body) =>
      this.#listener?.frame(kind, id, argument, body),
    );
  }

  get writable(): boolean {
    return this.#accepts() && this.#writers.length === 0;
  }

  get overfull(): boolean {
    return this.queuedBytes >= OVERFULL_BYTES;
  }

  get queuedBytes(): number {
    return this.#partsBytes + this.#filled;
  }

  listen(listener: FrameStreamListener): void {
    this.#listener = listener;
    if (this.#closed !== undefined) return listener.closed(this.#closed.cause);
    this.#bytes.listen({
      bytes: (chunk) => this.#receive(chunk),
      drained: () => {
        this.#blocked = false;
        this.#flush();
        this.#drains.dispatchEvent(new Event('drained'));
      },
      closed: (cause) => this.#close(cause),
    });
  }

  send(
    kind: FrameKind,
    id: number,
    argument: number,
    head: Uint8Array,
    body: Uint8Array,
    left?: Left,
  ): boolean {
    if (this.#closed !== undefined) return false;
    const bodyBytes = head.byteLength + body.byteLength;
    const gathers = bodyBytes <= GATHER_BYTES;
    const gathered = FRAME_HEADER_BYTES + (gathers ? bodyBytes : head.byteLength);
    if (this.#filled + gathered > SCRATCH_BYTES) this.#spill();
    writeFrameHeader(this.#scratchView, this.#filled, { kind, id, argument, bodyBytes });
    this.#scratch.set(head, this.#filled + FRAME_HEADER_BYTES);
    if (gathers) this.#scratch.set(body, this.#filled + FRAME_HEADER_BYTES + head.byteLength);
    this.#filled += gathered;
    if (gathers) left?.();
    else {
      this.#spill();
      this.#append({ bytes: body, left });
    }
    this.#scheduleFlush();
    return true;
  }

  onceWritable(callback: () => void): void {
    if (this.#closed !== undefined) return;
    this.#writers.push(callback);
    this.#scheduleFlush();
  }

  pause(): void {
    if (this.#closed === undefined) this.#bytes.pause();
  }

  resume(): void {
    if (this.#closed === undefined) this.#bytes.resume();
  }

  limitBody(limitBytes: number): void {
    this.#reader.limitBytes = limitBytes;
  }

  abort(cause: Error): void {
    this.#close(cause);
    this.#bytes.abort(cause);
  }

  async close(signal: AbortSignal): Promise<void> {
    this.#flush();
    while (this.#closed === undefined && this.#blocked) await once(this.#drains, 'drained', { signal });
    if (this.#closed === undefined) await this.#bytes.close(signal);
    this.#close(new Error('closed by its owner'));
  }

  #receive(chunk: Uint8Array): void {
    if (this.#closed !== undefined) return;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #accepts(): boolean {
    return this.#closed === undefined && !this.#blocked && this.queuedBytes < HIGH_WATER_BYTES;
  }

  #append(part: Part): void {
    this.#parts.push(part);
    this.#partsBytes += part.bytes.byteLength;
  }

  #spill(): void {
    if (this.#filled === 0) return;
    this.#append({ bytes: this.#scratch.slice(0, this.#filled) });
    this.#filled = 0;
  }

  /** Once per turn of the microtask queue, so that everything sent in this turn goes out together. */
  #scheduleFlush(): void {
    if (this.#flushing || this.#blocked) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    this.#writeParts();
    for (let writer = this.#nextWriter(); writer !== undefined; writer = this.#nextWriter()) writer();
  }

  #nextWriter(): (() => void) | undefined {
    return this.#accepts() ? this.#writers.shift() : undefined;
  }

  #writeParts(): void {
    this.#spill();
    let next = 0;
    while (next < this.#parts.length && !this.#blocked && this.#closed === undefined) {
      const parts: Part[] = [];
      let sizeBytes = 0;
      for (; sizeBytes < WRITE_BYTES; next += 1) {
        const part = this.#parts[next];
        if (part === undefined) break;
        parts.push(part);
        sizeBytes += part.bytes.byteLength;
      }
      this.#partsBytes -= sizeBytes;
      this.#blocked = !this.#write(parts);
    }
    this.#parts = next >= this.#parts.length ? [] : this.#parts.slice(next);
  }

  #write(parts: readonly Part[]): boolean {
    try {
      const hasRoom = this.#bytes.send(parts.map(({ bytes }) => bytes));
      if (this.#bytes.copies) for (const { left } of parts) left?.();
      return hasRoom;
    } catch (error) {
      // It closed under us; the news of that may not have come yet.
      this.#close(error);
      return false;
    }
  }

  #close(cause: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = { cause };
    this.#scratch = EMPTY;
    this.#scratchView = new DataView(EMPTY.buffer);
    this.#parts = [];
    this.#partsBytes = 0;
    this.#filled = 0;
    this.#writers.length = 0;
    this.#drains.dispatchEvent(new Event('drained'));
    this.#listener?.closed(cause);
  }
}
