/** @module Asks the metadata nodes who holds which block: oneself, then nearest first, in batches, on to the next until one knows everything. */
import { startDeadline } from './deadline.ts';
import { badBatch, describe, lookupIncomplete, noMetadataPeers } from './errors.ts';
import { MAX_BATCH_HASHES, packHashes } from './packed-hashes.ts';
import { pause } from './pause.ts';
import type { BlockHash, Clock, DatanodeInquiry, Logger, LookupRpc, MetadataRing, PeerId } from './ports.ts';
import { HOLDERS_PER_SHARD, shardOfHash } from './shard.ts';

/** A metadata node that has not answered by then is passed over for the rest of the lookup. */
export const LOOKUP_TIMEOUT_MS = 3_000;
/** What is still unknown after this long is asked of the datanodes beside the walk: silent holders must not hold up a reader. */
export const INQUIRE_AFTER_MS = 500;
/** While the index is being rebuilt nobody may know a block yet: it is asked for again, so often and after such pauses. */
export const INCOMPLETE_RETRIES = 8;
export const INCOMPLETE_PAUSE_MS = 250;

export interface LocatorComponents {
  readonly rpc: LookupRpc;
  /** Asked for what the index does not know yet; without it, the index alone is waited for. */
  readonly inquiry?: DatanodeInquiry | undefined;
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

interface Asking {
  readonly signal: AbortSignal | undefined;
  readonly onStep: OnLookupStep | undefined;
  readonly failures: Map<PeerId, unknown>;
}

/** One hash being looked up, through the ring from its nearest member on, or from this very node if it holds the shard. */
interface Search {
  readonly hash: BlockHash;
  readonly candidates: readonly PeerId[];
  readonly found: Set<number>;
  /** A holder answered that knows everything of the shard, so that finding nothing means something. */
  isComplete: boolean;
  /** One of the shard's holders answered. */
  heardHolder: boolean;
}

export class Locator {
  readonly #components: LocatorComponents;

  constructor(components: LocatorComponents) {
    this.#components = components;
  }

  /**
   * Member numbers of the datanodes that hold each hash, in the order of `hashes`; empty where nobody holds it. Answers are
   * hints: a datanode may have lost the block since. Throws DHT_NO_METADATA_PEERS, and DHT_LOOKUP_INCOMPLETE when nothing
   * was found of a hash, neither in the index nor at a datanode, and no holder that knows everything of its shard answered.
   */
  async lookup(
    hashes: readonly BlockHash[],
    signal?: AbortSignal,
    onStep?: OnLookupStep,
  ): Promise<number[][]> {
    if (hashes.length === 0) return [];
    const searches = new Map<BlockHash, Search>();
    let open: Search[] = [...new Set(hashes)].map((hash) => this.#search(hash, hashes.length));
    for (const search of open) searches.set(search.hash, search);
    for (let retries = 0; ; retries++) {
      const failures = new Map<PeerId, unknown>();
      await this.#walkHedged(open, { signal, onStep, failures });
      open = open.filter(isUnknown);
      if (open.length === 0) return hashes.map((hash) => [...(searches.get(hash)?.found ?? [])]);
      // Holders that do not answer at all do not become more complete by being asked again at once.
      if (retries === INCOMPLETE_RETRIES || !open.some(({ heardHolder }) => heardHolder))
        throw lookupIncomplete(open.length, [...failures.keys()], [...failures.values()][0]);
      await pause(this.#components.clock, INCOMPLETE_PAUSE_MS, signal ?? NEVER);
      open = open.map(({ hash }) => this.#search(hash, hashes.length));
      for (const search of open) searches.set(search.hash, search);
    }
  }

  /** The walk, or whatever of it was needed until the datanodes had told the rest. */
  async #walkHedged(open: readonly Search[], asking: Asking): Promise<void> {
    const { inquiry, clock } = this.#components;
    if (inquiry === undefined) return this.#walk(open, asking);
    const { signal = NEVER } = asking;
    const ended = new AbortController();
    const limited = ended.signal;
    const onAbort = (): void => ended.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const walking = this.#walk(open, { ...asking, signal: limited });
    const inquiring = pause(clock, INQUIRE_AFTER_MS, limited)
      .then(() => this.#inquire(open, inquiry, limited))
      .then((areAllKnown) => (areAllKnown ? undefined : walking));
    try {
      await Promise.race([walking, inquiring]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      ended.abort(DECIDED);
      // Whichever lost ends with the signal, and nobody waits for it.
      await Promise.allSettled([walking, inquiring]);
    }
    await this.#inquire(open, inquiry, signal);
  }

  /** Exactly the blocks that no holder can tell of yet: a datanode's own word is as good as the record of it. True when none is left. */
  async #inquire(open: readonly Search[], inquiry: DatanodeInquiry, signal: AbortSignal): Promise<boolean> {
    const unknown = open.filter(isUnknown);
    if (unknown.length === 0) return open.length > 0 && open.every(({ found }) => found.size > 0);
    const holders = await inquiry.holders(
      unknown.map(({ hash }) => hash),
      signal,
    );
    for (const { hash, found } of unknown) for (const node of holders.get(hash) ?? []) found.add(node);
    return !open.some(isUnknown);
  }

  #search(hash: BlockHash, wanted: number): Search {
    const { ring } = this.#components;
    const members = ring.all().length;
    if (members === 0) throw noMetadataPeers(`locate ${wanted} blocks`);
    const candidates = holderFirst(ring.self, ring.closest(shardOfHash(hash), members));
    return { hash, candidates, found: new Set(), isComplete: false, heardHolder: false };
  }

  /** From the nearest candidate on, until a complete one knows the block, or all were asked. */
  async #walk(searches: readonly Search[], asking: Asking): Promise<void> {
    let open = [...searches];
    for (let round = 0; open.length > 0; round++) {
      asking.signal?.throwIfAborted();
      await this.#askRound(open, round, asking);
      open = open.filter(({ found, isComplete, candidates }) => {
        const isKnown = found.size > 0 && (isComplete || round + 1 >= HOLDERS_PER_SHARD);
        return !isKnown && round + 1 < candidates.length;
      });
    }
  }

  /** Asks each search's candidate number `round`, all peers at once, each peer's batches one after the other. */
  async #askRound(open: readonly Search[], round: number, asking: Asking): Promise<void> {
    const { failures, signal } = asking;
    const byPeer = Map.groupBy(open, (search) => search.candidates[round]);
    await Promise.all(
      [...byPeer].map(async ([peer, searches]) => {
        if (peer === undefined || failures.has(peer)) return;
        try {
          for (let at = 0; at < searches.length; at += MAX_BATCH_HASHES)
            await this.#ask(peer, searches.slice(at, at + MAX_BATCH_HASHES), asking);
        } catch (error) {
          signal?.throwIfAborted();
          failures.set(peer, error);
          this.#components.logger.debug('dht.lookup-failed', { peer, reason: describe(error) });
        }
      }),
    );
  }

  async #ask(peer: PeerId, batch: readonly Search[], { signal, onStep }: Asking): Promise<void> {
    const { rpc, clock, ring } = this.#components;
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

/** The holders of a shard know the same: of all messages of a small read, every third is a question to another one than oneself. */
function holderFirst(self: PeerId | undefined, nearest: readonly PeerId[]): readonly PeerId[] {
  const at = self === undefined ? -1 : nearest.indexOf(self);
  if (self === undefined || at < 1 || at >= HOLDERS_PER_SHARD) return nearest;
  return [self, ...nearest.slice(0, at), ...nearest.slice(at + 1)];
}

/** Nothing was found, and nobody who answered knows everything of the shard. */
function isUnknown({ isComplete, found }: Search): boolean {
  return !isComplete && found.size === 0;
}

const NEVER = new AbortController().signal;
/** One for all: abort() without a reason makes an error with its trace each time. */
const DECIDED = new Error('the other way was quicker');

/** Returns how many of the batch this answer found. */
function takeAnswer(
  peer: PeerId,
  batch: readonly Search[],
  {
    counts,
    nodes,
    incomplete,
  }: { counts: readonly number[]; nodes: readonly number[]; incomplete: readonly number[] },
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
