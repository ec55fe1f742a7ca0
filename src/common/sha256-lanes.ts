/** @module SHA-256 of four messages side by side: two thirds of the time that OpenSSL takes for them one after the other, without SHA instructions. */
import { createHash } from 'node:crypto';
import { KIB } from './bytes.ts';
import { digestsOf, type LaneAddresses, LaneMemory } from './lane-memory.ts';
import { PaddedMessage, paddedBytes } from './padded-message.ts';
import { BLOCK_BYTES, sha256LanesModule } from './sha256-lanes-code.ts';

/** Of a message, taken in one call. */
const STEP_BYTES: number = 64 * KIB;
/** Of measurements: the fastest one was not interrupted. */
const ATTEMPTS = 5;

/** The part that this needs of a global whose types come with those of browsers. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

interface Kernel {
  readonly compress: (...args: readonly [...at: LaneAddresses, blocks: number]) => void;
}

/** The messages of four lanes on their way through the kernel; one group at a time. */
export class Sha256Lanes {
  readonly #memory = new LaneMemory({ stepBytes: STEP_BYTES, slots: 1 });
  readonly #kernel: Kernel;

  constructor() {
    const { memory, pages } = this.#memory;
    const module = new WebAssembly.Module(sha256LanesModule(pages));
    this.#kernel = new WebAssembly.Instance(module, { lanes: { memory } }).exports as Kernel;
  }

  /** The SHA-256 of four messages of one and the same length, each in pieces. Yields now and then, where others may go first. */
  *digest(messages: readonly (readonly Uint8Array[])[], sizeBytes: number): Generator<void, Uint8Array[]> {
    const memory = this.#memory;
    let state = LaneMemory.initialState();
    const sources = messages.map((pieces) => new PaddedMessage(pieces, sizeBytes));
    for (let left = paddedBytes(sizeBytes); left > 0; left -= STEP_BYTES) {
      const step = Math.min(STEP_BYTES, left);
      const addresses = memory.fill(0, sources, step);
      // Between two steps another group may have been here.
      memory.state = state;
      this.#kernel.compress(...addresses, step / BLOCK_BYTES);
      state = memory.state;
      yield;
    }
    return digestsOf(state);
  }
}

/**
 * Whether OpenSSL computes SHA-256 with instructions made for it, several times as fast as lanes: without them SHA-512, which takes
 * 64 bits at a time, is the faster of the two. Takes some 2 ms; says yes when in doubt.
 */
export function hasSha256Instructions(nowMs: () => number): boolean {
  const message = new Uint8Array(STEP_BYTES);
  const fastest = { sha256: Number.POSITIVE_INFINITY, sha512: Number.POSITIVE_INFINITY };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1)
    for (const name of ['sha256', 'sha512'] as const) {
      const beganMs = nowMs();
      createHash(name).update(message).digest();
      fastest[name] = Math.min(fastest[name], nowMs() - beganMs);
    }
  return fastest.sha256 <= fastest.sha512;
}

/** Runs without a break. */
export function drain<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
  }
}
