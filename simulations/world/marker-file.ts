/** @module The marker beside a Raft log on a simulated disk: the bytes of the one that ships, in two slots, and its rules. */
import { corruptMarker } from '../../src/storage/errors.ts';
import { decodeMark, encodeMark, type LogStanding, type Mark } from '../../src/storage/log-mark.ts';
import type { Marker } from '../../src/storage/log-marker.ts';
import type { Prng } from '../prng.ts';
import type { DiskQueue } from './disk-queue.ts';

/** As LogMarker has them. */
const SLOT_COUNT = 2;
const SLOT_SIZE_BYTES = 512;
const MARKS_PER_SYNC = 64;
const BITS = 8;
const NOTHING_SAID: LogStanding = { sequence: 0, term: 0, vote: 0, lastIndex: 0, lastTerm: 0 };

/** What is on the disk, and in the page cache over it; outlives the processes. */
export class MarkerFile {
  /** As readers see them; a slot never written is all zeros. */
  #slots: Uint8Array[];
  #synced: Uint8Array[];
  /** Another one for a file that was put there by a copy. */
  #inode: bigint;

  constructor(standing: LogStanding, inode = 1n) {
    this.#inode = inode;
    this.#slots = Array.from({ length: SLOT_COUNT }, () => new Uint8Array(SLOT_SIZE_BYTES));
    this.#synced = [...this.#slots];
    this.write({ count: 0, boot: 0, standing, owner: this.owner });
    this.sync();
  }

  get owner(): Mark['owner'] {
    return { inode: this.#inode, bornNs: 0n };
  }

  write(mark: Mark): void {
    this.#slots[mark.count % SLOT_COUNT] = encodeMark(mark, SLOT_SIZE_BYTES);
  }

  sync(): void {
    this.#synced = [...this.#slots];
  }

  /** Throws STORAGE_CORRUPT_LOG when neither slot can be read. */
  newest(path: string): Mark {
    const marks = this.#slots.map(decodeMark).filter((mark) => mark !== undefined);
    const [newest] = marks.toSorted((a, b) => b.count - a.count);
    if (newest === undefined) throw corruptMarker(path);
    return newest;
  }

  /** Of each slot, what was synced or what was written since: one sector is written whole or not at all. */
  losePower(random: Prng): void {
    this.#slots = this.#slots.map((slot, place) =>
      random.chance(0.5) ? slot : (this.#synced[place] ?? slot),
    );
    this.sync();
  }

  /** One bit of one slot, or of both. */
  rot(random: Prng): void {
    const isBoth = random.chance(0.5);
    const only = random.int(SLOT_COUNT);
    for (const [place, slot] of this.#slots.entries()) {
      if (!isBoth && place !== only) continue;
      const rotten = Uint8Array.from(slot);
      // Within what the checksum covers; the rest is padding.
      const at = random.int(SLOT_SIZE_BYTES / BITS);
      rotten[at] = (rotten[at] ?? 0) ^ (1 << random.int(BITS));
      this.#slots[place] = rotten;
    }
    this.sync();
  }

  clone(options: { readonly asCopy: boolean }): MarkerFile {
    const twin = new MarkerFile(NOTHING_SAID, options.asCopy ? this.#inode + 1n : this.#inode);
    twin.#slots = [...this.#slots];
    twin.sync();
    return twin;
  }
}

/** As one run of a process has it open. Its syncs share the queue, and so the failures, of the log's. */
export class SimulatedMarker implements Marker {
  readonly #file: MarkerFile;
  readonly #queue: DiskQueue;
  #mark: Mark;
  #unsynced = 0;

  /** `mark`: the newest of the file. */
  constructor(file: MarkerFile, queue: DiskQueue, mark: Mark) {
    this.#file = file;
    this.#queue = queue;
    this.#mark = mark;
  }

  get boot(): number {
    return this.#mark.boot;
  }

  get isCopy(): boolean {
    return this.#mark.owner.inode !== this.#file.owner.inode;
  }

  async mark(standing: LogStanding): Promise<void> {
    const { term, vote } = this.#mark.standing;
    const isPromise = standing.term !== term || standing.vote !== vote;
    await this.#write({ standing }, isPromise || this.#unsynced + 1 >= MARKS_PER_SYNC);
  }

  async beginBoot(standing: LogStanding): Promise<number> {
    await this.#write({ standing, boot: this.#mark.boot + 1 }, true);
    return this.#mark.boot;
  }

  adopt(): Promise<void> {
    return this.#write({ owner: this.#file.owner }, true);
  }

  async close(): Promise<void> {
    if (this.#unsynced > 0) await this.#sync();
  }

  async #write(change: Partial<Mark>, isSynced: boolean): Promise<void> {
    this.#mark = { ...this.#mark, ...change, count: this.#mark.count + 1 };
    this.#file.write(this.#mark);
    this.#unsynced += 1;
    if (isSynced) await this.#sync();
  }

  async #sync(): Promise<void> {
    await this.#queue.write(() => this.#file.sync());
    this.#unsynced = 0;
  }
}
