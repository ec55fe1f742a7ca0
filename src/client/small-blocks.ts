/** @module Small blocks of many files on their way together: one request along one chain for all that wait. */
import { NaturalBatches } from '../common/natural-batches.ts';
import { CHAIN_BROKEN } from '../protocol/block-push.ts';
import { MAX_BLOCKS_TOGETHER, MAX_BYTES_TOGETHER, pushBlocks } from '../protocol/blocks-push.ts';
import type { Holder, NodeOutcome, WholeBlock } from '../protocol/messages.ts';
import { BlockPlacer, type BlockPlacerComponents } from './block-placer.ts';
import type { BlockToWrite } from './block-to-write.ts';
import { type ChainComponents, watchChain } from './chain-push.ts';
import { tooManyWaiting } from './errors.ts';

/** Datanodes pack blocks up to this size; larger ones have a file of their own, and travel alone. */
export const MAX_SMALL_BLOCK_BYTES: number = 64 * 1024;

/** Said of a block that is stored, and that the index does not know in time. */
const NOT_ANNOUNCED = 'DATANODE_NOT_ANNOUNCED';

export type SmallBlocksComponents = BlockPlacerComponents & ChainComponents;

/** How many copies, and how many of them are enough. */
export interface CopiesWanted {
  readonly copies: number;
  readonly required: number;
}

/** What became of a block that travelled with others. */
export interface WrittenTogether {
  readonly chain: readonly Holder[];
  /** Whether all of the chain hold it durably and have announced it. */
  readonly isKept: boolean;
  /** Whether one of them has stored it and too few metadata nodes took note: hardly the datanode's fault. */
  readonly isUnheard: boolean;
  /** Those who proved unable to take it. */
  readonly failed: readonly number[];
}

/** Requests under way at once for one number of copies. */
const MAX_REQUESTS_IN_FLIGHT = 4;
const MAX_WAITING = 4_096;
/** Numbers of copies that are batched each for itself; of one more, blocks travel alone. */
const MAX_LANES = 8;
/** What one request may hold on a datanode: room is asked for in steps of this. */
const PLACED_BYTES: number = 256 * 1024;
/** How old a placement may be, in milliseconds: metadata nodes notice within this who has fallen silent or full. */
const PLACEMENT_AGE_MS = 10_000;
/** A datanode too old for this way is not asked again for so long, in milliseconds. */
const OLD_NODE_MS = 60_000;

export class SmallBlocks {
  readonly #components: SmallBlocksComponents;
  readonly #lanes = new Map<string, Lane>();
  /** Datanodes too old for this way, and until when they count as such. Bounded by their number. */
  readonly #oldUntilMs = new Map<number, number>();

  constructor(components: SmallBlocksComponents) {
    this.#components = components;
  }

  /**
   * Unless all of the chain keep it, the block is to be written alone, with all that is done about datanodes that fail;
   * undefined when it was sent to nobody. Errors: METADATA_NOT_ENOUGH_DATANODES, the signal's reason.
   */
  async write(
    block: BlockToWrite,
    wanted: CopiesWanted,
    signal: AbortSignal,
  ): Promise<WrittenTogether | undefined> {
    return this.#lane(wanted)?.ask(block, signal);
  }

  #lane(wanted: CopiesWanted): Lane | undefined {
    const key = `${wanted.copies}/${wanted.required}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined && this.#lanes.size < MAX_LANES) {
      lane = this.#newLane(wanted);
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #newLane(wanted: CopiesWanted): Lane {
    const chains = new FreshChains(this.#components, wanted);
    return new NaturalBatches((blocks, signal) => this.#push(chains, blocks, signal), {
      maxItems: MAX_BLOCKS_TOGETHER,
      maxWeight: MAX_BYTES_TOGETHER,
      weigh: ({ sizeBytes }) => sizeBytes,
      mayShare: (first, block) => first.era === block.era,
      maxFlights: MAX_REQUESTS_IN_FLIGHT,
      maxWaiting: MAX_WAITING,
      overloaded: () => tooManyWaiting('blocks', MAX_WAITING),
    });
  }

  async #push(
    chains: FreshChains,
    blocks: readonly BlockToWrite[],
    signal: AbortSignal | undefined,
  ): Promise<readonly (WrittenTogether | undefined)[]> {
    const chain = await chains.next(blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    if (chain.some(({ node }) => this.#isOld(node))) return blocks.map(() => undefined);
    const whole = blocks.map(wholeBlock);
    const watched = { chain, signal, isWatched: true };
    const { result: outcomes, silent } = await watchChain(this.#components, watched, (until) =>
      pushBlocks(this.#components.network, { blocks: whole, chain, era: blocks[0]?.era ?? 0, signal: until }),
    );
    for (const node of silent) this.#components.standing.silent(node);
    for (const outcome of outcomes ?? []) this.#note(outcome);
    return blocks.map((_block, index) => {
      const failed = (outcomes ?? []).filter((outcome) => !isKept(outcome, index));
      // Each for itself: an answer that names one of them twice is no answer of the other.
      const answered = chain.filter(({ node }) => outcomes?.some((outcome) => outcome.node === node));
      const isWhole = answered.length === chain.length && failed.length === 0;
      const toBlame = failed.filter(({ code }) => code !== CHAIN_BROKEN).map(({ node }) => node);
      const wasUnheard = failed.some((outcome) => isUnheard(outcome, index));
      return { chain, isKept: isWhole, isUnheard: wasUnheard, failed: [...silent, ...toBlame] };
    });
  }

  #note({ node, code }: NodeOutcome): void {
    const { clock, standing } = this.#components;
    if (code === '' || code === CHAIN_BROKEN) return;
    if (code === 'NETWORK_NO_SUCH_METHOD') this.#oldUntilMs.set(node, clock.monotonicMs() + OLD_NODE_MS);
    else standing.unable(node, code);
  }

  #isOld(node: number): boolean {
    const untilMs = this.#oldUntilMs.get(node);
    return untilMs !== undefined && this.#components.clock.monotonicMs() < untilMs;
  }
}

type Lane = NaturalBatches<BlockToWrite, WrittenTogether | undefined>;

/** Chains for one request each, asked for ahead of need and not kept for long. */
class FreshChains {
  readonly #components: SmallBlocksComponents;
  readonly #wanted: CopiesWanted;
  #placer: BlockPlacer | undefined;
  #placedMs = 0;

  constructor(components: SmallBlocksComponents, wanted: CopiesWanted) {
    this.#components = components;
    this.#wanted = wanted;
  }

  next(sizeBytes: number): Promise<readonly Holder[]> {
    const nowMs = this.#components.clock.monotonicMs();
    if (this.#placer === undefined || nowMs - this.#placedMs > PLACEMENT_AGE_MS) {
      this.#placedMs = nowMs;
      this.#placer = new BlockPlacer(this.#components, {
        ...this.#wanted,
        blockSizeBytes: PLACED_BYTES,
        expectedBytes: undefined,
        // Placements are for whoever comes next: that one writer gives up does not end the question.
        signal: new AbortController().signal,
      });
    }
    return this.#placer.chain(sizeBytes);
  }
}

function isKept({ code, failures }: NodeOutcome, index: number): boolean {
  return code === '' && !failures.some((failure) => failure.index === index);
}

function isUnheard({ failures }: NodeOutcome, index: number): boolean {
  return failures.some((failure) => failure.index === index && failure.code === NOT_ANNOUNCED);
}

function wholeBlock({ hash, pieces, fileId, pathHint, position, write }: BlockToWrite): WholeBlock {
  const [only] = pieces;
  const data = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  return { hash, data, note: { fileId, pathHint, position, write } };
}
