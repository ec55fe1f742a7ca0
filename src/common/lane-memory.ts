/** @module Where the messages of four lanes meet the code that hashes them, which may run in another thread: their state, and steps of each. */
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

/** Before it lies the state. */
const FIRST_SLOT_ADDRESS = PAGE_BYTES;

/** Where each lane's step begins. */
export type LaneAddresses = readonly [number, number, number, number];

export interface LaneMemoryOptions {
  /** Of a message, taken in one step; a multiple of PAGE_BYTES. */
  readonly stepBytes: number;
  /** Steps that there is room for. */
  readonly slots: number;
}

export class LaneMemory {
  /** Of WebAssembly; what sha256LanesModule() imports. */
  readonly memory: { readonly buffer: SharedArrayBuffer };
  readonly pages: number;
  readonly stepBytes: number;
  readonly #bytes: Uint8Array;
  readonly #state: Uint32Array;

  constructor({ stepBytes, slots }: LaneMemoryOptions) {
    this.stepBytes = stepBytes;
    this.pages = (FIRST_SLOT_ADDRESS + slots * LANES * stepBytes) / PAGE_BYTES;
    this.memory = new WebAssembly.Memory({ initial: this.pages, maximum: this.pages, shared: true });
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#state = new Uint32Array(this.memory.buffer, 0, INITIAL_STATE.length * LANES);
  }

  /** The state before the first step. */
  static initialState(): Uint32Array {
    return Uint32Array.from(INITIAL_STATE.flatMap((word) => Array<number>(LANES).fill(word)));
  }

  get state(): Uint32Array {
    return this.#state.slice();
  }

  set state(state: Uint32Array) {
    this.#state.set(state);
  }

  /** The next `bytes` of each message, at most stepBytes. */
  fill(slot: number, messages: readonly PaddedMessage[], bytes: number): LaneAddresses {
    const first = FIRST_SLOT_ADDRESS + slot * LANES * this.stepBytes;
    const at = (lane: number): number => first + lane * this.stepBytes;
    for (const [lane, message] of messages.entries())
      message.read(this.#bytes.subarray(at(lane), at(lane) + bytes));
    return [at(0), at(1), at(2), at(3)];
  }
}

/** Of each lane, once all of its message has been taken. */
export function digestsOf(state: Uint32Array): Uint8Array[] {
  return Array.from({ length: LANES }, (_, lane) => {
    const digest = Buffer.alloc(HASH_SIZE_BYTES);
    for (let word = 0; word < INITIAL_STATE.length; word += 1)
      digest.writeUInt32BE(state[word * LANES + lane] ?? 0, word * 4);
    return digest;
  });
}
