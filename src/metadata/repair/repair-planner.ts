/** @module Which copies to make next: the most endangered blocks first, from many sources to many targets. Pure. */
import type { Random } from '../../common/random.ts';
import type { NodePlace } from '../node-place.ts';
import type { PlacementCandidate, PlacementPolicy, PlacementRound } from '../placement.ts';
import { type Copies, copiesLeft } from './copy-census.ts';

/** A block with fewer counted copies than wanted. */
export interface EndangeredBlock extends Copies {
  readonly hash: string;
  readonly sizeBytes: number;
  /** Copies wanted. */
  readonly wanted: number;
  /** Where copies are on their way to. */
  readonly arriving: readonly number[];
  /** Datanodes that a moment ago failed to send or to take it: others first. */
  readonly avoid?: readonly number[];
}

export interface CopyOrder {
  readonly hash: string;
  readonly sizeBytes: number;
  readonly source: number;
  readonly target: number;
}

/** What a datanode is busy with on behalf of repair, on both ends. */
export interface NodeWork {
  readonly copies: number;
  readonly bytes: number;
}

export interface RepairState {
  readonly blocks: readonly EndangeredBlock[];
  /** Datanodes that may take copies. */
  readonly candidates: readonly PlacementCandidate[];
  readonly place: (node: number) => NodePlace;
  readonly sending: ReadonlyMap<number, NodeWork>;
  readonly receiving: ReadonlyMap<number, NodeWork>;
}

/** Bounds of what one datanode sends, and what one receives, at once. A block larger than `bytes` goes alone. */
export interface RepairLimits {
  readonly copies: number;
  readonly bytes: number;
}

/**
 * Why a block gets no copy now. `no-copy`: nobody has a readable one. `no-target`: no further datanode lives and has room.
 * `busy` passes by itself. `copy-failed`: the last attempt to copy it did, and it is tried again, with others where there are.
 */
export type StuckReason = 'no-copy' | 'no-target' | 'busy' | 'copy-failed';

export interface RepairPlan {
  /** In order of danger. */
  readonly orders: readonly CopyOrder[];
  readonly stuck: readonly { readonly block: EndangeredBlock; readonly reason: StuckReason }[];
}

const IDLE: NodeWork = { copies: 0, bytes: 0 };

/**
 * A block's rank is the number of copies that it has or is about to have, on leaving datanodes too: a block with one copy
 * gets its second before any block gets its third. At equal rank the order of `blocks` holds.
 */
export function planRepairs(
  state: RepairState,
  limits: RepairLimits,
  policy: PlacementPolicy,
  random: Random,
): RepairPlan {
  const planning = new Planning(state, limits, policy, random);
  const byRank: EndangeredBlock[][] = [];
  for (const block of state.blocks) (byRank[rankOf(block)] ??= []).push(block);
  const orders: CopyOrder[] = [];
  const stuck: RepairPlan['stuck'][number][] = [];
  for (let rank = 0; rank < byRank.length; rank += 1)
    for (const block of byRank[rank] ?? []) {
      if (missing(block) <= 0) continue;
      const next = planning.orderFor(block);
      if (typeof next === 'string') {
        stuck.push({ block, reason: next });
        continue;
      }
      orders.push(next);
      const helped = { ...block, arriving: [...block.arriving, next.target] };
      if (missing(helped) > 0) (byRank[rank + 1] ??= []).push(helped);
    }
  return { orders, stuck };
}

/** Copies that are wanted, neither there nor on their way. */
export function missing({ wanted, good, arriving }: EndangeredBlock): number {
  return wanted - good.length - arriving.filter((node) => !good.includes(node)).length;
}

function rankOf(block: EndangeredBlock): number {
  return copiesLeft(block) + block.arriving.length;
}

class Planning {
  readonly #state: RepairState;
  readonly #limits: RepairLimits;
  readonly #round: PlacementRound;
  readonly #random: Random;
  readonly #sending: Map<number, NodeWork>;
  readonly #receiving: Map<number, NodeWork>;

  constructor(state: RepairState, limits: RepairLimits, policy: PlacementPolicy, random: Random) {
    this.#state = state;
    this.#limits = limits;
    this.#round = policy.round(state.candidates, random);
    this.#random = random;
    this.#sending = new Map(state.sending);
    this.#receiving = new Map(state.receiving);
  }

  orderFor(block: EndangeredBlock): CopyOrder | StuckReason {
    const { hash, sizeBytes } = block;
    const holders = [...block.good, ...block.leaving];
    if (holders.length === 0) return 'no-copy';
    const proven = holders.filter((node) => !block.avoid?.includes(node));
    const source = this.#leastBusy(proven.length > 0 ? proven : holders, sizeBytes);
    if (source === undefined) return 'busy';
    const target = this.#target(block);
    if (typeof target === 'string') return target;
    this.#take(this.#sending, source, sizeBytes);
    this.#take(this.#receiving, target.node, sizeBytes);
    this.#round.use(target, sizeBytes);
    return { hash, sizeBytes, source, target: target.node };
  }

  #target({ good, leaving, arriving, avoid, sizeBytes }: EndangeredBlock): PlacementCandidate | StuckReason {
    const isFree = (node: number): boolean =>
      !good.includes(node) && !leaving.includes(node) && !arriving.includes(node);
    const hasTime = (node: number): boolean =>
      isFree(node) && !avoid?.includes(node) && this.#hasTime(this.#receiving, node, sizeBytes);
    const held = [...good, ...arriving].map(this.#state.place);
    const target = this.#round.farthest(held, sizeBytes, hasTime);
    return target ?? (this.#round.hasRoom(sizeBytes, isFree) ? 'busy' : 'no-target');
  }

  #leastBusy(nodes: readonly number[], sizeBytes: number): number | undefined {
    const idle = nodes.filter((node) => this.#hasTime(this.#sending, node, sizeBytes));
    const work = (node: number): number => (this.#sending.get(node) ?? IDLE).bytes;
    const least = Math.min(...idle.map(work));
    const best = idle.filter((node) => work(node) === least);
    return best.length === 0 ? undefined : best[this.#random.int(best.length)];
  }

  #hasTime(work: ReadonlyMap<number, NodeWork>, node: number, sizeBytes: number): boolean {
    const { copies, bytes } = work.get(node) ?? IDLE;
    return copies === 0 || (copies < this.#limits.copies && bytes + sizeBytes <= this.#limits.bytes);
  }

  #take(work: Map<number, NodeWork>, node: number, sizeBytes: number): void {
    const { copies, bytes } = work.get(node) ?? IDLE;
    work.set(node, { copies: copies + 1, bytes: bytes + sizeBytes });
  }
}
