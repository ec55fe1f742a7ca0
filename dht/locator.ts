/** @module Asks the metadata nodes who holds which block, and while none of them can tell, the datanodes themselves. */
import { lookupIncomplete } from './errors.ts';
import {
  isUnknown,
  LookupWalk,
  type LookupWalkComponents,
  type OnLookupStep,
  type Search,
  searchFor,
} from './lookup-walk.ts';
import { pause } from './pause.ts';
import type { BlockHash, DatanodeInquiry } from './ports.ts';

/** What is still unknown after this long is asked of the datanodes beside the walk: silent holders must not hold up a reader. */
export const INQUIRE_AFTER_MS = 500;
/** While the index is being rebuilt nobody may know a block yet: it is asked for again, so often and after such pauses. */
export const INCOMPLETE_RETRIES = 8;
export const INCOMPLETE_PAUSE_MS = 250;

export interface LocatorComponents extends LookupWalkComponents {
  /** Asked for what the index does not know yet; without it, the index alone is waited for. */
  readonly inquiry?: DatanodeInquiry | undefined;
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
    const { ring, clock } = this.#components;
    const searches = new Map<BlockHash, Search>();
    let open: readonly BlockHash[] = [...new Set(hashes)];
    for (let retries = 0; ; retries++) {
      const walked = open.map((hash) => searchFor(ring, hash));
      for (const search of walked) searches.set(search.hash, search);
      const failures = await this.#walkHedged(walked, signal, onStep);
      const unknown = walked.filter(isUnknown);
      if (unknown.length === 0) return hashes.map((hash) => [...(searches.get(hash)?.found ?? [])]);
      // Holders that do not answer at all do not become more complete by being asked again at once.
      if (retries === INCOMPLETE_RETRIES || !unknown.some(({ heardHolder }) => heardHolder))
        throw lookupIncomplete(unknown.length, [...failures.keys()], [...failures.values()][0]);
      await pause(clock, INCOMPLETE_PAUSE_MS, signal ?? NEVER);
      open = unknown.map(({ hash }) => hash);
    }
  }

  /** The walk, and beside it the inquiry, or whatever of them was needed. Resolves with who did not answer, and why. */
  async #walkHedged(
    open: readonly Search[],
    signal: AbortSignal = NEVER,
    onStep?: OnLookupStep,
  ): Promise<LookupWalk['failures']> {
    const { inquiry, clock } = this.#components;
    const ended = new AbortController();
    const onAbort = (): void => ended.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const walk = new LookupWalk(this.#components, { signal: ended.signal, onStep });
    const walking = walk.run(open);
    const asking = Promise.race([walk.holdersHeard, pause(clock, INQUIRE_AFTER_MS, ended.signal)]);
    const inquiring = asking.then(() => this.#inquire(open, inquiry, ended.signal));
    const walked = walking.then(() => (open.some(isUnknown) ? inquiring : undefined));
    const inquired = inquiring.then((areAllKnown) => (areAllKnown ? undefined : walking));
    try {
      await Promise.race([walked, inquired]);
      return walk.failures;
    } finally {
      signal.removeEventListener('abort', onAbort);
      ended.abort(DECIDED);
      // Whichever lost ends with the signal, and nobody waits for it.
      await Promise.allSettled([asking, walked, inquired]);
    }
  }

  /** Exactly the blocks that no holder can tell of yet: a datanode's own word is as good as the record of it. True when none is left. */
  async #inquire(
    open: readonly Search[],
    inquiry: DatanodeInquiry | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const unknown = open.filter(isUnknown);
    if (unknown.length === 0) return open.every(({ found }) => found.size > 0);
    if (inquiry === undefined) return false;
    const holders = await inquiry.holders(
      unknown.map(({ hash }) => hash),
      signal,
    );
    for (const { hash, found } of unknown) for (const node of holders.get(hash) ?? []) found.add(node);
    return !open.some(isUnknown);
  }
}

const NEVER = new AbortController().signal;
/** One for all: abort() without a reason makes an error with its trace each time. */
const DECIDED = new Error('the other way was quicker');
