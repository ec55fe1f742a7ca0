/** @module Walks over all blocks, a page a step, and counts the copies that are wanted but not there. */
import type { Locator } from '../../dht/locator.ts';
import type { Clock } from '../common/clock.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { BadCopies } from './bad-copies.ts';
import type { DatanodeStates } from './datanode-states.ts';

export interface AtRiskComponents {
  readonly machine: StateMachine;
  readonly locator: Locator;
  readonly states: DatanodeStates;
  readonly badCopies: BadCopies;
  readonly clock: Clock;
}

export interface AtRiskFigures {
  /** Sum over blocks of size times missing copies. */
  readonly bytesUnderReplicated: number;
  readonly blocksUnderReplicated: number;
  /** Blocks without any live holder. */
  readonly blocksMissing: number;
  /** False until one walk over all blocks has ended. */
  readonly atRiskComplete: boolean;
}

/** What only one node has. */
export interface SoleCopies {
  readonly blocks: number;
  readonly bytes: number;
}

const PAGE_BLOCKS = 256;
/** Pause between two walks, in milliseconds. */
const IDLE_MS = 5_000;
/** A metadata node that just started waits for two heartbeats before it believes that a datanode is missing. */
const SETTLE_MS = 6_000;
const NOTHING = { bytesUnderReplicated: 0, blocksUnderReplicated: 0, blocksMissing: 0 };

export class AtRiskWorker implements BackgroundWorker {
  readonly name = 'at-risk-scan';
  readonly idleMs: number = IDLE_MS;
  readonly #components: AtRiskComponents;
  readonly #startMs: number;
  #figures: AtRiskFigures = { ...NOTHING, atRiskComplete: false };
  #walk = { ...NOTHING };
  #sole: ReadonlyMap<number, SoleCopies> = new Map();
  #walkSole = new Map<number, SoleCopies>();
  #after = '';

  constructor(components: AtRiskComponents) {
    this.#components = components;
    this.#startMs = components.clock.monotonicMs();
  }

  /** Of the last complete walk. */
  figures(): AtRiskFigures {
    return this.#figures;
  }

  /** Blocks whose only living copy is on `node`, as of the last complete walk. */
  soleCopies(node: number): SoleCopies {
    return this.#sole.get(node) ?? { blocks: 0, bytes: 0 };
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { machine, locator, clock } = this.#components;
    if (clock.monotonicMs() - this.#startMs < SETTLE_MS) return 'idle';
    const page = await machine.scanBlocks(this.#after, PAGE_BLOCKS);
    const nodes = await locator.lookup(
      page.map(({ hash }) => hash),
      signal,
    );
    page.forEach((block, position) => this.#count(block, nodes[position] ?? []));
    const last = page[page.length - 1];
    if (last !== undefined && page.length === PAGE_BLOCKS) {
      this.#after = last.hash;
      return 'busy';
    }
    this.#figures = { ...this.#walk, atRiskComplete: true };
    this.#walk = { ...NOTHING };
    this.#sole = this.#walkSole;
    this.#walkSole = new Map();
    this.#after = '';
    return 'idle';
  }

  #count(block: { hash: string; sizeBytes: number; copies: number }, nodes: readonly number[]): void {
    const { states, badCopies } = this.#components;
    const holders = nodes.filter((node) => states.isLive(node) && !badCopies.isBad(block.hash, node));
    const live = holders.length;
    const [only] = holders;
    if (live === 1 && only !== undefined) this.#countSole(only, block.sizeBytes);
    if (live === 0) this.#walk.blocksMissing += 1;
    if (live >= block.copies) return;
    this.#walk.blocksUnderReplicated += 1;
    this.#walk.bytesUnderReplicated += block.sizeBytes * (block.copies - live);
  }

  #countSole(node: number, sizeBytes: number): void {
    const { blocks, bytes } = this.#walkSole.get(node) ?? { blocks: 0, bytes: 0 };
    this.#walkSole.set(node, { blocks: blocks + 1, bytes: bytes + sizeBytes });
  }
}
