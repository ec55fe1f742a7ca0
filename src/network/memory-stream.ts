/** @module A frame stream inside one process: for a node's calls to itself, and for the in-memory network. */
import { type Left, MIB } from '../common/bytes.ts';
import { orAborted } from '../common/deadline.ts';
import { brokenFrame } from './errors.ts';
import { type FrameKind, MAX_BODY_BYTES } from './frame.ts';
import type { FrameStream, FrameStreamListener } from './transport.ts';

/** Bytes under way, one direction: above the first bulk waits, above the second requests are refused. */
const HIGH_WATER_BYTES: number = 1 * MIB;
const OVERFULL_BYTES: number = 16 * MIB;

/** Runs `deliver` later; calls keep their order. `sizeBytes`: of what it brings. */
export type Carrier = (deliver: () => void, sizeBytes: number) => void;
type Frame = readonly [FrameKind, number, number, Uint8Array];

export function memoryStreamPair(carry: Carrier): [MemoryStream, MemoryStream] {
  const left = new MemoryStream(carry);
  const right = new MemoryStream(carry);
  left.join(right);
  right.join(left);
  return [left, right];
}

export class MemoryStream implements FrameStream {
  readonly path = 'direct';
  readonly #carry: Carrier;
  #twin: MemoryStream | undefined;
  #listener: FrameStreamListener | undefined;
  readonly #arrived: Frame[] = [];
  readonly #writers: (() => void)[] = [];
  /** Waiting in close(). */
  readonly #closers: (() => void)[] = [];
  #underWayBytes = 0;
  #limitBytes = MAX_BODY_BYTES;
  #paused = false;
  #delivering = false;
  #closed: { readonly cause: unknown } | undefined;

  constructor(carry: Carrier) {
    this.#carry = carry;
  }

  join(twin: MemoryStream): void {
    this.#twin = twin;
  }

  get writable(): boolean {
    return this.#closed === undefined && this.#underWayBytes < HIGH_WATER_BYTES && this.#writers.length === 0;
  }

  get overfull(): boolean {
    return this.#underWayBytes >= OVERFULL_BYTES;
  }

  get queuedBytes(): number {
    return this.#underWayBytes;
  }

  listen(listener: FrameStreamListener): void {
    this.#listener = listener;
    if (this.#closed !== undefined) listener.closed(this.#closed.cause);
    else this.#deliver();
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
    const whole = join(head, body);
    left?.();
    this.#underWayBytes += whole.byteLength;
    this.#carry(() => this.#twin?.arrive([kind, id, argument, whole]), whole.byteLength);
    return true;
  }

  onceWritable(callback: () => void): void {
    if (this.#closed === undefined) this.#writers.push(callback);
    this.#wakeWriters();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  limitBody(limitBytes: number): void {
    this.#limitBytes = limitBytes;
  }

  abort(cause: Error): void {
    this.#close(cause);
    this.#carry(() => this.#twin?.sever(cause), 0);
  }

  async close(signal: AbortSignal): Promise<void> {
    while (this.#underWayBytes > 0 && this.#closed === undefined) {
      // What is carried over a wire that breaks meanwhile never arrives.
      await orAborted(new Promise<void>((resolve) => this.#waitToClose(resolve)), signal);
    }
    this.abort(new Error('closed by its owner'));
  }

  #waitToClose(resolve: () => void): void {
    this.#closers.push(resolve);
    this.#carry(resolve, 0);
  }

  /** A frame of the twin's. */
  arrive(frame: Frame): void {
    this.#arrived.push(frame);
    this.#deliver();
  }

  /** Ends this side as if the wire had broken. */
  sever(cause: unknown): void {
    this.#close(cause);
  }

  /** The twin took `sizeBytes` that we had sent. */
  settle(sizeBytes: number): void {
    this.#underWayBytes -= sizeBytes;
    this.#wakeWriters();
  }

  #deliver(): void {
    if (this.#delivering || this.#listener === undefined) return;
    this.#delivering = true;
    while (!this.#paused && this.#closed === undefined) {
      const frame = this.#arrived.shift();
      if (frame === undefined) break;
      this.#twin?.settle(frame[3].byteLength);
      this.#hand(frame, this.#listener);
    }
    this.#delivering = false;
  }

  #hand(frame: Frame, listener: FrameStreamListener): void {
    try {
      if (frame[3].byteLength > this.#limitBytes) throw brokenFrame(`a body of ${frame[3].byteLength} bytes`);
      listener.frame(...frame);
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #wakeWriters(): void {
    while (this.#closed === undefined && this.#underWayBytes < HIGH_WATER_BYTES) {
      const writer = this.#writers.shift();
      if (writer === undefined) return;
      writer();
    }
  }

  #close(cause: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = { cause };
    this.#arrived.length = 0;
    this.#writers.length = 0;
    for (const resolve of this.#closers.splice(0)) resolve();
    this.#listener?.closed(cause);
  }
}

/** A copy, as a wire makes one: whoever sent a body may use its memory again once he has his answer. */
function join(head: Uint8Array, body: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.byteLength + body.byteLength);
  whole.set(head);
  whole.set(body, head.byteLength);
  return whole;
}
