/** @module A toy state machine: a digest of all that it was given to apply, and what of it a crash leaves. */
import { EMPTY_CONF_STATE } from '../raft/memory-storage.ts';
import type { ConfState, Entry, Index, Snapshot } from '../raft/types.ts';

export interface MachineState {
  readonly index: Index;
  /** Of everything up to `index`. */
  readonly digest: number;
  readonly confState: ConfState;
}

const DIGEST_BYTES = 4;

export class DigestMachine {
  #state: MachineState = { index: 0, digest: 0, confState: EMPTY_CONF_STATE };
  #durable: MachineState = this.#state;
  #lastSnapshot: Index = 0;

  get state(): MachineState {
    return this.#state;
  }

  /** What was not durable is forgotten. */
  restart(): void {
    this.#state = this.#durable;
  }

  /** Throws when `entry` is not the next one. */
  checkNext({ index }: Entry): void {
    if (index !== this.#state.index + 1)
      throw new Error(`entry ${index} is to be applied after ${this.#state.index}`);
  }

  /** The next entry has led to this. */
  advance(state: MachineState): void {
    this.#state = state;
  }

  /** A crash from here on leaves the state as it is now. */
  persist(): void {
    this.#durable = this.#state;
  }

  install({ metadata: { index, confState }, data }: Snapshot): MachineState {
    this.#state = { index, digest: new DataView(data.buffer).getUint32(0), confState };
    this.persist();
    this.#lastSnapshot = index;
    return this.#state;
  }

  /** The state to make a snapshot of, once every so many entries; durable from here on. */
  maybeSnapshot(everyEntries: number): MachineState | undefined {
    if (this.#state.index < this.#lastSnapshot + everyEntries) return undefined;
    this.persist();
    this.#lastSnapshot = this.#state.index;
    return this.#state;
  }
}

/** The digest as a snapshot's data. */
export function digestBytes(digest: number): Uint8Array {
  const bytes = new Uint8Array(DIGEST_BYTES);
  new DataView(bytes.buffer).setUint32(0, digest);
  return bytes;
}
