/** @module The blocks of one file, from its last one back to its first: all of them beyond doubt, or a reason why not. */
import type { FoundBlocks, FoundPlace, FoundVersion } from './found-blocks.ts';

export interface ChainBlock {
  /** Hex. */
  readonly hash: string;
  readonly sizeBytes: number;
}

/**
 * `unfinished`: it was being written, or its last block is lost. `block-missing`: no datanode that answers has it.
 * `place-unknown`: the block is there, but not that it belongs there (of alike blocks only so many places are kept).
 * `ambiguous`: what stands before an append could be either of two things. `wrong-size`: the blocks do not add up.
 */
const LOSS_REASONS = ['unfinished', 'block-missing', 'place-unknown', 'ambiguous', 'wrong-size'] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

export interface Loss {
  readonly reason: LossReason;
  /** For people. */
  readonly detail: string;
}

export type ChainOutcome =
  | { readonly blocks: readonly ChainBlock[]; readonly loss?: undefined }
  | { readonly blocks?: undefined; readonly loss: Loss };

export type ChainSource = Pick<FoundBlocks, 'places' | 'writesAt' | 'sizes' | 'version'>;

/** Writes looked at that could have written what stands before an append; as many as that are as good as any. */
const MAX_CANDIDATES = 8;
/** Of one file: an append each, as a rule. */
const MAX_WRITES = 100_000;

type HashesOutcome =
  | { readonly hashes: readonly string[]; readonly loss?: undefined }
  | { readonly hashes?: undefined; readonly loss: Loss };

/** Never guesses: where two answers are possible there is none. */
export class BlockChains {
  readonly #source: ChainSource;

  constructor(source: ChainSource) {
    this.#source = source;
  }

  async blocksOf(version: FoundVersion): Promise<ChainOutcome> {
    const { blockCount, lastHash, sizeBytes, blockSizeBytes } = version;
    if (blockCount === 0) return lost('unfinished', 'its end was not found');
    const walk = new ChainWalk(this.#source);
    const { hashes, loss } = await walk.backFrom(version, blockCount - 1, lastHash);
    if (loss !== undefined) return { loss };
    const sizes = await this.#source.sizes(hashes);
    const blocks: ChainBlock[] = [];
    for (const [position, hash] of hashes.entries()) {
      const size = sizes.get(hash);
      if (size === undefined) return missing(hash, position);
      blocks.push({ hash, sizeBytes: size });
    }
    return checked(blocks, sizeBytes, blockSizeBytes);
  }
}

/** Full blocks first, then shorter ones, and the size that the last block tells. */
function checked(blocks: readonly ChainBlock[], wantedBytes: number, blockSizeBytes: number): ChainOutcome {
  const gotBytes = blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (gotBytes !== wantedBytes)
    return lost('wrong-size', `its blocks have ${gotBytes} bytes, the file had ${wantedBytes}`);
  const firstShort = blocks.findIndex(({ sizeBytes }) => sizeBytes !== blockSizeBytes);
  const isInOrder =
    firstShort === -1 || blocks.slice(firstShort).every(({ sizeBytes }) => sizeBytes < blockSizeBytes);
  return isInOrder ? { blocks } : lost('wrong-size', 'a shorter block stands before a full one');
}

class ChainWalk {
  readonly #source: ChainSource;
  #writes = 0;

  constructor(source: ChainSource) {
    this.#source = source;
  }

  /** Hashes of the file's positions from 0 to `last`, where `hash` stands, as the write had the file before it. */
  async backFrom(version: FoundVersion, last: number, hash: string): Promise<HashesOutcome> {
    this.#writes += 1;
    if (this.#writes > MAX_WRITES)
      return lost('ambiguous', `more than ${MAX_WRITES} writes could be part of it`);
    const places = await this.#source.places(version.write, last);
    const own: string[] = [];
    let expected = hash;
    for (let position = last; position >= version.firstPosition; position -= 1) {
      const place = only(places.get(position));
      if (place?.hash !== expected) return this.#explain(expected, position);
      own.push(expected);
      expected = place.previous;
    }
    own.reverse();
    if (version.firstPosition === 0)
      return expected === '' ? { hashes: own } : lost('ambiguous', 'something stood before its first block');
    const before = await this.#before(version, expected);
    return before.loss === undefined ? { hashes: [...before.hashes, ...own] } : before;
  }

  /** What was in the file before an append: by the writes to the same inode, if any; else all that fit must agree. */
  async #before(version: FoundVersion, hash: string): Promise<HashesOutcome> {
    const position = version.firstPosition - 1;
    const place = { hash, position };
    const options = { except: version.write, limit: MAX_CANDIDATES + 1 };
    const toSameFile =
      version.fileId === 0 ? [] : await this.#source.writesAt(place, { ...options, fileId: version.fileId });
    const candidates =
      toSameFile.length > 0 ? toSameFile : await this.#source.writesAt(place, { ...options, fileId: 0 });
    if (candidates.length === 0) return this.#explain(hash, position);
    if (candidates.length > MAX_CANDIDATES)
      return lost('ambiguous', `more than ${MAX_CANDIDATES} writes have the block at position ${position}`);
    let agreed: HashesOutcome | undefined;
    for (const write of candidates) {
      const candidate = await this.#source.version(write);
      if (candidate === undefined) continue;
      const outcome = await this.backFrom(candidate, position, hash);
      if (outcome.loss !== undefined) return outcome;
      if (agreed?.hashes !== undefined && agreed.hashes.join() !== outcome.hashes.join())
        return lost('ambiguous', `two different beginnings fit before position ${position + 1}`);
      agreed = outcome;
    }
    return agreed ?? this.#explain(hash, position);
  }

  async #explain(hash: string, position: number): Promise<{ readonly loss: Loss }> {
    const sizes = await this.#source.sizes([hash]);
    if (!sizes.has(hash)) return missing(hash, position);
    return lost('place-unknown', `that block ${hash} stands at position ${position} is not kept anywhere`);
  }
}

function only(places: readonly FoundPlace[] | undefined): FoundPlace | undefined {
  return places?.length === 1 ? places[0] : undefined;
}

function missing(hash: string, position: number): { readonly loss: Loss } {
  return lost('block-missing', `block ${hash} (position ${position}) is on no datanode that answers`);
}

function lost(reason: LossReason, detail: string): { readonly loss: Loss } {
  return { loss: { reason, detail } };
}
