/** @module What one batch names, by shard: counted at once, and sorted only when the counts do not tell enough. */
import { forEachPacked, hashAt } from './packed-hashes.ts';
import { SHARD_COUNT } from './shard.ts';

export class SaidHashes {
  readonly #packed: Uint8Array;
  #counts: Uint16Array | undefined;
  #byShard: ReadonlyMap<number, ReadonlySet<string>> | undefined;

  /** Packed hashes, each once: whoever names one twice is counted wrong, to its own cost alone. */
  constructor(packed: Uint8Array) {
    this.#packed = packed;
  }

  countOf(shard: number): number {
    if (this.#counts === undefined) {
      const counts = new Uint16Array(SHARD_COUNT);
      forEachPacked(this.#packed, (_packed, _offset, of) => (counts[of] = (counts[of] ?? 0) + 1));
      this.#counts = counts;
    }
    return this.#counts[shard] ?? 0;
  }

  has(shard: number, hash: Uint8Array): boolean {
    this.#byShard ??= sorted(this.#packed);
    return this.#byShard.get(shard)?.has(textOf(hash)) === true;
  }
}

/** In one pass: a batch may name hundreds of shards and thousands of hashes. */
function sorted(packed: Uint8Array): ReadonlyMap<number, ReadonlySet<string>> {
  const said = new Map<number, Set<string>>();
  forEachPacked(packed, (view, offset, shard) => {
    let hashes = said.get(shard);
    if (hashes === undefined) said.set(shard, (hashes = new Set()));
    hashes.add(textOf(hashAt(view, offset)));
  });
  return said;
}

function textOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1');
}
