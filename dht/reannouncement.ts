/** @module Tells one holder again what this datanode holds of its shards: after it restarted, or when shards became its. */
import { describe } from './errors.ts';
import { Gate } from './gate.ts';
import { BACKOFF_MAX_MS, type HolderLane } from './holder-lane.ts';
import type { BlockHash, Clock, Logger, MetadataRing, PeerId } from './ports.ts';
import { HOLDERS_PER_SHARD, shardOfHash } from './shard.ts';

/** So many withdrawals during one pass and it starts anew rather than remember more. */
export const MAX_WITHDRAWN_IN_PASS = 1_000_000;

export interface ReannouncementComponents {
  readonly lane: HolderLane;
  readonly ring: MetadataRing;
  /** Every block held, listed anew each call. */
  readonly held: () => AsyncIterable<BlockHash>;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Scope = 'everything' | ReadonlySet<number>;

/** Passes over the held blocks, one at a time, each no faster than the holder takes the records. */
export class Reannouncement {
  readonly #components: ReannouncementComponents;
  readonly #peer: PeerId;
  readonly #retry = new Gate();
  /** Withdrawn since the pass began: the listing under way may still name them. */
  readonly #withdrawn = new Set<BlockHash>();
  #wanted: Scope | undefined;
  #restart = false;
  #stopped = false;
  #active = false;
  #running: Promise<void> | undefined;

  constructor(components: ReannouncementComponents, peer: PeerId) {
    this.#components = components;
    this.#peer = peer;
  }

  /** Asks for a pass over `scope`; a pass under way is followed by another. */
  want(scope: Scope): void {
    if (this.#stopped) return;
    const wanted = this.#wanted ?? new Set<number>();
    this.#wanted =
      scope === 'everything' || wanted === 'everything' ? 'everything' : new Set([...wanted, ...scope]);
    if (this.#active) return;
    this.#active = true;
    this.#running = this.#run();
  }

  /** Must be told of each announcement and withdrawal, before it is sent. */
  note(hash: BlockHash, present: boolean): void {
    if (!this.#active) return;
    if (present) this.#withdrawn.delete(hash);
    else this.#withdrawn.add(hash);
    if (this.#withdrawn.size <= MAX_WITHDRAWN_IN_PASS) return;
    this.#withdrawn.clear();
    this.#restart = true;
  }

  /** The lane must be stopped first: it is what a pass waits for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry.open();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted !== undefined && !this.#stopped) {
      const scope = this.#wanted;
      this.#wanted = undefined;
      try {
        await this.#pass(scope);
      } catch (error) {
        if (this.#stopped) break;
        this.#components.logger.warn('dht.reannounce-failed', { peer: this.#peer, reason: describe(error) });
        this.want(scope);
        await this.#retry.waitAtMost(this.#components.clock, BACKOFF_MAX_MS);
      }
    }
    this.#active = false;
  }

  async #pass(scope: Scope): Promise<void> {
    const { lane, held, logger } = this.#components;
    let records = 0;
    this.#withdrawn.clear();
    this.#restart = false;
    for await (const hash of held()) {
      if (!this.#concerns(hash, scope)) continue;
      while (!lane.hasRoom()) await lane.room();
      if (this.#stopped) return;
      if (this.#restart) return this.want(scope);
      if (this.#withdrawn.has(hash)) continue;
      lane.sendAgain(hash);
      records++;
    }
    if (scope === 'everything') lane.sendReset();
    logger.info('dht.reannounced', { peer: this.#peer, records });
  }

  #concerns(hash: BlockHash, scope: Scope): boolean {
    const shard = shardOfHash(hash);
    if (scope !== 'everything' && !scope.has(shard)) return false;
    return this.#components.ring.closest(shard, HOLDERS_PER_SHARD).includes(this.#peer);
  }
}
