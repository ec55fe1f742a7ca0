/** @module Shards change hands: the new holder fetches them from those who have them whole, the old ones keep them until then. */
import { startDeadline } from './deadline.ts';
import { badBatch, describe } from './errors.ts';
import { partsOf, prefixOfShard } from './hash-prefix.ts';
import type { LocationTable } from './location-table.ts';
import type { PullResponse } from './messages.ts';
import { PatientTable } from './patient-table.ts';
import { pause } from './pause.ts';
import type { Clock, HandoverRpc, Logger, MetadataRing, PeerId } from './ports.ts';
import { HOLDERS_PER_SHARD } from './shard.ts';
import type { ShardLedger } from './shard-ledger.ts';
import { ShardSet } from './shard-set.ts';

/** A holder that does not answer by then is left out until the next look around. */
export const HOLDINGS_TIMEOUT_MS = 2_000;
export const PULL_TIMEOUT_MS = 10_000;
/** Shards asked for at a time; the answer holds as many as fit. Of most clusters a shard has a handful of blocks, or none. */
export const SHARDS_PER_PULL = 512;
/** Who kept records of an absence takes nothing over before datanodes have had this long to agree with them, in milliseconds: two heartbeats. */
export const COMPARE_FIRST_MS = 6_000;
/** Records taken over in a second, from all holders together: clients come first. */
export const DEFAULT_PULLED_RECORDS_PER_SECOND = 200_000;
/** A shard is cut no finer than so many times; each cut makes sixteen parts. */
const MAX_CUTS = 6;

export interface HandoverComponents {
  readonly rpc: HandoverRpc;
  readonly ring: MetadataRing;
  readonly table: LocationTable;
  readonly ledger: ShardLedger;
  /** Whether this number is, or may yet prove to be, a datanode of the cluster: records of others are not taken over. */
  readonly isDatanode: (node: number) => boolean;
  /** As of the location server. */
  readonly awaited: () => readonly number[];
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface HandoverOptions {
  readonly self: PeerId;
  readonly recordsPerSecond?: number;
}

/** Stateless between two steps but for what the ledger knows, so that it may stop at any point and go on later. */
export class Handover {
  readonly #components: HandoverComponents;
  readonly #options: HandoverOptions;
  readonly #patient: PatientTable;
  #pulled = 0;
  #pullsFromMs = 0;
  /** Failed in the last step: others are tried in this one, and if there are none, the datanodes. */
  #failed = new Set<PeerId>();

  constructor(components: HandoverComponents, options: HandoverOptions) {
    this.#components = components;
    this.#options = options;
    this.#patient = new PatientTable(components.table);
  }

  /** Records taken over since the start. */
  get pulled(): number {
    return this.#pulled;
  }

  /** There are records here that may be good, after all: datanodes are heard about them before anything is taken over. */
  compareFirst(): void {
    this.#pullsFromMs = this.#components.clock.monotonicMs() + COMPARE_FIRST_MS;
  }

  /** One look around, and one batch from each holder that has something for us. */
  async work(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const { ring, table, ledger, clock } = this.#components;
    const isPresent = ring.all().includes(this.#options.self);
    if (!isPresent && this.#pullsFromMs > 0) this.compareFirst();
    const missing = ledger.missing();
    // Whoever is away for a while keeps what it has: it is called back more often than not.
    const leaving = isPresent ? ledger.leaving(table) : [];
    const { epoch } = ring;
    if (epoch === 0 || (missing.length === 0 && leaving.length === 0)) return 'idle';
    if (clock.monotonicMs() < this.#pullsFromMs) {
      ledger.promise([]);
      ledger.settle(this.#components.awaited);
      return 'idle';
    }
    const holdings = await this.#lookAround(signal);
    if (ring.epoch !== epoch) return 'busy';
    this.#release(leaving, holdings);
    const sources = [...holdings].filter(([peer]) => !this.#failed.has(peer));
    const plan = planOf(missing, new Map(sources.map(([peer, { complete }]) => [peer, complete])));
    this.#failed = new Set();
    ledger.promise([...plan.values()].flat());
    ledger.settle(this.#components.awaited);
    const pulls = [...plan].map(([peer, shards]) =>
      this.#pull(peer, shards.slice(0, SHARDS_PER_PULL), signal),
    );
    const moved = await Promise.all(pulls);
    return moved.some((hasMoved) => hasMoved) ? 'busy' : 'idle';
  }

  /** What the others have whole. Who does not answer has nothing. */
  async #lookAround(signal: AbortSignal): Promise<Map<PeerId, { epoch: number; complete: ShardSet }>> {
    const { rpc, ring, clock, logger } = this.#components;
    const holdings = new Map<PeerId, { epoch: number; complete: ShardSet }>();
    const ask = async (peer: PeerId): Promise<void> => {
      const deadline = startDeadline(clock, HOLDINGS_TIMEOUT_MS, `ask ${peer} for its shards`, signal);
      try {
        const answer = await rpc.holdings(peer, { epoch: ring.epoch }, deadline.signal);
        ring.learn(answer.ring);
        holdings.set(peer, { epoch: answer.epoch, complete: ShardSet.decode(answer.complete) });
      } catch (error) {
        signal.throwIfAborted();
        logger.debug('dht.holdings-failed', { peer, reason: describe(error) });
      } finally {
        deadline.release();
      }
    };
    const others = ring.all().filter((peer) => peer !== this.#options.self);
    await Promise.all(others.map(ask));
    return holdings;
  }

  /** Drops what all its holders have whole, as they themselves say under the membership known here. */
  #release(
    leaving: readonly number[],
    holdings: ReadonlyMap<PeerId, { readonly epoch: number; readonly complete: ShardSet }>,
  ): void {
    const { ring, table, ledger, logger } = this.#components;
    let released = 0;
    for (const shard of leaving) {
      const isTaken = ring.closest(shard, HOLDERS_PER_SHARD).every((peer) => {
        const holding = holdings.get(peer);
        return holding?.epoch === ring.epoch && holding.complete.has(shard);
      });
      if (!isTaken) continue;
      table.dropShard(shard);
      ledger.released(shard);
      released++;
    }
    if (released > 0) logger.info('dht.shards-released', { shards: released, epoch: ring.epoch });
  }

  /** False when nothing came. */
  async #pull(peer: PeerId, shards: readonly number[], signal: AbortSignal): Promise<boolean> {
    const { ledger, logger, clock } = this.#components;
    const { recordsPerSecond = DEFAULT_PULLED_RECORDS_PER_SECOND } = this.#options;
    const before = this.#pulled;
    const startMs = clock.monotonicMs();
    try {
      const { losses } = ledger;
      const whole = await this.#fetch(peer, shards.map(prefixOfShard), 0, signal);
      // What was lost meanwhile may be one of these: they are fetched again.
      if (ledger.losses !== losses) return true;
      for (const shard of shards)
        if (whole.has(prefixOfShard(shard)) && ledger.owned.has(shard)) ledger.completed(shard);
      const dueMs = ((this.#pulled - before) * 1000) / recordsPerSecond;
      await pause(clock, Math.max(0, dueMs - (clock.monotonicMs() - startMs)), signal);
      return whole.size > 0;
    } catch (error) {
      signal.throwIfAborted();
      this.#failed.add(peer);
      logger.warn('dht.pull-failed', { peer, shards: shards.length, reason: describe(error) });
      return false;
    }
  }

  /** Takes over what fits of `prefixes` and returns those that are here whole; a part too large for one answer is cut. */
  async #fetch(
    peer: PeerId,
    prefixes: readonly string[],
    cuts: number,
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    const { rpc, ring, clock } = this.#components;
    const deadline = startDeadline(clock, PULL_TIMEOUT_MS, `fetch shards from ${peer}`, signal);
    let answer: PullResponse;
    try {
      answer = await rpc.pull(peer, { epoch: ring.epoch, prefixes: [...prefixes] }, deadline.signal);
    } finally {
      deadline.release();
    }
    const merged = this.#patient.merge(answer, this.#components.isDatanode);
    this.#pulled += typeof merged === 'number' ? merged : await merged;
    const [first] = prefixes;
    if (!answer.tooLarge || first === undefined) {
      const asked = new Set(prefixes);
      return new Set(answer.prefixes.filter((each) => asked.has(each)));
    }
    if (cuts === MAX_CUTS) throw badBatch(`${peer} finds even '${first}' too large`, { peer });
    for (const part of partsOf(first)) await this.#fetch(peer, [part], cuts + 1, signal);
    return new Set([first]);
  }
}

/** Each missing shard from one of those who have it whole, spread evenly over them. */
function planOf(missing: readonly number[], complete: ReadonlyMap<PeerId, ShardSet>): Map<PeerId, number[]> {
  const sources = [...complete].map(([peer, has]) => ({ peer, has, shards: [] as number[] }));
  for (const shard of missing) {
    let least: number[] | undefined;
    for (const { has, shards } of sources)
      if (has.has(shard) && (least === undefined || shards.length < least.length)) least = shards;
    least?.push(shard);
  }
  return new Map(sources.filter(({ shards }) => shards.length > 0).map(({ peer, shards }) => [peer, shards]));
}
