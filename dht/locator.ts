/** @module Asks the metadata nodes who holds which block: nearest first, in batches, on to the next where nothing is known. */
import { startDeadline } from './deadline.ts';
import { badBatch, describe, lookupIncomplete, noMetadataPeers } from './errors.ts';
import { MAX_BATCH_HASHES, packHashes } from './packed-hashes.ts';
import type { BlockHash, Clock, LocationRpc, Logger, MetadataRing, PeerId } from './ports.ts';
import { HOLDERS_PER_SHARD, shardOfHash } from './shard.ts';

/** A metadata node that has not answered by then is passed over for the rest of the lookup. */
export const LOOKUP_TIMEOUT_MS = 3_000;

export interface LocatorComponents {
  readonly rpc: LocationRpc;
  readonly ring: MetadataRing;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One hash being looked up, through the ring from its nearest member on. */
interface Search {
  readonly hash: BlockHash;
  readonly candidates: readonly PeerId[];
  readonly found: Set<number>;
  /** One of the shard's holders answered, so that finding nothing means something. */
  heardHolder: boolean;
}

export class Locator {
  readonly #components: LocatorComponents;

  constructor(components: LocatorComponents) {
    this.#components = components;
  }

  /**
   * Member numbers of the datanodes that hold each hash, in the order of `hashes`; empty where no metadata node knows any.
   * Answers are hints: a datanode may have lost the block since. Throws DHT_NO_METADATA_PEERS, and DHT_LOOKUP_INCOMPLETE
   * when none of a hash's own holders answered and nobody else knew it.
   */
  async lookup(hashes: readonly BlockHash[], signal?: AbortSignal): Promise<number[][]> {
    if (hashes.length === 0) return [];
    const members = this.#components.ring.all();
    if (members.length === 0) throw noMetadataPeers(`locate ${hashes.length} blocks`);
    const searches = new Map(hashes.map((hash) => [hash, this.#search(hash, members.length)]));
    const failures = new Map<PeerId, unknown>();

    let open = [...searches.values()];
    for (let round = 0; round < members.length && open.length > 0; round++) {
      signal?.throwIfAborted();
      await this.#askRound(open, round, failures, signal);
      open = open.filter((search) => search.found.size === 0);
    }
    const missing = open.filter((search) => !search.heardHolder);
    if (missing.length > 0)
      throw lookupIncomplete(missing.length, [...failures.keys()], [...failures.values()][0]);
    return hashes.map((hash) => [...(searches.get(hash)?.found ?? [])]);
  }

  #search(hash: BlockHash, members: number): Search {
    const candidates = this.#components.ring.closest(shardOfHash(hash), members);
    return { hash, candidates, found: new Set(), heardHolder: false };
  }

  /** Asks each search's candidate number `round`, all peers at once, each peer's batches one after the other. */
  async #askRound(
    open: readonly Search[],
    round: number,
    failures: Map<PeerId, unknown>,
    signal?: AbortSignal,
  ): Promise<void> {
    const byPeer = Map.groupBy(open, (search) => search.candidates[round]);
    await Promise.all(
      [...byPeer].map(async ([peer, searches]) => {
        if (peer === undefined || failures.has(peer)) return;
        try {
          for (let at = 0; at < searches.length; at += MAX_BATCH_HASHES)
            await this.#ask(peer, searches.slice(at, at + MAX_BATCH_HASHES), round, signal);
        } catch (error) {
          signal?.throwIfAborted();
          failures.set(peer, error);
          this.#components.logger.debug('dht.lookup-failed', { peer, reason: describe(error) });
        }
      }),
    );
  }

  async #ask(peer: PeerId, batch: readonly Search[], round: number, signal?: AbortSignal): Promise<void> {
    const { rpc, clock } = this.#components;
    const deadline = startDeadline(clock, LOOKUP_TIMEOUT_MS, `look up blocks at ${peer}`, signal);
    try {
      const request = { hashes: packHashes(batch.map((search) => search.hash)) };
      const { counts, nodes } = await rpc.lookup(peer, request, deadline.signal);
      if (counts.length !== batch.length)
        throw badBatch(`${counts.length} answers to ${batch.length} hashes`, { peer });
      let next = 0;
      batch.forEach((search, index) => {
        const end = next + (counts[index] ?? 0);
        for (const node of nodes.slice(next, end)) search.found.add(node);
        if (round < HOLDERS_PER_SHARD) search.heardHolder = true;
        next = end;
      });
    } finally {
      deadline.release();
    }
  }
}
