/** @module SHA-256 of four messages side by side: two thirds of the time that OpenSSL takes for them one after the other, without SHA instructions. */
import { createHash } from 'node:crypto';
import { KIB } from './bytes.ts';
import { HASH_SIZE_BYTES } from './hashing.ts';
import { INITIAL_STATE, sha256LanesModule } from './sha256-lanes-code.ts';

export const LANES = 4;
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;
/** Of a message, taken in one call. */
const STEP_BYTES: number = 64 * KIB;
const FIRST_LANE_ADDRESS: number = 64 * KIB;
const PAGE_BYTES: number = 64 * KIB;
/** Of measurements: the fastest one was not interrupted. */
const ATTEMPTS = 5;

/** The part that this needs of a global whose types come with those of browsers. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly compress: (at0: number, at1: number, at2: number, at3: number, blocks: number) => void;
}

/** The messages of four lanes on their way through the kernel; one group at a time. */
export class Sha256Lanes {
  readonly #compress: Kernel['compress'];
  readonly #bytes: Buffer;
  readonly #words: Uint32Array;

  constructor() {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(sha256LanesModule()));
    const { memory, compress } = instance.exports as Kernel;
    memory.grow((LANES * STEP_BYTES) / PAGE_BYTES);
    this.#compress = compress;
    this.#bytes = Buffer.from(memory.buffer);
    this.#words = new Uint32Array(memory.buffer, 0, INITIAL_STATE.length * LANES);
  }

  /** The SHA-256 of four messages of one and the same length, each in pieces. Yields now and then, where others may go first. */
  *digest(messages: readonly (readonly Uint8Array[])[], sizeBytes: number): Generator<void, Uint8Array[]> {
    const state = Uint32Array.from(INITIAL_STATE.flatMap((word) => Array<number>(LANES).fill(word)));
    const sources = messages.map((pieces) => new PaddedMessage(pieces, sizeBytes));
    for (let left = paddedBytes(sizeBytes); left > 0; left -= STEP_BYTES) {
      const step = Math.min(STEP_BYTES, left);
      for (const [lane, source] of sources.entries())
        source.read(this.#bytes.subarray(addressOf(lane), addressOf(lane) + step));
      // Between two steps another group may have been here.
      this.#words.set(state);
      this.#compress(addressOf(0), addressOf(1), addressOf(2), addressOf(3), step / BLOCK_BYTES);
      state.set(this.#words);
      yield;
    }
    return messages.map((_, lane) => digestOf(state, lane));
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

/** The bytes of a message and what follows them (FIPS 180-4 §5.1.1): 1, zeros, the length in bits. */
class PaddedMessage {
  readonly #pieces: readonly Uint8Array[];
  #next = 0;
  #offset = 0;

  constructor(pieces: readonly Uint8Array[], sizeBytes: number) {
    const tail = Buffer.alloc(paddedBytes(sizeBytes) - sizeBytes);
    tail.writeUInt8(0x80, 0);
    tail.writeBigUInt64BE(BigInt(sizeBytes) * 8n, tail.length - LENGTH_BYTES);
    this.#pieces = [...pieces, tail];
  }

  /** Fills `target`; there are always as many bytes. */
  read(target: Uint8Array): void {
    for (let filled = 0; filled < target.byteLength; ) {
      const piece = this.#pieces[this.#next] as Uint8Array;
      const part = piece.subarray(this.#offset, this.#offset + target.byteLength - filled);
      target.set(part, filled);
      filled += part.byteLength;
      this.#offset += part.byteLength;
      if (this.#offset < piece.byteLength) continue;
      this.#next += 1;
      this.#offset = 0;
    }
  }
}

function paddedBytes(sizeBytes: number): number {
  return Math.ceil((sizeBytes + 1 + LENGTH_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
}

function addressOf(lane: number): number {
  return FIRST_LANE_ADDRESS + lane * STEP_BYTES;
}

function digestOf(state: Uint32Array, lane: number): Uint8Array {
  const digest = Buffer.alloc(HASH_SIZE_BYTES);
  for (let word = 0; word < INITIAL_STATE.length; word += 1)
    digest.writeUInt32BE(state[word * LANES + lane] ?? 0, word * 4);
  return digest;
}
