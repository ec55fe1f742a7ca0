/**
 * @module Garbage collection on a datanode: what no file refers to is taken out of service, and deleted much later.
 *
 * Each block held here is looked up by its hash in a linearizable read of the namespace; nothing is what is left over from
 * a listing. Any error ends the round. A block is quarantined once nobody can refer to it any more (write-eras.ts), and
 * deleted after a time of grace, two eras later at the earliest, when a further read still says that nobody does: even a
 * copy that was quarantined by mistake is never deleted while it is, or may come to be, wanted. Rounds of any number of
 * datanodes, leaders and readers at once do not disturb each other: all that is shared is the namespace.
 */
import type { Clock } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { BlockInfo, QuarantinedBlock } from '../storage/block-info.ts';
import type { BlockIndexer } from './block-indexer.ts';
import { CollectionFigures, RoundTally, type Survey } from './collection-figures.ts';
import type { ReferenceReader, References } from './references.ts';
import type { SpareCopies } from './spare-copies.ts';
import type { WriteEras } from './write-eras.ts';

export interface GarbageCollectorComponents {
  readonly blocks: BlockStore;
  readonly eras: WriteEras;
  readonly references: ReferenceReader;
  readonly spares: Pick<SpareCopies, 'areEnough'>;
  readonly indexer: Pick<BlockIndexer, 'announce' | 'withdraw'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Blocks of one step: each is a row that a metadata node looks up. */
const PAGE_BLOCKS = 512;
/** Rounds of one era, about. */
const ROUNDS_PER_ERA = 4;
const MIN_IDLE_MS = 50;
/** Before it is known how long an era is. */
const FIRST_IDLE_MS = 5_000;
/** From quarantine to deletion, at least: by then whoever wrote the block before it was quarantined is too late to refer to it. */
const ERAS_IN_QUARANTINE = 2;
/** A copy too many is not kept for an undo, only for a moment in which the others might turn out to be gone. */
const SURPLUS_GRACE_MS = 60_000;

type Phase = 'in-service' | 'quarantined' | 'room';

export class GarbageCollector implements BackgroundWorker {
  readonly name = 'garbage-collection';
  readonly isPausable = true;
  readonly #components: GarbageCollectorComponents;
  readonly #figures = new CollectionFigures();
  #phase: Phase = 'in-service';
  #after: BlockHash | undefined;
  #round = new RoundTally();
  #eraMs = FIRST_IDLE_MS * ROUNDS_PER_ERA;
  #pauseMs = 0;

  constructor(components: GarbageCollectorComponents) {
    this.#components = components;
  }

  get idleMs(): number {
    return Math.max(MIN_IDLE_MS, this.#eraMs / ROUNDS_PER_ERA);
  }

  /** As metadata nodes want it: a round looks up every block that is held here, and all datanodes do the same. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  report(): ReturnType<CollectionFigures['report']> {
    return this.#figures.report();
  }

  /** Looks at one page. A round that fails begins anew, from the first block. */
  async work(signal: AbortSignal): Promise<WorkState> {
    try {
      return await this.#step(signal);
    } catch (error) {
      const code = isHoldfastError(error) ? error.code : 'DATANODE_COLLECTION_FAILED';
      if (!signal.aborted) this.#figures.failed(this.#round, { code, message: describeError(error) });
      this.#begin();
      throw error;
    }
  }

  /** What a round that began now would find; changes nothing. */
  async preview(signal: AbortSignal): Promise<Survey> {
    const { blocks, references, eras } = this.#components;
    const found = new RoundTally();
    for (let after: BlockHash | undefined; ; ) {
      const page = blocks.list(after, PAGE_BLOCKS);
      const answer = await references.read(hashesOf(page), signal);
      for (const { hash, sizeBytes } of unreferenced(page, answer))
        found.add(eras.isSpent(hash, answer.collection.era) ? 'collectable' : 'young', sizeBytes);
      if (page.length < PAGE_BLOCKS) return found.survey;
      after = page.at(-1)?.hash;
    }
  }

  async #step(signal: AbortSignal): Promise<WorkState> {
    const { blocks, clock } = this.#components;
    switch (this.#phase) {
      case 'in-service': {
        const page = blocks.list(this.#after, PAGE_BLOCKS);
        await this.#lookAtServed(page, signal);
        this.#goOn(page, 'quarantined');
        return 'busy';
      }
      case 'quarantined': {
        const page = blocks.quarantined(this.#after, PAGE_BLOCKS);
        if (page.length > 0) await this.#lookAtQuarantined(page, signal);
        this.#goOn(page, 'room');
        return 'busy';
      }
      case 'room':
        if (await blocks.reclaim()) return 'busy';
        this.#figures.ended(this.#round, clock.wallMs());
        this.#begin();
        return 'idle';
    }
  }

  #goOn(page: readonly BlockInfo[], next: Phase): void {
    const isLast = page.length < PAGE_BLOCKS;
    if (isLast) this.#phase = next;
    this.#after = isLast ? undefined : page.at(-1)?.hash;
  }

  #begin(): void {
    this.#phase = 'in-service';
    this.#after = undefined;
    this.#round = new RoundTally();
  }

  async #read(page: readonly BlockInfo[], signal: AbortSignal): Promise<References> {
    const answer = await this.#components.references.read(hashesOf(page), signal);
    this.#components.eras.learn(answer.collection.era);
    this.#eraMs = answer.collection.eraMs;
    this.#pauseMs = answer.pauseMs;
    this.#round.seen(answer);
    return answer;
  }

  async #lookAtServed(page: readonly BlockInfo[], signal: AbortSignal): Promise<void> {
    const answer = await this.#read(page, signal);
    const { era, paused } = answer.collection;
    for (const { hash, sizeBytes } of unreferenced(page, answer)) {
      const isSpent = this.#components.eras.isSpent(hash, era);
      this.#round.add(isSpent ? 'collectable' : 'young', sizeBytes);
      if (isSpent && !paused) await this.#quarantine(hash, answer);
    }
  }

  /** Somebody may be writing the block just now: the store asks again at the moment it goes out of service. */
  async #quarantine(hash: BlockHash, { collection, index }: References): Promise<void> {
    const { blocks, eras, indexer, clock, logger } = this.#components;
    const note = { reason: 'garbage', era: collection.era, index, sinceMs: clock.wallMs() } as const;
    try {
      if (!(await blocks.quarantine(hash, note, () => eras.isSpent(hash, collection.era)))) return;
    } catch (error) {
      // Removed since it was listed.
      if (isHoldfastError(error, 'STORAGE_NO_BLOCK')) return;
      throw error;
    }
    if (!blocks.has(hash)) indexer.withdraw(hash);
    logger.info('datanode.garbage-quarantined', { hash, index, era: collection.era });
  }

  async #lookAtQuarantined(page: readonly QuarantinedBlock[], signal: AbortSignal): Promise<void> {
    const answer = await this.#read(page, signal);
    for (const [position, block] of page.entries()) {
      const copies = answer.copies[position] ?? 0;
      const verdict = await this.#judge(block, copies, answer, signal);
      if (verdict === 'release') await this.#release(block);
      if (verdict === 'delete') await this.#delete(block);
    }
  }

  async #judge(
    block: QuarantinedBlock,
    copies: number,
    { collection }: References,
    signal: AbortSignal,
  ): Promise<'keep' | 'release' | 'delete'> {
    const { blocks, clock, spares } = this.#components;
    const { hash, reason, era, sinceMs } = block;
    // Written anew meanwhile, and not rotten since; of a bad copy somebody may want to see what the disk did.
    if (reason !== 'corrupt' && blocks.has(hash)) return (await blocks.verify(hash)) ? 'delete' : 'keep';
    const ageMs = clock.wallMs() - sinceMs;
    if (copies === 0) {
      if (reason !== 'corrupt' && collection.undoneEra > 0 && era <= collection.undoneEra) return 'release';
      const isOver = collection.era >= era + ERAS_IN_QUARANTINE && ageMs >= collection.graceMs;
      return isOver && !collection.paused ? 'delete' : 'keep';
    }
    if (reason === 'garbage') return 'release';
    const graceMs =
      reason === 'surplus' ? Math.min(SURPLUS_GRACE_MS, collection.graceMs) : collection.graceMs;
    const areEnough = await spares.areEnough(hash, copies, signal);
    if (areEnough) return ageMs >= graceMs ? 'delete' : 'keep';
    // A bad copy of what is missing elsewhere may be all there is left to look at.
    return reason === 'surplus' ? 'release' : 'keep';
  }

  async #release({ hash, sizeBytes, reason }: QuarantinedBlock): Promise<void> {
    const { blocks, indexer, logger } = this.#components;
    if (!(await blocks.release(hash))) return;
    this.#round.released += 1;
    logger.warn('datanode.released', { hash, sizeBytes, reason });
    // Not waited for: it goes on being announced until the index has it.
    void indexer.announce(hash);
  }

  async #delete({ hash, sizeBytes, reason, sinceMs }: QuarantinedBlock): Promise<void> {
    const { blocks, logger } = this.#components;
    if (!(await blocks.purge(hash))) return;
    this.#round.add('deleted', sizeBytes);
    logger.info('datanode.deleted', { hash, sizeBytes, reason, sinceMs });
  }
}

function hashesOf(page: readonly BlockInfo[]): BlockHash[] {
  return page.map(({ hash }) => hash);
}

function unreferenced(page: readonly BlockInfo[], { copies }: References): readonly BlockInfo[] {
  return page.filter((_block, position) => copies[position] === 0);
}
