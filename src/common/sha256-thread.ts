/** @module SHA-256 of four messages side by side, on a thread of its own: whoever has blocks to check goes on with the next ones meanwhile. */
import { Worker } from 'node:worker_threads';
import { MIB } from './bytes.ts';
import { describeError } from './errors.ts';
import { digestsOf, type LaneAddresses, LaneMemory } from './lane-memory.ts';
import type { Logger } from './logger.ts';
import { PaddedMessage, paddedBytes } from './padded-message.ts';
import { BLOCK_BYTES, sha256LanesModule } from './sha256-lanes-code.ts';

/** Of each message: some 10 ms of the thread's time, a millisecond of copying. */
const STEP_BYTES: number = MIB;
/** One is filled while the thread takes the other. */
const SLOTS = 2;
/** All that the thread does. Its source is text, so that it needs no file of its own beside whatever it was bundled into. */
const THREAD = `
const { parentPort, workerData: { code, memory } } = require('node:worker_threads');
const { compress } = new WebAssembly.Instance(new WebAssembly.Module(code), { lanes: { memory } }).exports;
parentPort.on('message', (step) => {
  compress(...step);
  parentPort.postMessage(undefined);
});
`;

interface Started {
  readonly worker: Worker;
  readonly memory: LaneMemory;
}

/** Starts with the first group, and keeps no process alive that has nothing else to do. */
export class Sha256Thread {
  readonly #logger: Logger;
  #started: Started | undefined;
  /** Called in their order: whether the thread took the step. */
  #steps: ((isTaken: boolean) => void)[] = [];
  #groups: Promise<unknown> = Promise.resolve();
  #isEnded = false;

  constructor({ logger }: { readonly logger: Logger }) {
    this.#logger = logger;
  }

  /**
   * The SHA-256 of four messages of one and the same length, each in pieces that must not change meanwhile. Undefined when the thread
   * has ended: it will not come back.
   */
  digest(messages: readonly (readonly Uint8Array[])[], sizeBytes: number): Promise<Uint8Array[] | undefined> {
    const digests = this.#groups.then(() => this.#digest(messages, sizeBytes));
    this.#groups = digests;
    return digests;
  }

  async close(): Promise<void> {
    this.#end();
    await this.#started?.worker.terminate();
  }

  async #digest(
    messages: readonly (readonly Uint8Array[])[],
    sizeBytes: number,
  ): Promise<Uint8Array[] | undefined> {
    if (this.#isEnded) return undefined;
    this.#started ??= this.#start();
    const { memory, worker } = this.#started;
    const sources = messages.map((pieces) => new PaddedMessage(pieces, sizeBytes));
    const taken: Promise<boolean>[] = [];
    memory.state = LaneMemory.initialState();
    worker.ref();
    for (let left = paddedBytes(sizeBytes); left > 0; left -= STEP_BYTES) {
      // The step before the last has left the slot that this one takes.
      await taken.at(-SLOTS);
      const bytes = Math.min(STEP_BYTES, left);
      const addresses = memory.fill(taken.length % SLOTS, sources, bytes);
      taken.push(this.#compress(worker, addresses, bytes / BLOCK_BYTES));
    }
    const isWhole = (await Promise.all(taken)).every((isTaken) => isTaken);
    worker.unref();
    return isWhole ? digestsOf(memory.state) : undefined;
  }

  #start(): Started {
    const memory = new LaneMemory({ stepBytes: STEP_BYTES, slots: SLOTS });
    const code = sha256LanesModule(memory.pages);
    const worker = new Worker(THREAD, { eval: true, workerData: { code, memory: memory.memory } });
    worker.on('message', () => this.#steps.shift()?.(true));
    worker.on('error', (error) => {
      this.#logger.warn('hashing.thread-failed', { error: describeError(error) });
      this.#end();
    });
    worker.on('exit', () => this.#end());
    return { worker, memory };
  }

  #compress(worker: Worker, addresses: LaneAddresses, blocks: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#isEnded) return resolve(false);
      this.#steps.push(resolve);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
      worker.postMessage([...addresses, blocks]);
    });
  }

  #end(): void {
    this.#isEnded = true;
    for (const resolve of this.#steps.splice(0)) resolve(false);
  }
}
