/** @module Small blocks, packed into one SQLite file: many writers share one transaction. */
import { fromHex, toHex } from '../common/bytes.ts';
import { isHoldfastError } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import { NaturalBatches } from '../common/natural-batches.ts';
import type { BlockInfo, QuarantinedBlock } from './block-info.ts';
import type { BlockShelf, ShelfWriter } from './block-shelf.ts';
import type { BlockOrigin, NewBlock } from './block-store.ts';
import { selectKeys } from './bulk-sql.ts';
import { corruptBlock, storageBusy } from './errors.ts';
import { giveBackPages } from './free-pages.ts';
import { GroupCommit } from './group-commit.ts';
import { readableOrigin } from './origin-row.ts';
import {
  checkedBlock,
  PACKED_FORMAT,
  type PackedBlock,
  type PackedChange,
  QUARANTINE_TABLE,
  quarantinedBlock,
  statementsOf,
} from './packed-rows.ts';
import type { SqlRow } from './sql-value.ts';
import { isSqliteError } from './sqlite-error.ts';
import { SqliteConnection } from './sqlite.ts';

/** Blocks of one transaction, at most 8 MiB in all. */
const MAX_GROUPED_BLOCKS = 128;
/** More readers than a datanode serves at once. */
const MAX_WAITING_READS = 65_536;
/** Rows of one read while the index is loaded. */
const LOAD_PAGE_ROWS = 4096;

/** Of a row that SQLite finds damaged, or that lies on a sector which the disk cannot read. */
const UNREADABLE = ['SQLITE_CORRUPT', 'SQLITE_IOERR'];

export class PackedBlocks implements BlockShelf {
  readonly #writer: SqliteConnection;
  readonly #reader: SqliteConnection;
  readonly #commits: GroupCommit<PackedChange>;
  readonly #rows: NaturalBatches<BlockHash, SqlRow | undefined>;
  /** Blocks out of service whose rows SQLite cannot read, nor delete: until the next start, which finds them anew. */
  readonly #unreadable = new Set<BlockHash>();

  private constructor(writer: SqliteConnection, reader: SqliteConnection) {
    this.#writer = writer;
    this.#reader = reader;
    this.#commits = new GroupCommit((changes) => this.#write(changes), {
      path: writer.path,
      maxItems: MAX_GROUPED_BLOCKS,
    });
    this.#rows = new NaturalBatches((hashes) => this.#select(hashes), {
      maxItems: MAX_GROUPED_BLOCKS,
      maxFlights: 1,
      maxWaiting: MAX_WAITING_READS,
      overloaded: () => storageBusy(reader.path, MAX_WAITING_READS),
    });
  }

  static async open(path: string): Promise<PackedBlocks> {
    const writer = await SqliteConnection.open(path, PACKED_FORMAT);
    try {
      await writer.run(QUARANTINE_TABLE);
      return new PackedBlocks(writer, await SqliteConnection.openReader(path));
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  /** Transactions so far, each of them one fsync. */
  get transactionCount(): number {
    return this.#writer.transactionCount;
  }

  /** All blocks, in pages, in hash order. */
  async *list(): AsyncGenerator<BlockInfo> {
    const text = 'SELECT hash, size FROM packed WHERE hash > ? ORDER BY hash LIMIT ?';
    let after: Uint8Array = new Uint8Array();
    for (;;) {
      const rows = await this.#reader.all(text, [after, LOAD_PAGE_ROWS]);
      for (const row of rows) {
        after = row['hash'] as Uint8Array;
        yield { hash: toHex(after), sizeBytes: row['size'] as number };
      }
      if (rows.length < LOAD_PAGE_ROWS) return;
    }
  }

  async *quarantined(): AsyncGenerator<QuarantinedBlock> {
    const text =
      'SELECT hash, size, reason, era, decided, since FROM quarantined WHERE hash > ? ORDER BY hash LIMIT ?';
    let after: Uint8Array = new Uint8Array();
    for (;;) {
      const rows = await this.#reader.all(text, [after, LOAD_PAGE_ROWS]);
      for (const row of rows) {
        after = row['hash'] as Uint8Array;
        yield quarantinedBlock(row);
      }
      if (rows.length < LOAD_PAGE_ROWS) return;
    }
  }

  async begin(block: NewBlock): Promise<ShelfWriter> {
    const parts: Uint8Array[] = [];
    return {
      write: async (bytes) => void parts.push(bytes),
      // Nothing can be durable before it is visible here; a crash leaves the whole row or none.
      finish: async () => {},
      publish: () => this.#insert(block, Buffer.concat(parts)),
      discard: async () => void (parts.length = 0),
    };
  }

  async *read(block: BlockInfo, from: number, to: number): AsyncGenerator<Uint8Array> {
    const { data } = await this.#checked(block.hash);
    if (from < to) yield data.subarray(from, to);
  }

  async origin(block: BlockInfo): Promise<BlockOrigin> {
    return (await this.#checked(block.hash)).origin;
  }

  /** Not checked: the checksum is of the data, too, and that is what is bad of most. */
  async quarantinedOrigin({ hash }: QuarantinedBlock): Promise<BlockOrigin> {
    const text = 'SELECT origin FROM quarantined WHERE hash = ?';
    const [row] = await readable(hash, () => this.#reader.all(text, [fromHex(hash)]));
    const origin = row && readableOrigin(row['origin'] as Uint8Array);
    if (origin === undefined) throw corruptBlock(hash, 'what its row says of its file is no more to be read');
    return origin;
  }

  async quarantine(block: QuarantinedBlock): Promise<boolean> {
    if (!(await this.#canMove(block.hash))) return false;
    await this.#commits.add({ kind: 'quarantine', block });
    return true;
  }

  release(block: QuarantinedBlock): Promise<void> {
    return this.#commits.add({ kind: 'release', block });
  }

  purge(block: QuarantinedBlock): Promise<void> {
    return this.#commits.add({ kind: 'purge', block });
  }

  reclaim(): Promise<boolean> {
    return giveBackPages(this.#writer);
  }

  remove(block: BlockInfo): Promise<void> {
    return this.#commits.add({ kind: 'remove', hash: block.hash });
  }

  async close(): Promise<void> {
    await this.#commits.idle();
    await this.#reader.close();
    await this.#writer.close();
  }

  /** OR IGNORE would say nothing of a row that is in the way, and the block would count as stored. */
  async #insert(block: NewBlock, data: Uint8Array): Promise<void> {
    if (this.#unreadable.has(block.hash))
      throw corruptBlock(block.hash, 'its row can be neither read nor replaced');
    await this.#commits.add({ kind: 'insert', block, data });
  }

  /** Asked first: a row that cannot be read would fail all the changes that share its transaction. */
  async #canMove(hash: BlockHash): Promise<boolean> {
    try {
      return (await this.#row(hash)) !== undefined;
    } catch (error) {
      if (!isHoldfastError(error, 'STORAGE_CORRUPT_BLOCK')) throw error;
      this.#unreadable.add(hash);
      return false;
    }
  }

  async #checked(hash: BlockHash): Promise<PackedBlock> {
    const row = await this.#row(hash);
    if (row === undefined) throw corruptBlock(hash, 'its row is gone');
    return checkedBlock(hash, row);
  }

  #row(hash: BlockHash): Promise<SqlRow | undefined> {
    return readable(hash, () => this.#rows.ask(hash));
  }

  /** Those asked for at once with one statement; where one of them cannot be read, each for itself. */
  async #select(hashes: readonly BlockHash[]): Promise<(SqlRow | undefined | Promise<SqlRow | undefined>)[]> {
    const read = (keys: readonly BlockHash[]): Promise<SqlRow[]> =>
      selectKeys(this.#reader, 'SELECT hash, crc, origin, data FROM packed WHERE hash', keys.map(fromHex));
    try {
      const found = await read([...new Set(hashes)]);
      const byHash = new Map(found.map((row) => [toHex(row['hash'] as Uint8Array), row]));
      return hashes.map((hash) => byHash.get(hash));
    } catch (error) {
      if (hashes.length === 1) throw error;
      return hashes.map((hash) => read([hash]).then(([row]) => row));
    }
  }

  /** The order of changes to one hash does not matter: the store never has two under way. */
  async #write(changes: readonly PackedChange[]): Promise<void> {
    await this.#writer.writeTogether(statementsOf(changes));
  }
}

/** STORAGE_CORRUPT_BLOCK where rot, or a sector that cannot be read, keeps SQLite from reading it: the disk may otherwise be well. */
async function readable<Read>(hash: BlockHash, read: () => Promise<Read>): Promise<Read> {
  try {
    return await read();
  } catch (error) {
    if (UNREADABLE.some((code) => isSqliteError(error, code)))
      throw corruptBlock(hash, 'its row cannot be read', error);
    throw error;
  }
}
