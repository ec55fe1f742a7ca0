/** @module The blocks on one simulated disk, as they lie there: outlives the processes, and rots, tears and fills up. */
import { toHex } from '../../src/common/bytes.ts';
import { isHoldfastError } from '../../src/common/errors.ts';
import { type BlockHash, sha256 } from '../../src/common/hashing.ts';
import { decodeTail } from '../../src/storage/block-file.ts';
import type { QuarantinedBlock } from '../../src/storage/block-info.ts';
import type { Prng } from '../prng.ts';
import { SizedBlocks } from './sized-blocks.ts';

/** A block as its file has it: the data, and behind it the tail of block-file.ts. */
export interface StoredBlock {
  readonly sizeBytes: number;
  readonly bytes: Uint8Array;
}

/** A copy out of service, and the decision that put it there. */
interface AsideBlock {
  readonly stored: StoredBlock;
  readonly note: QuarantinedBlock;
}

/** What a disk writes at once, in bytes: of the last write a crash may keep any number of these. */
const SECTOR_SIZES = [512, 4096];

export class BlockPlatter {
  /** In bytes, of the whole disk. */
  #capacityBytes: number;
  /** Told of every copy that is deleted after it was put aside. */
  onDeleted: (copy: QuarantinedBlock) => void = () => {};
  readonly #blocks = new SizedBlocks<StoredBlock>(({ sizeBytes }) => sizeBytes);
  /** Whether they are what their names say, as far as somebody has asked: they are replaced, never changed. */
  readonly #verdicts = new WeakMap<StoredBlock, boolean>();
  /** Copies that a store has put aside. */
  readonly #aside = new SizedBlocks<AsideBlock>(({ stored }) => stored.sizeBytes);
  /** How to undo the changes that were made since the last sync, in their order. */
  #unsynced: (() => void)[] = [];
  /** Blocks under their temporary names, by the number of their writer. */
  readonly #incoming = new Set<number>();
  #writers = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** It never was larger; what lies on it stays. */
  shrinkTo(capacityBytes: number): void {
    this.#capacityBytes = capacityBytes;
  }

  get freeBytes(): number {
    return this.#capacityBytes - this.#blocks.bytes - this.#aside.bytes;
  }

  /** Temporary files, which a store that is at rest has none of. */
  get incomingCount(): number {
    return this.#incoming.size;
  }

  /** How many blocks in service have more than `sizeBytes`. */
  countAbove(sizeBytes: number): number {
    return this.hashes().filter((hash) => (this.get(hash)?.sizeBytes ?? 0) > sizeBytes).length;
  }

  hashes(): readonly BlockHash[] {
    return this.#blocks.hashes();
  }

  get(hash: BlockHash): StoredBlock | undefined {
    return this.#blocks.get(hash);
  }

  /** A copy that was put aside. */
  aside(hash: BlockHash): StoredBlock | undefined {
    return this.#aside.get(hash)?.stored;
  }

  /** Whether there is a copy here that a store can read, and whose bytes are what its name says. */
  isGood(hash: BlockHash): boolean {
    const stored = this.#blocks.get(hash);
    if (stored === undefined) return false;
    const known = this.#verdicts.get(stored);
    if (known !== undefined) return known;
    const verdict = isWhole(hash, stored);
    this.#verdicts.set(stored, verdict);
    return verdict;
  }

  /** Whether a copy in service is not what its name says. */
  get hasRot(): boolean {
    return this.hashes().some((hash) => !this.isGood(hash));
  }

  /** A writer begins a temporary file; returns its number. */
  begin(): number {
    this.#writers += 1;
    this.#incoming.add(this.#writers);
    return this.#writers;
  }

  /** The temporary file is renamed or removed. */
  end(writer: number): void {
    this.#incoming.delete(writer);
  }

  /** As a store does when it opens. */
  dropIncoming(): void {
    this.#incoming.clear();
  }

  quarantined(): readonly QuarantinedBlock[] {
    return this.#aside.all().map(({ note }) => note);
  }

  put(hash: BlockHash, block: StoredBlock): void {
    this.#blocks.set(hash, block);
    this.#unsynced = [];
  }

  remove(hash: BlockHash): void {
    this.#blocks.delete(hash);
    this.#unsynced = [];
  }

  /** False when there is nothing to put aside. A crash before the next sync may undo it. */
  putAside(note: QuarantinedBlock): boolean {
    const stored = this.#blocks.get(note.hash);
    if (stored === undefined) return false;
    this.#blocks.delete(note.hash);
    this.#aside.set(note.hash, { stored, note });
    this.#unsynced.push(() => {
      this.#aside.delete(note.hash);
      this.#blocks.set(note.hash, stored);
    });
    return true;
  }

  /** Puts it back. */
  release(hash: BlockHash): void {
    const aside = this.#aside.get(hash);
    if (aside === undefined) return;
    this.#aside.delete(hash);
    this.put(hash, aside.stored);
  }

  /** Deletes what was put aside. A crash before the next sync may undo it. */
  purge(hash: BlockHash): void {
    const aside = this.#aside.get(hash);
    if (aside === undefined) return;
    this.#aside.delete(hash);
    this.#unsynced.push(() => this.#aside.set(hash, aside));
    this.onDeleted(aside.note);
  }

  /** Of what was not synced, some first part is on the disk nevertheless. */
  crash(random: Prng): void {
    const kept = random.int(this.#unsynced.length + 1);
    for (const undo of this.#unsynced.slice(kept).toReversed()) undo();
    this.#unsynced = [];
  }

  /** The disk is replaced by an empty one. */
  wipe(): void {
    this.#blocks.clear();
    this.#aside.clear();
    this.#incoming.clear();
    this.#unsynced = [];
  }

  /** Flips one bit somewhere in one block. */
  rot(random: Prng): BlockHash | undefined {
    return this.#damage(random, (bytes) => {
      const at = random.int(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
    });
  }

  /**
   * A write went elsewhere than it was meant to: what one copy should have lies over the first sectors of another, and where
   * it should be there is nothing. Returns both; nothing where there are not two.
   */
  misdirect(random: Prng): readonly BlockHash[] {
    const hashes = [...this.hashes()];
    if (hashes.length < 2) return [];
    const [meant] = hashes.splice(random.int(hashes.length), 1);
    const hit = random.pick(hashes);
    if (meant === undefined) return [];
    const sector = random.pick(SECTOR_SIZES);
    const written = this.#blocks.get(meant)?.bytes.subarray(0, sector) ?? new Uint8Array(0);
    this.#change(meant, (bytes) => bytes.fill(0, 0, sector));
    this.#change(hit, (bytes) => bytes.set(written.subarray(0, bytes.length)));
    return [meant, hit];
  }

  /** A disk that lied about a sync lost power: from some sector on there is nothing in one block. */
  tear(random: Prng): BlockHash | undefined {
    return this.#damage(random, (bytes) => {
      const sector = random.pick(SECTOR_SIZES);
      bytes.fill(0, sector * random.int(Math.ceil(bytes.length / sector)));
    });
  }

  #damage(random: Prng, change: (bytes: Uint8Array) => void): BlockHash | undefined {
    if (this.#blocks.count === 0) return undefined;
    const hash = random.pick(this.hashes());
    this.#change(hash, change);
    return hash;
  }

  /** Of a copy, since others may hold the very same bytes in memory. */
  #change(hash: BlockHash, change: (bytes: Uint8Array) => void): void {
    const block = this.#blocks.get(hash);
    if (block === undefined) return;
    const bytes = Uint8Array.from(block.bytes);
    change(bytes);
    this.#blocks.set(hash, { ...block, bytes });
  }
}

function isWhole(hash: BlockHash, { bytes, sizeBytes }: StoredBlock): boolean {
  try {
    decodeTail(hash, sizeBytes, bytes.subarray(sizeBytes));
  } catch (error) {
    if (!isHoldfastError(error, 'STORAGE_CORRUPT_BLOCK')) throw error;
    return false;
  }
  return toHex(sha256(bytes.subarray(0, sizeBytes))) === hash;
}
