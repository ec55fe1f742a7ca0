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
import { zoneOf } from '../node-place.ts';
import type { PlacementCandidate } from '../placement.ts';
import type { AtRiskBlocks } from './at-risk-blocks.ts';
import { planBalance, type Transfer } from './balance-planner.ts';
import type { BlockExaminer, ExaminedBlock } from './block-examiner.ts';
import type { CopyRunner } from './copy-runner.ts';
import type { KeeperView } from './keeper-view.ts';
import { nodeFills, placesOf } from './node-places.ts';
import type { ShardIndex } from './shard-index.ts';
import { type Move, MoveFinder } from './move-finder.ts';
import { betterSpread, type Holding, isSpreadOut, mostDispensable } from './spread.ts';
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

/** What the look at one block needs to know of the datanodes. */
interface BalanceView {
  readonly atMs: number;
  readonly holding: (node: number) => Holding;
  readonly candidates: readonly PlacementCandidate[];
  /** Of the candidates. */
  readonly zones: ReadonlySet<string>;
}

const IDLE_MS = 1_000;
const VIEW_MS = 1_000;
/** Moves found and not begun, at most. */
const MAX_MOVES = 256;
/** Moves begun and not ended, at most. */
const MAX_ON_THEIR_WAY = 4;
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
  readonly #finder: MoveFinder;

  constructor(components: BalanceWorkerComponents) {
    this.#components = components;
    this.#finder = new MoveFinder(components);
  }

  progress(): string {
    const waiting = [...this.#moves.values()].map(({ sizeBytes: bytes }) => ({ bytes }));
    const left = [...this.#transfers, ...waiting].reduce((sum, { bytes }) => sum + bytes, 0);
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
    if (isSpreadOut(holdings, view.zones)) return;
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
    if (signal.aborted || atRisk.isUrgent(clock.monotonicMs())) {
      moves.callOff(() => false);
      return 'idle';
    }
    if (this.#moves.size === 0) await this.#refill(clock.monotonicMs());
    const [move] = this.#moves.values();
    if (move === undefined) return 'idle';
    if (moves.orders.length >= MAX_ON_THEIR_WAY) {
      // Datanodes that serve clients send one after the other: more would only wait until they count as failed.
      await moves.oneEnds(IDLE_MS, signal);
      return 'busy';
    }
    this.#moves.delete(move.hash);
    const [nodes] = await index.holders([move.hash]);
    if (nodes?.includes(move.target)) return 'busy';
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

  async #moved({ hash, source, target }: Move): Promise<void> {
    const { surplus, index } = this.#components;
    const [nodes] = await index.holders([hash]);
    if (nodes?.includes(target)) surplus.offer(hash, source);
  }

  /** This keeper's part of the next plan, and blocks for it. */
  async #refill(nowMs: number): Promise<void> {
    const { states } = this.#components;
    if (this.#transfers.length === 0) {
      if (nowMs < this.#settledMs) return;
      this.#transfers = this.#plan();
      if (this.#transfers.length === 0) return;
    }
    const transfers = this.#transfers;
    this.#transfers = [];
    const found: (readonly Move[])[] = [];
    // With nothing else to move, it would find these again at once, and again, until their copies have ended.
    const taken = new Set<BlockHash>(this.#components.moves.orders.map(({ hash }) => hash));
    for (const transfer of transfers) {
      const moves = await this.#finder.find(transfer, Math.ceil(MAX_MOVES / transfers.length), taken);
      for (const { hash } of moves) taken.add(hash);
      const bytes = transfer.bytes - moves.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      if (moves.length > 0 && bytes >= LEAST_TRANSFER_BYTES) this.#transfers.push({ ...transfer, bytes });
      found.push(moves);
    }
    // By turns: one source after the other would leave all the others idle.
    const most = Math.max(...found.map((moves) => moves.length));
    for (let turn = 0; turn < most; turn += 1)
      for (const moves of found) {
        const move = moves[turn];
        if (move !== undefined) this.#moves.set(move.hash, move);
      }
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
    const candidates = this.#components.states.candidates();
    this.#view = {
      atMs: nowMs,
      holding: (node) => ({ ...place(node), fill: fills.get(node) ?? 0 }),
      candidates,
      zones: new Set(candidates.map(zoneOf)),
    };
    return this.#view;
  }
}
