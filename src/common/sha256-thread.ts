/** @module SHA-256 of messages side by side, on a thread of its own: whoever has blocks to check goes on with the next ones meanwhile. */
import { Worker } from 'node:worker_threads';
import { KIB } from './bytes.ts';
import { describeError } from './errors.ts';
import { LaneMemory } from './lane-memory.ts';
import type { Logger } from './logger.ts';
import type { PaddedMessage } from './padded-message.ts';
import { BLOCK_BYTES, INITIAL_STATE, LANES, sha256LanesModule } from './sha256-lanes-code.ts';

/** Of each message in one step: some 2 ms of the thread's time. */
export const STEP_BYTES: number = 256 * KIB;
/** A last step takes the padding along. */
export const LAST_STEP_BYTES: number = STEP_BYTES + 2 * BLOCK_BYTES;
/** One is filled while the thread takes the other. */
const SLOTS = 2;
/**
 * All that the thread does. Its source is text, so that it needs no file of its own beside whatever it was bundled into.
 *
 * V8 makes one instruction of each pair of vectors only when told to, for it is new there, and never in its quick first compilation;
 * it takes half as long then. The flags are those of all the process: they are set for as long as this one module takes to compile,
 * which it does in its first call, and what it computes then is compared with OpenSSL's. Should they be unknown, it is as correct.
 */
const THREAD = `
const { createHash } = require('node:crypto');
const { setFlagsFromString } = require('node:v8');
const { parentPort, workerData: { code, memory, lanes, initial, addresses } } = require('node:worker_threads');
const state = new Uint32Array(memory.buffer, 0, initial.length * lanes);
const begin = (lane) => initial.forEach((word, at) => (state[at * lanes + lane] = word));
const hasPairs = process.arch === 'x64' && process.config.variables.v8_enable_wasm_simd256_revec === 1;
const setFlags = (...flags) => hasPairs && flags.forEach(setFlagsFromString);

setFlags('--experimental-wasm-revectorize', '--no-liftoff');
const { compress } = new WebAssembly.Instance(new WebAssembly.Module(code), { lanes: { memory } }).exports;
for (let lane = 0; lane < lanes; lane += 1) begin(lane);
addresses.forEach((at, lane) => new Uint8Array(memory.buffer).set([97 + lane, 0x80], at));
addresses.forEach((at) => new Uint8Array(memory.buffer).fill(8, at + 63, at + 64));
compress(...addresses, 1);
setFlags('--no-experimental-wasm-revectorize', '--liftoff');
for (let lane = 0; lane < lanes; lane += 1) {
  const right = createHash('sha256').update(String.fromCharCode(97 + lane)).digest();
  if (initial.some((_, at) => state[at * lanes + lane] !== right.readUInt32BE(at * 4)))
    throw new Error('what this process compiled for eight lanes is not SHA-256');
}

parentPort.on('message', ({ addresses, blocks, firsts, isTaken }) => {
  const before = state.slice();
  firsts.forEach(begin);
  compress(...addresses, blocks);
  before.forEach((word, at) => isTaken[at % lanes] || (state[at] = word));
  parentPort.postMessage(state.slice());
});
parentPort.postMessage('ready');
`;

/** What one lane does in a step. */
export interface LaneStep {
  readonly lane: number;
  readonly message: PaddedMessage;
  /** A message begins; else the one that was in the lane goes on. */
  readonly isFirst: boolean;
}

type Taken = (state: Uint32Array | undefined) => void;

/** Starts when told to, and keeps no process alive that has nothing else to do. */
export class Sha256Thread {
  readonly #logger: Logger;
  #worker: Worker | undefined;
  #memory: LaneMemory | undefined;
  /** Steps that the thread has not taken yet, in their order. */
  readonly #steps: Taken[] = [];
  #slot = 0;
  #phase: 'new' | 'starting' | 'running' | 'ended' = 'new';
  #onChange: () => void = () => {};

  constructor({ logger }: { readonly logger: Logger }) {
    this.#logger = logger;
  }

  /** It takes steps no more, nor will it again. */
  get hasEnded(): boolean {
    return this.#phase === 'ended';
  }

  get isRunning(): boolean {
    return this.#phase === 'running';
  }

  /** Whether step() may be called. */
  get hasRoom(): boolean {
    return this.isRunning && this.#steps.length < SLOTS;
  }

  /** The first call counts. `onChange` is called when the thread is ready, and when it has ended. */
  start(onChange: () => void): void {
    if (this.#phase !== 'new') return;
    this.#phase = 'starting';
    this.#onChange = onChange;
    const memory = new LaneMemory({ laneBytes: LAST_STEP_BYTES, slots: SLOTS });
    const code = sha256LanesModule(memory.pages);
    const workerData = {
      code,
      memory: memory.memory,
      lanes: LANES,
      initial: INITIAL_STATE,
      addresses: memory.addresses(0),
    };
    const worker = new Worker(THREAD, { eval: true, workerData });
    worker.unref();
    worker.once('message', () => {
      worker.on('message', (state: Uint32Array) => this.#taken(state));
      if (this.#phase === 'starting') this.#phase = 'running';
      this.#onChange();
    });
    worker.on('error', (error) => this.distrust(describeError(error)));
    worker.on('exit', () => this.#end());
    this.#worker = worker;
    this.#memory = memory;
  }

  /**
   * `sizeBytes` of each message, whole blocks, at most LAST_STEP_BYTES; they are copied at once. Resolves with the state of all lanes
   * after it, undefined when the thread has ended. Order: while hasRoom.
   */
  step(lanes: readonly LaneStep[], sizeBytes: number): Promise<Uint32Array | undefined> {
    const [worker, memory] = [this.#worker as Worker, this.#memory as LaneMemory];
    const addresses = memory.addresses(this.#slot);
    const isTaken = Array<boolean>(LANES).fill(false);
    for (const { lane, message } of lanes) {
      addresses[lane] = memory.fill(addresses[lane] as number, message, sizeBytes);
      isTaken[lane] = true;
    }
    const step = {
      addresses,
      blocks: sizeBytes / BLOCK_BYTES,
      firsts: lanes.filter(({ isFirst }) => isFirst).map(({ lane }) => lane),
      isTaken,
    };
    this.#slot = (this.#slot + 1) % SLOTS;
    worker.ref();
    return new Promise((resolve) => {
      this.#steps.push(resolve);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
      worker.postMessage(step);
    });
  }

  /** What it computed was wrong: it ends. */
  distrust(error: string): void {
    this.#logger.warn('hashing.thread-failed', { error });
    void this.close();
  }

  async close(): Promise<void> {
    this.#end();
    await this.#worker?.terminate();
  }

  #taken(state: Uint32Array): void {
    const taken = this.#steps.shift();
    if (this.#steps.length === 0) this.#worker?.unref();
    taken?.(state);
  }

  #end(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    for (const taken of this.#steps.splice(0)) taken(undefined);
    this.#onChange();
  }
}
