/** @module What garbage collection found and did on a datanode, for people. */
import type { CollectionReport } from '../protocol/messages.ts';
import type { References } from './references.ts';

type Counted = 'collectable' | 'young' | 'deleted';

/** Blocks that nobody refers to, as one look through everything found them. */
export interface Survey {
  readonly collectable: { readonly blocks: number; readonly bytes: number };
  /** Written too lately to be collected. */
  readonly young: { readonly blocks: number; readonly bytes: number };
}

/** Adds up one round. */
export class RoundTally {
  readonly #sums: Record<Counted, { blocks: number; bytes: number }> = {
    collectable: { blocks: 0, bytes: 0 },
    young: { blocks: 0, bytes: 0 },
    deleted: { blocks: 0, bytes: 0 },
  };
  released = 0;
  index = 0;
  era = 0;

  add(what: Counted, sizeBytes: number): void {
    this.#sums[what].blocks += 1;
    this.#sums[what].bytes += sizeBytes;
  }

  seen({ index, collection }: References): void {
    this.index = index;
    this.era = collection.era;
  }

  get survey(): Survey {
    return { collectable: this.#sums.collectable, young: this.#sums.young };
  }

  get deleted(): { readonly blocks: number; readonly bytes: number } {
    return this.#sums.deleted;
  }
}

export class CollectionFigures {
  #rounds = 0;
  #roundMs = 0;
  #last = new RoundTally();
  #deletedBlocks = 0;
  #deletedBytes = 0;
  #releasedBlocks = 0;
  #stuck = { code: '', message: '' };

  ended(round: RoundTally, wallMs: number): void {
    this.#rounds += 1;
    this.#roundMs = wallMs;
    this.#stuck = { code: '', message: '' };
    this.#add(round);
  }

  /** The round ended early; what it had done until then is done. */
  failed(round: RoundTally, stuck: { readonly code: string; readonly message: string }): void {
    this.#stuck = stuck;
    this.#add(round);
  }

  report(): Omit<CollectionReport, 'node' | 'quarantinedBlocks' | 'quarantinedBytes' | 'oldestMs'> {
    const { collectable, young } = this.#last.survey;
    return {
      rounds: this.#rounds,
      roundMs: this.#roundMs,
      collectableBlocks: collectable.blocks,
      collectableBytes: collectable.bytes,
      youngBlocks: young.blocks,
      youngBytes: young.bytes,
      deletedBlocks: this.#deletedBlocks,
      deletedBytes: this.#deletedBytes,
      releasedBlocks: this.#releasedBlocks,
      stuck: this.#stuck.code,
      stuckMessage: this.#stuck.message,
      index: this.#last.index,
      era: this.#last.era,
    };
  }

  #add(round: RoundTally): void {
    this.#last = round;
    this.#deletedBlocks += round.deleted.blocks;
    this.#deletedBytes += round.deleted.bytes;
    this.#releasedBlocks += round.released;
  }
}
