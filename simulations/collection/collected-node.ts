/** @module One datanode as garbage collection sees it: the store, the eras and the collector that ship, run after run. */
import type { Clock, Timer } from '../../src/common/clock.ts';
import { HoldfastError } from '../../src/common/errors.ts';
import type { BlockHash } from '../../src/common/hashing.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { GarbageCollector } from '../../src/datanode/garbage-collector.ts';
import type { References } from '../../src/datanode/references.ts';
import { WriteEras } from '../../src/datanode/write-eras.ts';
import { MemoryBlockStore } from '../../src/storage/memory-block-store.ts';
import type { QuarantineNote } from '../../src/storage/block-info.ts';

/** A question on its way to a metadata node, or its answer on the way back. */
export interface Question {
  readonly hashes: readonly BlockHash[];
  answered: References | undefined;
  readonly reply: PromiseWithResolvers<References>;
}

/** Wall-clock time that only others move, and that may jump. */
export class JumpingClock implements Clock {
  nowMs = 1_700_000_000_000;

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  after(): Timer {
    return { cancel: () => {} };
  }

  every(): Timer {
    return this.after();
  }
}

/** Takes its time for what the collector asks of it, so that others come in between. */
export class SlowBlockStore extends MemoryBlockStore {
  /** Each lets one change go on when called. */
  readonly waiting: (() => void)[] = [];

  override async quarantine(
    hash: BlockHash,
    note: QuarantineNote,
    isStill?: () => boolean,
  ): Promise<boolean> {
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    return super.quarantine(hash, note, isStill);
  }

  override async purge(hash: BlockHash): Promise<boolean> {
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    return super.purge(hash);
  }
}

export class CollectedNode {
  readonly clock: JumpingClock = new JumpingClock();
  /** Survives restarts. */
  readonly blocks: SlowBlockStore = new SlowBlockStore();
  eras: WriteEras = new WriteEras();
  readonly questions: Question[] = [];
  /** Rounds that ended, and steps that failed, of all runs. */
  rounds = 0;
  failures = 0;
  #collector: GarbageCollector = this.#newCollector();
  #run = new AbortController();
  #isStepping = false;

  /** Begins one step of the collector, unless one is under way: it goes on when its question is answered. */
  step(): void {
    if (this.#isStepping) return;
    this.#isStepping = true;
    const { signal } = this.#run;
    this.#collector.work(signal).then(
      (state) => this.#stepped(signal, state === 'idle'),
      () => {
        this.failures += 1;
        this.#stepped(signal, false);
      },
    );
  }

  /** As kill -9: what it knew is gone, what it asked is answered to nobody. */
  restart(): void {
    this.#run.abort();
    for (const question of this.questions.splice(0)) question.reply.reject(unanswered());
    this.blocks.waiting.length = 0;
    this.#run = new AbortController();
    this.#isStepping = false;
    this.eras = new WriteEras();
    this.#collector = this.#newCollector();
  }

  #stepped(signal: AbortSignal, hasEnded: boolean): void {
    if (signal.aborted) return;
    this.#isStepping = false;
    if (hasEnded) this.rounds += 1;
  }

  #newCollector(): GarbageCollector {
    const references = {
      read: (hashes: readonly BlockHash[]): Promise<References> => {
        const question = { hashes, answered: undefined, reply: Promise.withResolvers<References>() };
        this.questions.push(question);
        return question.reply.promise;
      },
    };
    return new GarbageCollector({
      blocks: this.blocks,
      eras: this.eras,
      references,
      spares: { areEnough: async () => false },
      indexer: { announce: async () => true, withdraw: () => {} },
      clock: this.clock,
      logger: silentLogger,
    });
  }
}

export function unanswered(): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_NO_METADATA',
    kind: 'unavailable',
    message: 'No metadata node answers in this model at this moment.',
  });
}
