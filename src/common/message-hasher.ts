/** @module SHA-256 of large messages of which several are about at the same time: eight side by side, while they arrive, where that is faster. */
import { MIB } from './bytes.ts';
import type { Clock, Timer } from './clock.ts';
import { sha256Stream } from './hashing.ts';
import { digestOf } from './lane-memory.ts';
import { PaddedMessage } from './padded-message.ts';
import { hasSha256Instructions } from './sha256-instructions.ts';
import { LANES } from './sha256-lanes-code.ts';
import { LAST_STEP_BYTES, type LaneStep, type Sha256Thread, STEP_BYTES } from './sha256-thread.ts';

/** A smaller message is hashed at once: it holds nobody up, and would not fill its lane for long. */
const LEAST_BYTES = MIB;
/** How long bytes wait for those of other messages that are on their way. */
const PATIENCE_MS = 250;
/** The thread takes as long to start as OpenSSL takes for so much. */
const WORTH_A_THREAD_BYTES: number = 64 * MIB;
/** So many lanes are faster than OpenSSL, fewer are not. */
const LEAST_FULL_LANES = 4;

/** A message on its way. Whoever never asks about it disposes of it: others wait for its company. */
export interface ArrivingMessage extends Disposable {
  /** The next bytes, which must not change before isNamed() has resolved. */
  add(piece: Uint8Array): void;
  /** Whether `hash` is its SHA-256. Once, when all of it was added. */
  isNamed(hash: Uint8Array): Promise<boolean>;
}

/** One that the thread takes, unless that ends, or no others come. */
interface Sharing {
  readonly message: PaddedMessage;
  /** From its first step to its last. */
  lane: number | undefined;
  readonly digest: PromiseWithResolvers<Uint8Array>;
}

export interface MessageHasherComponents {
  readonly clock: Clock;
  /** Without it each message is hashed alone, here. */
  readonly thread?: Sha256Thread | undefined;
}

export class MessageHasher {
  readonly #clock: Clock;
  readonly #thread: Sha256Thread | undefined;
  #isWorthwhile: boolean | undefined;
  /** In the order in which they began; none that the thread has all of. */
  readonly #sharing = new Set<Sharing>();
  /** Of all messages that the thread might have taken. */
  #begunBytes = 0;
  #freeLanes: number[] = Array.from({ length: LANES }, (_, lane) => lane);
  #patience: Timer | undefined;
  #isOutOfPatience = false;

  constructor({ clock, thread }: MessageHasherComponents) {
    this.#clock = clock;
    this.#thread = thread;
  }

  /** To be called as soon as it is known that the message will come. */
  begin(sizeBytes: number): ArrivingMessage {
    const message = new PaddedMessage(sizeBytes);
    if (sizeBytes < LEAST_BYTES || !this.#hasLanes())
      return {
        add: (piece) => message.add(piece),
        isNamed: async (hash) => isSame(await digestInTurns(message.pieces), hash),
        [Symbol.dispose]: () => {},
      };
    const sharing: Sharing = { message, lane: undefined, digest: Promise.withResolvers() };
    this.#sharing.add(sharing);
    this.#begunBytes += sizeBytes;
    if (this.#begunBytes >= WORTH_A_THREAD_BYTES) this.#thread?.start(() => this.#work());
    return {
      add: (piece) => {
        message.add(piece);
        this.#work();
      },
      isNamed: async (hash) =>
        isSame(await sharing.digest.promise, hash) || this.#isNamedAfterAll(message.pieces, hash),
      [Symbol.dispose]: () => {
        this.#leave(sharing);
        this.#work();
      },
    };
  }

  #hasLanes(): boolean {
    const thread = this.#thread;
    if (thread === undefined || thread.hasEnded) return false;
    this.#isWorthwhile ??= !hasSha256Instructions(() => this.#clock.monotonicMs());
    return this.#isWorthwhile;
  }

  /** Nobody calls bytes bad because of code that we put together: OpenSSL has the last word. */
  async #isNamedAfterAll(pieces: readonly Uint8Array[], hash: Uint8Array): Promise<boolean> {
    const isRight = isSame(await digestInTurns(pieces), hash);
    if (isRight) this.#thread?.distrust('a SHA-256 was wrong');
    return isRight;
  }

  #work(): void {
    const thread = this.#thread as Sha256Thread;
    while (thread.isRunning && this.#hasCompany()) {
      const group = thread.hasRoom ? this.#nextGroup() : [];
      if (group.length === 0) return;
      this.#step(thread, group);
    }
    for (const sharing of this.#sharing) this.#hashAlone(sharing);
  }

  /** There are enough for lanes, or some that are in lanes already. */
  #hasCompany(): boolean {
    return this.#freeLanes.length < LANES || this.#sharing.size >= LEAST_FULL_LANES;
  }

  /** Those of which there is a step to take, as soon as that is all that it may be. */
  #nextGroup(): Sharing[] {
    const inLanes = [...this.#sharing].filter(({ lane }) => lane !== undefined);
    const waiting = [...this.#sharing].filter(({ lane }) => lane === undefined);
    const company = [...inLanes, ...waiting.slice(0, this.#freeLanes.length)];
    const ready = company.filter(({ message }) => message.isWhole || message.readableBytes >= STEP_BYTES);
    if (ready.length === company.length || this.#isOutOfPatience) return ready;
    this.#patience ??= this.#clock.after(PATIENCE_MS, () => {
      this.#patience = undefined;
      this.#isOutOfPatience = true;
      this.#work();
    });
    return [];
  }

  #step(thread: Sha256Thread, group: readonly Sharing[]): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#isOutOfPatience = false;
    const sizeBytes = Math.min(...group.map(({ message }) => stepBytes(message)));
    const lanes = group.map((sharing): LaneStep => {
      const isFirst = sharing.lane === undefined;
      sharing.lane ??= this.#freeLanes.pop() as number;
      return { lane: sharing.lane, message: sharing.message, isFirst };
    });
    const taken = thread.step(lanes, sizeBytes);
    const ended = group
      .filter(({ message }) => message.isWhole && message.readableBytes === 0)
      .map((sharing) => ({ sharing, lane: sharing.lane as number }));
    for (const { sharing } of ended) this.#leave(sharing);
    void taken.then((state) => {
      for (const { sharing, lane } of ended)
        if (state === undefined) sharing.digest.resolve(digestInTurns(sharing.message.pieces));
        else sharing.digest.resolve(digestOf(state, lane));
      this.#work();
    });
  }

  #hashAlone(sharing: Sharing): void {
    if (!sharing.message.isWhole) return;
    this.#leave(sharing);
    sharing.digest.resolve(digestInTurns(sharing.message.pieces));
  }

  #leave(sharing: Sharing): void {
    this.#sharing.delete(sharing);
    if (sharing.lane !== undefined) this.#freeLanes.push(sharing.lane);
    sharing.lane = undefined;
  }
}

function stepBytes({ isWhole, readableBytes }: PaddedMessage): number {
  return isWhole && readableBytes <= LAST_STEP_BYTES ? readableBytes : STEP_BYTES;
}

function isSame(digest: Uint8Array, hash: Uint8Array): boolean {
  return Buffer.compare(digest, hash) === 0;
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

/** Lets what came in meanwhile go first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
