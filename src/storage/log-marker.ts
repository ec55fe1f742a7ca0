/** @module The marker beside a Raft log: the last thing this node has acknowledged, outside the files that SQLite recovers. */
import { constants, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, syncDirectory } from './durable-file.ts';
import { corruptMarker } from './errors.ts';
import { decodeMark, encodeMark, type LogStanding, type Mark, type MarkOwner } from './log-mark.ts';

/** Two slots, a page apart, written in turn: a write that is cut short spoils the older one at most. */
const SLOT_COUNT = 2;
const SLOT_DISTANCE_BYTES = 4096;
/** One sector: disks write it whole or not at all. */
const SLOT_SIZE_BYTES = 512;
const FILE_SIZE_BYTES: number = SLOT_COUNT * SLOT_DISTANCE_BYTES;
/** Every so many marks the file is fsynced: 1.6 % more fsyncs than the log alone. */
const MARKS_PER_SYNC = 64;
const FILE_MODE = 0o600;

/** What a Raft log needs of its marker; LogMarker is the one on disk. */
export interface Marker {
  readonly boot: number;
  readonly isCopy: boolean;
  /** `standing` is in the log durably, and is about to be acknowledged. */
  mark(standing: LogStanding): Promise<void>;
  /**
   * Counts the starts of the node from 1; durable before it returns. `standing` is what it found in the log, and acts upon
   * from now on though it may write nothing more: what nobody had marked because the process ended first counts, too.
   */
  beginBoot(standing: LogStanding): Promise<number>;
  /** Makes a copied directory this node's own. */
  adopt(): Promise<void>;
  close(): Promise<void>;
}

/**
 * SQLite recovers a WAL up to the first frame whose checksum fails, so rot in the middle of acknowledged transactions
 * looks to it like the torn tail of one that nobody was told of (S13, S14 of simulations/README.md). The marker tells them apart: it is
 * written after each commit and before the acknowledgement leaves; a log that ends behind it has lost something.
 *
 * It guards against truncation, rot and replacement of the log's files, whatever ends the process. A mark is one write
 * into the page cache of a preallocated file, fsynced when term or vote moved, every 64th mark and at close; an fsync of
 * its own for each would double those of the log. So after a loss of *power* the marker may be up to 63 transactions
 * older than the log, which then may end ahead of it; only power loss and rot of exactly these transactions together
 * would go unnoticed here. The log's own tail record (raft-log-rows.ts) still sees rot that SQLite lets through.
 * It never runs ahead of the log: a mark is written only for what is committed and fsynced.
 */
export class LogMarker implements Marker {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #here: MarkOwner;
  #mark: Mark;
  #unsynced = 0;

  private constructor(path: string, file: FileHandle, here: MarkOwner, mark: Mark) {
    this.#path = path;
    this.#file = file;
    this.#here = here;
    this.#mark = mark;
  }

  /** A new marker; there must be none. Durable when it returns, its name too. */
  static async create(path: string, standing: LogStanding): Promise<LogMarker> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    const file = await open(path, flags, FILE_MODE);
    try {
      await file.write(new Uint8Array(FILE_SIZE_BYTES), 0, FILE_SIZE_BYTES, 0);
      const here = await ownerOf(file);
      const marker = new LogMarker(path, file, here, { count: 0, boot: 0, standing, owner: here });
      await marker.#write({}, { synced: true });
      await syncDirectory(dirname(path));
      return marker;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Undefined where there is none. Throws STORAGE_CORRUPT_LOG when neither slot can be read. */
  static async open(path: string): Promise<LogMarker | undefined> {
    let file: FileHandle;
    try {
      file = await open(path, 'r+');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
    try {
      const mark = await readNewest(file);
      if (mark === undefined) throw corruptMarker(path);
      return new LogMarker(path, file, await ownerOf(file), mark);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get path(): string {
    return this.#path;
  }

  get standing(): LogStanding {
    return this.#mark.standing;
  }

  get boot(): number {
    return this.#mark.boot;
  }

  /**
   * True when this very file was not written by the node but put here: a backup tool, cp, rsync or tar makes a new inode,
   * with a new birth time where the file system keeps one. An image of the whole volume, or a copy written over the old
   * file in place, cannot be seen from within; the peers see it (src/metadata/vouching.ts).
   */
  get isCopy(): boolean {
    const { owner } = this.#mark;
    return owner.inode !== this.#here.inode || owner.bornNs !== this.#here.bornNs;
  }

  async mark(standing: LogStanding): Promise<void> {
    const { term, vote } = this.#mark.standing;
    const isPromise = standing.term !== term || standing.vote !== vote;
    await this.#write({ standing }, { synced: isPromise || this.#unsynced + 1 >= MARKS_PER_SYNC });
  }

  async beginBoot(standing: LogStanding): Promise<number> {
    await this.#write({ standing, boot: this.#mark.boot + 1 }, { synced: true });
    return this.#mark.boot;
  }

  async adopt(): Promise<void> {
    await this.#write({ owner: this.#here }, { synced: true });
  }

  /** fsyncs what is not yet, then closes the file. */
  async close(): Promise<void> {
    try {
      if (this.#unsynced > 0) await this.#file.datasync();
    } finally {
      await this.#file.close();
    }
  }

  async #write(change: Partial<Mark>, { synced }: { readonly synced: boolean }): Promise<void> {
    const next: Mark = { ...this.#mark, ...change, count: this.#mark.count + 1 };
    const slot = encodeMark(next, SLOT_SIZE_BYTES);
    const at = (next.count % SLOT_COUNT) * SLOT_DISTANCE_BYTES;
    // Into the page cache, on this thread, though the kernel may hold the writer up while it writes back much else: every
    // write to the log waits for it, and another thread is the slower way. Measured beside writers of gigabytes: 0.05 ms at
    // the 99th percentile and 16 ms at most; through the thread pool 3.2 and 12 ms, since it queues behind their fsyncs.
    writeAt(this.#file, slot, at);
    // Before the wait: a mark that comes meanwhile follows this one, and is counted.
    this.#mark = next;
    this.#unsynced = synced ? 0 : this.#unsynced + 1;
    if (synced) await this.#file.datasync();
  }
}

function writeAt(file: FileHandle, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(file.fd, bytes, done, bytes.length - done, position + done);
}

async function readNewest(file: FileHandle): Promise<Mark | undefined> {
  const marks: Mark[] = [];
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const bytes = new Uint8Array(SLOT_SIZE_BYTES);
    await file.read(bytes, 0, bytes.length, slot * SLOT_DISTANCE_BYTES);
    const mark = decodeMark(bytes);
    if (mark !== undefined) marks.push(mark);
  }
  return marks.toSorted((a, b) => b.count - a.count)[0];
}

async function ownerOf(file: FileHandle): Promise<MarkOwner> {
  const { ino, birthtimeNs } = await file.stat({ bigint: true });
  return { inode: ino, bornNs: birthtimeNs };
}
