/** @module Where parts of messages meet the code that hashes them in lanes, in another thread: slots of a part of each lane's message. */
import { HASH_SIZE_BYTES } from './hashing.ts';
import type { PaddedMessage } from './padded-message.ts';
import { INITIAL_STATE, LANES, PAGE_BYTES } from './sha256-lanes-code.ts';

/** The part that this needs of a global whose types come with those of browsers. */
declare const WebAssembly: {
  readonly Memory: new (limits: {
    initial: number;
    maximum: number;
    shared: true;
  }) => {
    readonly buffer: SharedArrayBuffer;
  };
};

/** V8 copies to and from shared memory word by word where both ends begin alike, else byte by byte: five times as long. */
const WORD_BYTES = 8;
/** Before it lies what the code keeps. */
const FIRST_SLOT_ADDRESS = PAGE_BYTES;

export interface LaneMemoryOptions {
  /** Of one lane, in one slot. */
  readonly laneBytes: number;
  readonly slots: number;
}

export class LaneMemory {
  /** Of WebAssembly; what sha256LanesModule() imports. */
  readonly memory: { readonly buffer: SharedArrayBuffer };
  readonly pages: number;
  readonly #laneBytes: number;
  readonly #bytes: Uint8Array;

  constructor({ laneBytes, slots }: LaneMemoryOptions) {
    this.#laneBytes = Math.ceil(laneBytes / WORD_BYTES) * WORD_BYTES + WORD_BYTES;
    this.pages = Math.ceil((FIRST_SLOT_ADDRESS + slots * LANES * this.#laneBytes) / PAGE_BYTES);
    this.memory = new WebAssembly.Memory({ initial: this.pages, maximum: this.pages, shared: true });
    this.#bytes = new Uint8Array(this.memory.buffer);
  }

  /** Room for a part of each lane's message begins there. */
  addresses(slot: number): number[] {
    const first = FIRST_SLOT_ADDRESS + slot * LANES * this.#laneBytes;
    return Array.from({ length: LANES }, (_, lane) => first + lane * this.#laneBytes);
  }

  /** Puts the next `sizeBytes` of `message`, at most laneBytes, at one of the addresses, or a few bytes behind it. Says where. */
  fill(address: number, message: PaddedMessage, sizeBytes: number): number {
    const from = address + (message.nextOffset % WORD_BYTES);
    message.read(this.#bytes.subarray(from, from + sizeBytes));
    return from;
  }
}

/** Of one lane, once all of its message has been taken. */
export function digestOf(state: Uint32Array, lane: number): Uint8Array {
  const digest = Buffer.alloc(HASH_SIZE_BYTES);
  for (let word = 0; word < INITIAL_STATE.length; word += 1)
    digest.writeUInt32BE(state[word * LANES + lane] ?? 0, word * 4);
  return digest;
}
