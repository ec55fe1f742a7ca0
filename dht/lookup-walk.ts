/** @module One walk through the ring for some blocks: oneself or the nearest holder, the other holders, then everybody, until one knows. */
import { startDeadline } from './deadline.ts';
import { badBatch, describe, noMetadataPeers } from './errors.ts';
import type { LookupResponse } from './messages.ts';
import { MAX_BATCH_HASHES, packHashes } from './packed-hashes.ts';
import type { BlockHash, Clock, Logger, LookupRpc, MetadataRing, PeerId } from './ports.ts';
import { HOLDERS_PER_SHARD, shardOfHash } from './shard.ts';

/** A metadata node that has not answered by then is passed over for the rest of the walk. */
export const LOOKUP_TIMEOUT_MS = 3_000;

export interface LookupWalkComponents {
  readonly rpc: LookupRpc;
  readonly ring: MetadataRing;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What one question and its answer did, for people. */
export interface LookupStep {
  readonly peer: PeerId;
  readonly hashes: number;
  readonly found: number;
  /** The peer knows everything of the first hash's shard. */
  readonly complete: boolean;
  readonly milliseconds: number;
  /** Why there was no answer. */
  readonly failure?: string;
}

/** Is told of every question. */
export type OnLookupStep = (step: LookupStep) => void;

/** One hash being looked up, through the ring from its nearest member on, or from this very node if it holds the shard. */
export interface Search {
  readonly hash: BlockHash;
  readonly candidates: readonly PeerId[];
  readonly found: Set<number>;
  /** A holder answered that knows everything of the shard, so that finding nothing means something. */
  isComplete: boolean;
  /** One of the shard's holders answered. */
  heardHolder: boolean;
}

export interface LookupWalkOptions {
  readonly signal: AbortSignal | undefined;
  readonly onStep: OnLookupStep | undefined;
}

/** Which of its candidates a search asks together: mostly the nearest knows, and else the index is just being sorted out. */
const ROUNDS: readonly (readonly [from: number, to: number])[] = [
  [0, 1],
  [1, HOLDERS_PER_SHARD],
  [HOLDERS_PER_SHARD, Number.POSITIVE_INFINITY],
];

/** Throws DHT_NO_METADATA_PEERS. */
export function searchFor(ring: MetadataRing, hash: BlockHash): Search {
  const members = ring.all().length;
  if (members === 0) throw noMetadataPeers(`locate block ${hash}`);
  const candidates = holderFirst(ring.self, ring.closest(shardOfHash(hash), members));
  return { hash, candidates, found: new Set(), isComplete: false, heardHolder: false };
}

/** The holders of a shard know the same: of all messages of a small read, every third is a question to another one than oneself. */
function holderFirst(self: PeerId | undefined, nearest: readonly PeerId[]): readonly PeerId[] {
  const at = self === undefined ? -1 : nearest.indexOf(self);
  if (self === undefined || at < 1 || at >= HOLDERS_PER_SHARD) return nearest;
  return [self, ...nearest.slice(0, at), ...nearest.slice(at + 1)];
}

/** Nothing was found, and nobody who answered knows everything of the shard. */
export function isUnknown({ isComplete, found }: Search): boolean {
  return !isComplete && found.size === 0;
}

export class LookupWalk {
  readonly #components: LookupWalkComponents;
  readonly #options: LookupWalkOptions;
  readonly #holdersHeard = Promise.withResolvers<void>();
  readonly #failures = new Map<PeerId, unknown>();

  constructor(components: LookupWalkComponents, options: LookupWalkOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Why some did not answer. */
  get failures(): ReadonlyMap<PeerId, unknown> {
    return this.#failures;
  }

  /** Resolves once the holders of each block have answered or failed, or had not to be asked. Others may still be asked then. */
  get holdersHeard(): Promise<void> {
    return this.#holdersHeard.promise;
  }

  /** Fills in what is found of `searches`. Rejects with the signal's reason only. */
  async run(searches: readonly Search[]): Promise<void> {
    let open = searches;
    for (const [from, to] of ROUNDS) {
      if (open.length === 0) break;
      if (from >= HOLDERS_PER_SHARD) this.#holdersHeard.resolve();
      this.#options.signal?.throwIfAborted();
      await this.#askRound(open, from, to);
      // What all holders were asked for is known, though none of them may know everything of its shard.
      open = open.filter(
        ({ found, isComplete }) => found.size === 0 || !(isComplete || to >= HOLDERS_PER_SHARD),
      );
    }
    this.#holdersHeard.resolve();
  }

  /** All peers at once, each peer's batches one after the other. */
  async #askRound(open: readonly Search[], from: number, to: number): Promise<void> {
    const byPeer = new Map<PeerId, Search[]>();
    for (const search of open)
      for (const peer of search.candidates.slice(from, to)) {
        const searches = byPeer.get(peer);
        if (searches === undefined) byPeer.set(peer, [search]);
        else searches.push(search);
      }
    await Promise.all(
      [...byPeer].map(async ([peer, searches]) => {
        if (this.#failures.has(peer)) return;
        try {
          for (let at = 0; at < searches.length; at += MAX_BATCH_HASHES)
            await this.#ask(peer, searches.slice(at, at + MAX_BATCH_HASHES));
        } catch (error) {
          this.#options.signal?.throwIfAborted();
          this.#failures.set(peer, error);
          this.#components.logger.debug('dht.lookup-failed', { peer, reason: describe(error) });
        }
      }),
    );
  }

  async #ask(peer: PeerId, batch: readonly Search[]): Promise<void> {
    const { rpc, clock, ring } = this.#components;
    const { signal, onStep } = this.#options;
    const deadline = startDeadline(clock, LOOKUP_TIMEOUT_MS, `look up blocks at ${peer}`, signal);
    const startMs = clock.monotonicMs();
    const report = (found: number, complete: boolean, failure?: string): void =>
      onStep?.({
        peer,
        hashes: batch.length,
        found,
        complete,
        milliseconds: clock.monotonicMs() - startMs,
        ...(failure === undefined ? {} : { failure }),
      });
    try {
      const request = { hashes: packHashes(batch.map((search) => search.hash)), epoch: ring.epoch };
      const answer = await rpc.lookup(peer, request, deadline.signal);
      ring.learn(answer.ring);
      report(takeAnswer(peer, batch, answer), !answer.incomplete.includes(0));
    } catch (error) {
      report(0, false, describe(error));
      throw error;
    } finally {
      deadline.release();
    }
  }
}

/** Returns how many of the batch this answer found. */
function takeAnswer(
  peer: PeerId,
  batch: readonly Search[],
  { counts, nodes, incomplete }: Pick<LookupResponse, 'counts' | 'nodes' | 'incomplete'>,
): number {
  if (counts.length !== batch.length)
    throw badBatch(`${counts.length} answers to ${batch.length} hashes`, { peer });
  const unsure = new Set(incomplete);
  let next = 0;
  batch.forEach((search, index) => {
    const end = next + (counts[index] ?? 0);
    for (const node of nodes.slice(next, end)) search.found.add(node);
    if (!unsure.has(index)) search.isComplete = true;
    if (search.candidates.indexOf(peer) < HOLDERS_PER_SHARD) search.heardHolder = true;
    next = end;
  });
  return counts.filter((count) => count > 0).length;
}
