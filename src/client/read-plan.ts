/** @module Which blocks a file has and who holds them, page by page, of one version of the file. */
import { isHoldfastError } from '../common/errors.ts';
import type { Stat } from '../namespace/schema.ts';
import type { Holder, LocatedBlock, ReadPlanResponse } from '../protocol/messages.ts';
import { READ_PLAN } from '../protocol/methods.ts';
import type { ReadOptions, StatOptions } from './client-options.ts';
import { fileChanged } from './errors.ts';
import type { GatheredReads } from './gathered-reads.ts';
import type { MetadataPeers } from './metadata-peers.ts';
import { statOf } from './result.ts';

/** A block and the datanodes that are said to hold it. */
export interface PlannedBlock {
  readonly block: LocatedBlock;
  readonly holders: readonly Holder[];
}

export interface ReadPlan {
  readonly stat: Stat;
  /** From the first block asked for to the end of the file. Iterate once. Errors: CLIENT_FILE_CHANGED. */
  readonly blocks: AsyncIterable<PlannedBlock>;
}

/** Who says what a plan is made of: the metadata nodes, or what is remembered of their answers. */
export interface PlanSource {
  stat(path: string, options: StatOptions): Promise<Stat>;
  /** Errors: CLIENT_FILE_CHANGED when a version was asked for that is there no longer. */
  page(page: PageOfFile, options: ReadOptions): Promise<ReadPlanResponse>;
}

/** 2 GiB of blocks of the default size. */
const PAGE_BLOCKS = 256;

/**
 * Plans from a block at or before the one that holds byte `offset`. All blocks of a file have its block size, but for the
 * last, or the last few of one that was appended to.
 */
export async function planRead(
  source: PlanSource,
  path: string,
  offset: number,
  options: ReadOptions,
): Promise<ReadPlan> {
  if (offset === 0) {
    const page = await source.page({ path, inode: 0, version: 0, firstBlock: 0 }, options);
    return { stat: statOf(READ_PLAN.name, page.stat), blocks: follow(source, path, page, options) };
  }
  const stat = await source.stat(path, options);
  const firstBlock = blockBefore(stat, offset);
  const page = await source.page({ path, ...pinOf(stat), firstBlock }, options);
  return { stat, blocks: follow(source, path, page, options) };
}

/** The block at or before byte `offset` whose own offset needs no look: its number times the block size. */
export function blockBefore({ blockSizeBytes, blockCount, tailBlocks }: Stat, offset: number): number {
  return Math.min(Math.floor(offset / Math.max(1, blockSizeBytes)), blockCount - tailBlocks);
}

/** The blocks of one version of a file from `firstBlock` on. Errors: CLIENT_FILE_CHANGED. */
export async function* planBlocks(
  source: PlanSource,
  file: PageOfFile,
  options: ReadOptions,
): AsyncGenerator<PlannedBlock> {
  yield* follow(source, file.path, await source.page(file, options), options);
}

async function* follow(
  source: PlanSource,
  path: string,
  first: ReadPlanResponse,
  options: ReadOptions,
): AsyncGenerator<PlannedBlock> {
  const stat = statOf(READ_PLAN.name, first.stat);
  for (let page = first; ; ) {
    const byNode = new Map(page.holders.map((holder) => [holder.node, holder]));
    for (const block of page.blocks) yield { block, holders: holdersOf(block, byNode) };
    const firstBlock = page.firstBlock + page.blocks.length;
    if (firstBlock >= stat.blockCount || page.blocks.length === 0) return;
    page = await source.page({ path, ...pinOf(stat), firstBlock }, options);
  }
}

/** The holders a block names, as far as they are described. */
export function holdersOf({ nodes }: LocatedBlock, byNode: ReadonlyMap<number, Holder>): readonly Holder[] {
  return nodes.map((node) => byNode.get(node)).filter((holder) => holder !== undefined);
}

export interface PageOfFile {
  readonly path: string;
  readonly inode: number;
  readonly version: number;
  readonly firstBlock: number;
}

export interface MetadataPlansComponents {
  readonly metadata: MetadataPeers;
  readonly reads: GatheredReads;
}

/** Asks the metadata nodes, each time. */
export class MetadataPlans implements PlanSource {
  readonly #components: MetadataPlansComponents;

  constructor(components: MetadataPlansComponents) {
    this.#components = components;
  }

  stat(path: string, options: StatOptions): Promise<Stat> {
    const { stale = false, noFollow = false } = options;
    return this.#components.reads.stat({ path, stale, noFollow }, options);
  }

  async page(page: PageOfFile, options: ReadOptions): Promise<ReadPlanResponse> {
    const isPinned = page.inode !== 0;
    try {
      const request = { ...page, limit: PAGE_BLOCKS, stale: options.stale ?? false };
      const { reads, metadata } = this.#components;
      return await (isPinned ? metadata.ask(READ_PLAN, request, options) : reads.plan(request, options));
    } catch (error) {
      if (isPinned && isHoldfastError(error, 'NAMESPACE_NOT_FOUND', 'NAMESPACE_VERSION_MISMATCH'))
        throw fileChanged(page.path, error);
      throw error;
    }
  }
}

function pinOf({ inode, version }: Stat): { inode: number; version: number } {
  return { inode, version };
}
