/** @module Where the next blocks of one file go: placements asked for in batches, ahead of need. */
import { type Clock, sleep } from '../common/clock.ts';
import type { Holder } from '../protocol/messages.ts';
import { MEMBERS, PLACE } from '../protocol/methods.ts';
import { notEnoughDatanodes } from './errors.ts';
import type { MemberMap } from './member-map.ts';
import type { MetadataPeers } from './metadata-peers.ts';
import type { NodeStanding } from './node-standing.ts';

export interface BlockPlacerComponents {
  readonly metadata: MetadataPeers;
  readonly members: MemberMap;
  readonly standing: NodeStanding;
  readonly clock: Clock;
  /** This machine: the first copy should be on it. */
  readonly host: string;
}

export interface BlockPlacerOptions {
  /** Copies wanted of each block. */
  readonly copies: number;
  readonly blockSizeBytes: number;
  /** What the file will have, if known: no more placements are asked for than it needs. */
  readonly expectedBytes: number | undefined;
  /** Copies without which a block is not acknowledged; when absent two, or one if the cluster has one datanode. */
  readonly required?: number | undefined;
  /** For placements after the first, in milliseconds; that of MetadataPeers.ask when absent, which is that for the first in any case. */
  readonly patienceMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** Placements of full blocks that one question asks for, at most. */
const BATCH_BLOCKS = 8;
/** Two copies make a block safe enough to acknowledge. */
const SAFE_COPIES = 2;
/** Datanodes may be restarting: a shortage is an error only when it lasts this long, in milliseconds. */
const SHORTAGE_PATIENCE_MS = 5_000;
const SHORTAGE_POLL_MS = 250;

export class BlockPlacer {
  readonly #components: BlockPlacerComponents;
  readonly #options: BlockPlacerOptions;
  #ahead: (readonly Holder[])[] = [];
  #asking: Promise<void> | undefined;
  #placedBytes = 0;
  #hasPlaced = false;
  #batchBlocks = 1;
  #isOnlyDatanode: Promise<boolean> | undefined;

  constructor(components: BlockPlacerComponents, options: BlockPlacerOptions) {
    this.#components = components;
    this.#options = options;
  }

  /**
   * The datanodes for one block, first to last: at most `copies`, at least what requiredCopies() says.
   * Errors: METADATA_NOT_ENOUGH_DATANODES.
   */
  async chain(sizeBytes: number): Promise<readonly Holder[]> {
    const { clock } = this.#components;
    const deadline = clock.monotonicMs() + SHORTAGE_PATIENCE_MS;
    for (;;) {
      const chain = await this.#next(sizeBytes);
      if (chain.length >= Math.min(this.#options.required ?? SAFE_COPIES, this.#options.copies)) return chain;
      const required = await this.requiredCopies();
      if (chain.length >= required) return chain;
      const anybody = await this.#askAnybody(sizeBytes);
      if (anybody.length >= required) return anybody;
      if (clock.monotonicMs() >= deadline) throw notEnoughDatanodes(required, chain.length);
      this.#ahead = [];
      await sleep(clock, SHORTAGE_POLL_MS, this.#options.signal);
    }
  }

  /** Up to `count` further datanodes for a block, none of `exclude`. */
  async replacements(
    sizeBytes: number,
    count: number,
    exclude: readonly number[],
  ): Promise<readonly Holder[]> {
    const [placement = []] = await this.#ask([sizeBytes], count, [
      ...exclude,
      ...this.#components.standing.bad(),
    ]);
    return placement;
  }

  /** How many copies must be acknowledged: two, or one when one is wanted or the cluster has one datanode. */
  async requiredCopies(): Promise<number> {
    if (this.#options.required !== undefined) return this.#options.required;
    if (this.#options.copies < SAFE_COPIES) return this.#options.copies;
    this.#isOnlyDatanode ??= this.#countDatanodes().then((count) => count === 1);
    return (await this.#isOnlyDatanode) ? 1 : SAFE_COPIES;
  }

  async #next(sizeBytes: number): Promise<readonly Holder[]> {
    for (;;) {
      const chain = this.#ahead.shift();
      if (chain !== undefined) {
        if (chain.some(({ node }) => this.#components.standing.isBad(node))) continue;
        return chain;
      }
      if (this.#batchBlocks === 1) {
        this.#batchBlocks = 2;
        return (await this.#askExcludingBad([sizeBytes]))[0] ?? [];
      }
      this.#asking ??= this.#refill(sizeBytes).finally(() => (this.#asking = undefined));
      await this.#asking;
    }
  }

  /** Grows with the file, so that a small one does not reserve room it will not use. */
  async #refill(sizeBytes: number): Promise<void> {
    const { blockSizeBytes, expectedBytes = Number.POSITIVE_INFINITY } = this.#options;
    const left = Math.ceil((expectedBytes - this.#placedBytes) / blockSizeBytes);
    const count = Math.max(1, Math.min(this.#batchBlocks, left));
    this.#batchBlocks = Math.min(BATCH_BLOCKS, this.#batchBlocks * 2);
    const sizes = Array.from({ length: count }, () => (count === 1 ? sizeBytes : blockSizeBytes));
    this.#ahead.push(...(await this.#askExcludingBad(sizes)));
  }

  async #askExcludingBad(sizes: readonly number[]): Promise<readonly (readonly Holder[])[]> {
    this.#placedBytes += sizes.reduce((sum, size) => sum + size, 0);
    const placements = await this.#ask(sizes, this.#options.copies, this.#components.standing.bad());
    return sizes.map((_, position) => placements[position] ?? []);
  }

  /** Also those that were silent lately. */
  async #askAnybody(sizeBytes: number): Promise<readonly Holder[]> {
    const { standing } = this.#components;
    const failing = standing.failing();
    if (failing.length === standing.bad().length) return [];
    return (await this.#ask([sizeBytes], this.#options.copies, failing))[0] ?? [];
  }

  async #ask(
    sizes: readonly number[],
    copies: number,
    exclude: readonly number[],
  ): Promise<readonly (readonly Holder[])[]> {
    const request = { sizes: [...sizes], copies, exclude: [...exclude], nearHost: this.#components.host };
    const { signal } = this.#options;
    const patienceMs = this.#hasPlaced ? this.#options.patienceMs : undefined;
    const answer = await this.#components.metadata.ask(PLACE, request, { signal, patienceMs });
    this.#hasPlaced = true;
    const byNode = new Map(answer.holders.map((holder) => [holder.node, holder]));
    return answer.placements.map(({ nodes }) =>
      nodes.map((node) => byNode.get(node)).filter((holder) => holder !== undefined),
    );
  }

  async #countDatanodes(): Promise<number> {
    const known = this.#components.members.datanodes;
    // That there is one alone is worth a question: fewer copies would do.
    if (known !== undefined && known > 1) return known;
    const { members } = await this.#components.metadata.ask(
      MEMBERS,
      { stale: true },
      { signal: this.#options.signal },
    );
    return members.filter(({ roles, state }) => roles.includes('data') && state !== 'left').length;
  }
}
