/** @module The MsgApps on their way to one follower, bounded by count and by bytes. */
import { invariant } from './errors.ts';
import type { Index } from './types.ts';

interface Inflight {
  /** Last index of the message. */
  readonly index: Index;
  readonly sizeBytes: number;
}

/** A ring buffer that grows on demand up to its bound; freed from the front by acknowledged index. */
export class Inflights {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #ring: (Inflight | undefined)[] = [];
  #start = 0;
  #count = 0;
  #sizeBytes = 0;

  /** `maxBytes` 0 = bounded by count alone. */
  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#count;
  }

  /** The byte bound may be overshot by one message, so that a large one can pass at all. */
  isFull(): boolean {
    return this.#count === this.#maxCount || (this.#maxBytes !== 0 && this.#sizeBytes >= this.#maxBytes);
  }

  /** Adds a message ending at `index`; indexes must not decrease. Must not be full. */
  add(index: Index, sizeBytes: number): void {
    invariant(!this.isFull(), () => `cannot add index ${index} to full inflights`);
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#start + this.#count) % this.#ring.length] = { index, sizeBytes };
    this.#count += 1;
    this.#sizeBytes += sizeBytes;
  }

  /** Frees all messages that end at or before `index`. */
  freeUpTo(index: Index): void {
    while (this.#count > 0) {
      const first = this.#ring[this.#start];
      if (first === undefined || first.index > index) return;
      this.#ring[this.#start] = undefined;
      this.#start = (this.#start + 1) % this.#ring.length;
      this.#count -= 1;
      this.#sizeBytes -= first.sizeBytes;
    }
  }

  reset(): void {
    this.#ring = [];
    this.#start = 0;
    this.#count = 0;
    this.#sizeBytes = 0;
  }

  #grow(): void {
    const length = Math.min(Math.max(1, this.#ring.length * 2), this.#maxCount);
    const ring: (Inflight | undefined)[] = Array.from({ length });
    for (let i = 0; i < this.#count; i++) ring[i] = this.#ring[(this.#start + i) % this.#ring.length];
    this.#ring = ring;
    this.#start = 0;
  }
}
