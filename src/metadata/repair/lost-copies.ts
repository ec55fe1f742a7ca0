/**
 * @module Single copies that are gone while their datanode lives: rotten, deleted by hand, lost with a file. Their blocks are
 * looked at as soon as the index hears of it, before any walk comes by, and each is named in the log until it is well again.
 */
import { shardOfHash } from '../../../dht/shard.ts';
import type { BlockHash } from '../../common/hashing.ts';
import type { Logger } from '../../common/logger.ts';
import type { StateMachine } from '../../namespace/state-machine.ts';
import type { AtRiskBlocks } from './at-risk-blocks.ts';
import type { BlockExaminer } from './block-examiner.ts';
import type { KeeperView } from './keeper-view.ts';
import type { ShardIndex } from './shard-index.ts';

export interface LostCopiesComponents {
  readonly machine: StateMachine;
  readonly keeper: KeeperView;
  readonly index: ShardIndex;
  readonly examiner: BlockExaminer;
  readonly atRisk: AtRiskBlocks;
  readonly logger: Logger;
}

/** Not looked at yet, and looked at but not well again, each. What does not fit is found by the next walk. */
const MAX_LOST_COPIES = 10_000;
/** Blocks asked of the namespace at once. */
const PAGE_BLOCKS = 512;

export class LostCopies {
  readonly #components: LostCopiesComponents;
  readonly #news = new Set<BlockHash>();
  /** Those found short, until they are not. */
  readonly #short = new Set<BlockHash>();

  constructor(components: LostCopiesComponents) {
    this.#components = components;
  }

  get isBusy(): boolean {
    return this.#news.size > 0;
  }

  /** A datanode has `hash` no longer. Also told of copies that were too many, and of garbage. */
  note(hash: BlockHash): void {
    if (this.#news.size < MAX_LOST_COPIES) this.#news.add(hash);
  }

  /** Looks at a page of what was noted; what misses a copy is at risk from here on. */
  async look(): Promise<void> {
    const { machine, keeper, index, examiner, logger } = this.#components;
    await this.#letGoOfHealed();
    const hashes = [...this.#news].slice(0, PAGE_BLOCKS);
    for (const hash of hashes) this.#news.delete(hash);
    const kept = hashes.filter((hash) => keeper.keeps(hash) && index.isComplete(shardOfHash(hash)));
    if (kept.length === 0) return;
    const examined = await examiner.examine(await machine.wantedBlocks(kept), 0);
    for (const { hash, good, leaving, copies } of examined) {
      if (good.length >= copies) continue;
      if (this.#short.size < MAX_LOST_COPIES) this.#short.add(hash);
      logger.warn('repair.copy-lost', { hash, left: good.length + leaving.length, wanted: copies });
    }
  }

  async #letGoOfHealed(): Promise<void> {
    const { atRisk, index, logger } = this.#components;
    for (const hash of this.#short) {
      if (atRisk.get(hash) !== undefined) continue;
      this.#short.delete(hash);
      // Also when its file was removed, or its shard is another keeper's by now: neither is at risk here any more.
      const [nodes = []] = await index.holders([hash]);
      logger.info('repair.copy-made-up-for', { hash, nodes });
    }
  }
}
