/** @module SHA-256 of large messages of which several are about at the same time: four side by side where that is faster. */
import type { Clock, Timer } from './clock.ts';
import { MIB } from './bytes.ts';
import { sha256Stream } from './hashing.ts';
import { hasSha256Instructions, Sha256Lanes } from './sha256-lanes.ts';
import { LANES } from './sha256-lanes-code.ts';
import type { Sha256Thread } from './sha256-thread.ts';

/** A smaller message is hashed at once: it holds nobody up, and would not fill its lane for long. */
const LEAST_BYTES = MIB;
/** How long a message waits for others of its length, when they are on their way. */
const PATIENCE_MS = 250;
/** Three full lanes are faster than OpenSSL, two are not. */
const LEAST_FULL_LANES = 3;
/** Steps of the lanes, 64 KiB of each, between two looks at what else there is to do: some 4 ms. */
const STEPS_PER_TURN = 8;

interface Waiting {
  readonly pieces: readonly Uint8Array[];
  readonly resolve: (digest: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

export interface MessageHasherComponents {
  readonly clock: Clock;
  /** Full groups are hashed there; here when absent. */
  readonly thread?: Sha256Thread | undefined;
}

/** A message on its way. Who never asks for its digest disposes of it: others wait for its company. */
export interface ExpectedMessage extends Disposable {
  /** Once. The pieces, all of the message, must not change meanwhile. */
  digest(pieces: readonly Uint8Array[]): Promise<Uint8Array>;
}

export class MessageHasher {
  readonly #clock: Clock;
  readonly #thread: Sha256Thread | undefined;
  /** None where the processor does better. */
  #lanes: Sha256Lanes | 'none' | undefined;
  /** Fewer than LANES messages of #waitingBytes each. */
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #patience: Timer | undefined;
  /** Messages on their way, by their length in bytes. */
  readonly #expected = new Map<number, number>();

  constructor({ clock, thread }: MessageHasherComponents) {
    this.#clock = clock;
    this.#thread = thread;
  }

  /** To be called as soon as it is known that the message will come. */
  expect(sizeBytes: number): ExpectedMessage {
    this.#expected.set(sizeBytes, this.#companyOf(sizeBytes) + 1);
    let isExpected = true;
    const arrives = (): void => {
      if (!isExpected) return;
      isExpected = false;
      const others = this.#companyOf(sizeBytes) - 1;
      if (others === 0) this.#expected.delete(sizeBytes);
      else this.#expected.set(sizeBytes, others);
    };
    return {
      digest: (pieces) => {
        arrives();
        return this.#digest(pieces, sizeBytes);
      },
      [Symbol.dispose]: () => {
        arrives();
        this.#hashUnlessCompanyComes();
      },
    };
  }

  #digest(pieces: readonly Uint8Array[], sizeBytes: number): Promise<Uint8Array> {
    if (sizeBytes < LEAST_BYTES) return Promise.resolve(digestOf(pieces));
    const isOther = this.#waiting.length > 0 && this.#waitingBytes !== sizeBytes;
    if (isOther || !this.#hasLanes()) return digestInTurns(pieces);
    return new Promise((resolve, reject) => {
      this.#waitingBytes = sizeBytes;
      this.#waiting.push({ pieces, resolve, reject });
      this.#hashUnlessCompanyComes();
    });
  }

  #companyOf(sizeBytes: number): number {
    return this.#expected.get(sizeBytes) ?? 0;
  }

  #hashUnlessCompanyComes(): void {
    if (this.#waiting.length === 0) return;
    if (this.#waiting.length === LANES || this.#companyOf(this.#waitingBytes) === 0) this.#hashWaiting();
    else this.#patience ??= this.#clock.after(PATIENCE_MS, () => this.#hashWaiting());
  }

  #hasLanes(): boolean {
    this.#lanes ??= hasSha256Instructions(() => this.#clock.monotonicMs()) ? 'none' : new Sha256Lanes();
    return this.#lanes !== 'none';
  }

  #hashWaiting(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    const group = this.#waiting;
    this.#waiting = [];
    const lanes = this.#lanes;
    if (lanes instanceof Sha256Lanes && group.length >= LEAST_FULL_LANES)
      void this.#hashTogether(lanes, group, this.#waitingBytes);
    else for (const { pieces, resolve, reject } of group) digestInTurns(pieces).then(resolve, reject);
  }

  async #hashTogether(lanes: Sha256Lanes, group: readonly Waiting[], sizeBytes: number): Promise<void> {
    // A lane without a message of its own does the work of another's.
    const messages = Array.from({ length: LANES }, (_, lane) => (group[lane] ?? group[0])?.pieces ?? []);
    try {
      const digests =
        (await this.#thread?.digest(messages, sizeBytes)) ??
        (await digestInLanes(lanes, messages, sizeBytes));
      for (const [lane, { resolve }] of group.entries()) resolve(digests[lane] as Uint8Array);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}

async function digestInLanes(
  lanes: Sha256Lanes,
  messages: readonly (readonly Uint8Array[])[],
  sizeBytes: number,
): Promise<Uint8Array[]> {
  const work = lanes.digest(messages, sizeBytes);
  for (let steps = 1; ; steps += 1) {
    const next = work.next();
    if (next.done === true) return next.value;
    if (steps % STEPS_PER_TURN === 0) await nextTurn();
  }
}

async function digestInTurns(pieces: readonly Uint8Array[]): Promise<Uint8Array> {
  const hash = sha256Stream();
  let sinceTurn = 0;
  for (const piece of pieces) {
    hash.update(piece);
    sinceTurn += piece.byteLength;
    if (sinceTurn < LEAST_BYTES) continue;
    sinceTurn = 0;
    await nextTurn();
  }
  return hash.digest();
}

function digestOf(pieces: readonly Uint8Array[]): Uint8Array {
  const hash = sha256Stream();
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

/** Lets what came in meanwhile go first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
