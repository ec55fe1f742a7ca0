/** @module Moves copies when nothing is at risk: to where they stand further apart, and from full datanodes to empty ones. */
import { SHARD_COUNT } from '../../../dht/shard.ts';
import type { Clock } from '../../common/clock.ts';
import type { BlockHash } from '../../common/hashing.ts';
import type { Logger } from '../../common/logger.ts';
import { Pacer } from '../../common/pacer.ts';
import type { BackgroundWorker, WorkState } from '../../common/worker.ts';
import { DEFAULT_BALANCE_BYTES_PER_SECOND } from '../../namespace/limits.ts';
import type { StateMachine } from '../../namespace/state-machine.ts';
import type { DatanodeRegistry } from '../datanode-registry.ts';
import type { DatanodeStates } from '../datanode-states.ts';
import type { MemberDirectory } from '../member-directory.ts';
import type { PlacementCandidate } from '../placement.ts';
import type { AtRiskBlocks } from './at-risk-blocks.ts';
import { planBalance, type Transfer } from './balance-planner.ts';
import type { BlockExaminer, ExaminedBlock } from './block-examiner.ts';
import type { CopyRunner } from './copy-runner.ts';
import type { KeeperView } from './keeper-view.ts';
import { nodeFills, placesOf } from './node-places.ts';
import type { ShardIndex } from './shard-index.ts';
import { betterSpread, type Holding, keepsSpread, mostDispensable } from './spread.ts';
import type { SurplusWorker } from './surplus-worker.ts';

export interface BalanceWorkerComponents {
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
  readonly keeper: KeeperView;
  readonly index: ShardIndex;
  readonly atRisk: AtRiskBlocks;
  readonly examiner: BlockExaminer;
  /** For moves alone: what is at risk has others. */
  readonly moves: CopyRunner;
  readonly surplus: SurplusWorker;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Move {
  readonly hash: BlockHash;
  readonly sizeBytes: number;
  readonly source: number;
  readonly target: number;
}

/** What the look at one block needs to know of the datanodes. */
interface BalanceView {
  readonly atMs: number;
  readonly holding: (node: number) => Holding;
  readonly candidates: readonly PlacementCandidate[];
}

const IDLE_MS = 1_000;
const VIEW_MS = 1_000;
/** Moves found and not begun, at most. */
const MAX_MOVES = 256;
/** Blocks looked at in one search for something to move. */
const MAX_LOOKED_AT = 4_096;
/** After a plan was carried out it takes so many heartbeats until all the datanodes' figures are new. */
const HEARTBEATS_TO_SETTLE = 3;
/** Smaller transfers are not worth a move. */
const LEAST_TRANSFER_BYTES: number = 1024 * 1024;

/** A move is a copy first; only when it is there the old one is offered as surplus: no moment with fewer copies. */
export class BalanceWorker implements BackgroundWorker {
  readonly name = 'balance';
  readonly isPausable = true;
  readonly idleMs: number = IDLE_MS;
  readonly #components: BalanceWorkerComponents;
  #pacer: { readonly bytesPerSecond: number; readonly pacer: Pacer } | undefined;
  readonly #moves = new Map<BlockHash, Move>();
  #view: BalanceView | undefined;
  /** What this keeper still moves of the last plan. */
  #transfers: Transfer[] = [];
  #settledMs = 0;
  #nextShard = 0;

  constructor(components: BalanceWorkerComponents) {
    this.#components = components;
  }

  progress(): string {
    const left = this.#transfers.reduce((sum, { bytes }) => sum + bytes, 0);
    return left === 0 ? '' : `${left} bytes to move`;
  }

  /** A block as a walk found it: its copies may be too many, or too close to each other. */
  look(block: ExaminedBlock): void {
    const { surplus, states } = this.#components;
    const { hash, copies, good } = block;
    if (good.length < copies) return surplus.forget(hash);
    // Who is silent now may be gone in a moment, or be back with its copy.
    if (!good.every((node) => states.liveness(node) === 'alive')) return;
    const view = this.#currentView();
    const holdings = good.map(view.holding);
    if (good.length > copies) {
      const victim = mostDispensable(holdings);
      if (victim !== undefined) surplus.offer(hash, victim.node);
      return;
    }
    surplus.forget(hash);
    const { sizeBytes } = block;
    const roomy = view.candidates.filter(
      ({ freeBytes, expectedBytes }) => freeBytes - expectedBytes >= sizeBytes,
    );
    const better = betterSpread(holdings, roomy);
    if (better !== undefined && this.#moves.size < MAX_MOVES)
      this.#moves.set(hash, { hash, sizeBytes, source: better.from.node, target: better.to.node });
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { atRisk, moves, index, clock } = this.#components;
    if (signal.aborted || atRisk.size > 0) {
      moves.callOff(() => false);
      return 'idle';
    }
    if (this.#moves.size === 0) await this.#refill(clock.monotonicMs());
    const [move] = this.#moves.values();
    if (move === undefined) return 'idle';
    this.#moves.delete(move.hash);
    if (index.holders([move.hash])[0]?.includes(move.target)) return 'busy';
    await this.#paced(move.sizeBytes, signal);
    moves.start(move, () => this.#moved(move));
    return 'busy';
  }

  async #paced(bytes: number, signal: AbortSignal): Promise<void> {
    const { machine, keeper, clock } = this.#components;
    const wanted = machine.cluster()?.balanceBytesPerSecond ?? DEFAULT_BALANCE_BYTES_PER_SECOND;
    const share = Math.max(1, (wanted * keeper.shards().size) / SHARD_COUNT);
    if (this.#pacer?.bytesPerSecond !== share)
      this.#pacer = { bytesPerSecond: share, pacer: new Pacer({ clock }, { maxBytesPerSecond: share }) };
    await this.#pacer.pacer.spend(bytes, signal);
  }

  #moved({ hash, source, target }: Move): void {
    const { surplus, index } = this.#components;
    if (index.holders([hash])[0]?.includes(target)) surplus.offer(hash, source);
  }

  /** This keeper's part of the next plan, and blocks for it. */
  async #refill(nowMs: number): Promise<void> {
    const { states } = this.#components;
    if (this.#transfers.length === 0) {
      if (nowMs < this.#settledMs) return;
      this.#transfers = this.#plan();
      if (this.#transfers.length === 0) return;
    }
    const [transfer] = this.#transfers as [Transfer];
    const found = await this.#blocksFor(transfer);
    for (const move of found) this.#moves.set(move.hash, move);
    const bytes = transfer.bytes - found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (found.length === 0 || bytes < LEAST_TRANSFER_BYTES) this.#transfers.shift();
    else this.#transfers[0] = { ...transfer, bytes };
    if (this.#transfers.length === 0) this.#settledMs = nowMs + HEARTBEATS_TO_SETTLE * states.periodMs;
  }

  #plan(): Transfer[] {
    const { keeper, logger } = this.#components;
    const share = keeper.shards().size / SHARD_COUNT;
    const transfers = planBalance(nodeFills(this.#components))
      .map((transfer) => ({ ...transfer, bytes: Math.floor(transfer.bytes * share) }))
      .filter(({ bytes }) => bytes >= LEAST_TRANSFER_BYTES);
    if (transfers.length > 0) logger.info('balance.planned', { transfers: transfers.length });
    return transfers;
  }

  /** Blocks on the source that may as well be on the target, up to the transfer's bytes. */
  async #blocksFor({ source, target, bytes }: Transfer): Promise<readonly Move[]> {
    const { index, machine, examiner } = this.#components;
    const place = placesOf(this.#components);
    const hashes = this.#someBlocksOn(source, target);
    const moves: Move[] = [];
    let leftBytes = bytes;
    const holders = new Map(hashes.map((hash) => [hash, index.holders([hash])[0]]));
    for (const { hash, sizeBytes, copies } of await machine.wantedBlocks(hashes)) {
      if (sizeBytes > leftBytes || moves.length >= MAX_MOVES) continue;
      const { good } = examiner.census(hash, holders.get(hash));
      const others = good.filter((node) => node !== source).map(place);
      if (
        good.length !== copies ||
        !good.includes(source) ||
        !keepsSpread(place(source), place(target), others)
      )
        continue;
      moves.push({ hash, sizeBytes, source, target });
      leftBytes -= sizeBytes;
    }
    return moves;
  }

  /** From where the last search ended: not the same blocks to and fro. */
  #someBlocksOn(source: number, target: number): BlockHash[] {
    const { index, keeper } = this.#components;
    const shards = keeper.shards();
    const found: BlockHash[] = [];
    for (let step = 0; step < SHARD_COUNT && found.length < MAX_LOOKED_AT; step += 1) {
      const shard = (this.#nextShard = (this.#nextShard + 1) % SHARD_COUNT);
      if (!shards.has(shard) || !index.isComplete(shard)) continue;
      for (const { hash, nodes } of index.blocks(shard))
        if (nodes.includes(source) && !nodes.includes(target)) found.push(hash);
    }
    return found;
  }

  /** Put together anew once a second: a walk asks for it for every block. */
  #currentView(): BalanceView {
    const nowMs = this.#components.clock.monotonicMs();
    if (this.#view !== undefined && nowMs - this.#view.atMs < VIEW_MS) return this.#view;
    const place = placesOf(this.#components);
    const fills = new Map(
      nodeFills(this.#components).map((each) => [
        each.node,
        each.usedBytes / Math.max(1, each.capacityBytes),
      ]),
    );
    this.#view = {
      atMs: nowMs,
      holding: (node) => ({ ...place(node), fill: fills.get(node) ?? 0 }),
      candidates: this.#components.states.candidates(),
    };
    return this.#view;
  }
}
