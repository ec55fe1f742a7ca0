/** @module Small blocks, packed into one SQLite file: many writers share one transaction. */
import { fromHex, toHex } from '../common/bytes.ts';
import { type BlockHash, crc32c } from '../common/hashing.ts';
import { NaturalBatches } from '../common/natural-batches.ts';
import { decodeOrigin, encodeOrigin, readableOrigin } from './origin-row.ts';
import type { BlockShelf, ShelfWriter } from './block-shelf.ts';
import type { BlockOrigin, NewBlock } from './block-store.ts';
import type { BlockInfo } from './block-info.ts';
import { deletions, insertions, selectKeys } from './bulk-sql.ts';
import { corruptBlock, storageBusy } from './errors.ts';
import { giveBackPages } from './free-pages.ts';
import { GroupCommit } from './group-commit.ts';
import type { QuarantinedBlock, QuarantineReason } from './block-info.ts';
import type { SqlStatement } from './sql-script.ts';
import { isSqliteError } from './sqlite-error.ts';
import { SqliteConnection } from './sqlite.ts';
import type { SqliteOptions } from './sqlite-format.ts';
import type { SqlRow } from './sql-value.ts';

/** Blocks of one transaction, at most 8 MiB in all. */
const MAX_GROUPED_BLOCKS = 128;
/**
 * Of so many blocks or fewer one statement is made, and so no transaction around it: a change of thread instead of three. A
 * statement keeps the blocks it wrote last, and one for each number up to MAX_GROUPED_BLOCKS would keep half a gigabyte.
 */
const MAX_BLOCKS_IN_A_STATEMENT = 16;
/** More readers than a datanode serves at once. */
const MAX_WAITING_READS = 65_536;
/** Rows of one read while the index is loaded. */
const LOAD_PAGE_ROWS = 4096;

/** The index holds the sizes too, so that loading it does not read the data. */
const FORMAT: SqliteOptions = {
  format: 1,
  shrinks: true,
  schema: [
    'CREATE TABLE packed (hash BLOB NOT NULL, size INTEGER NOT NULL, crc INTEGER NOT NULL, origin BLOB NOT NULL, data BLOB NOT NULL)',
    'CREATE UNIQUE INDEX packed_by_hash ON packed (hash, size)',
  ],
};

/** Beside the format's own table, since it came later: earlier releases leave it alone. */
const QUARANTINE_TABLE =
  'CREATE TABLE IF NOT EXISTS quarantined (hash BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, crc INTEGER NOT NULL, origin BLOB NOT NULL, data BLOB NOT NULL, reason TEXT NOT NULL, era INTEGER NOT NULL, decided INTEGER NOT NULL, since INTEGER NOT NULL)';
const QUARANTINE =
  'INSERT OR REPLACE INTO quarantined SELECT hash, size, crc, origin, data, ?, ?, ?, ? FROM packed WHERE hash = ?';
const RELEASE =
  'INSERT OR IGNORE INTO packed SELECT hash, size, crc, origin, data FROM quarantined WHERE hash = ?';

type Change =
  | { readonly kind: 'insert'; readonly block: NewBlock; readonly data: Uint8Array }
  | { readonly kind: 'quarantine' | 'release' | 'purge'; readonly block: QuarantinedBlock }
  | { readonly kind: 'remove'; readonly hash: BlockHash };

interface PackedBlock {
  readonly data: Uint8Array;
  readonly origin: BlockOrigin;
}

export class PackedBlocks implements BlockShelf {
  readonly #writer: SqliteConnection;
  readonly #reader: SqliteConnection;
  readonly #commits: GroupCommit<Change>;
  readonly #rows: NaturalBatches<BlockHash, SqlRow | undefined>;

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
    const writer = await SqliteConnection.open(path, FORMAT);
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
      publish: () => this.#commits.add({ kind: 'insert', block, data: Buffer.concat(parts) }),
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
    // Read first: a row that cannot be would fail all the changes that share its transaction.
    if ((await this.#row(block.hash)) === undefined) return false;
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

  async #checked(hash: BlockHash): Promise<PackedBlock> {
    const row = await this.#row(hash);
    if (row === undefined) throw corruptBlock(hash, 'its row is gone');
    const data = row['data'] as Uint8Array;
    const origin = row['origin'] as Uint8Array;
    if (packedCrc(fromHex(hash), origin, data) !== row['crc'])
      throw corruptBlock(hash, 'its row has a bad checksum');
    return { data, origin: decodeOrigin(origin) };
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
  async #write(changes: readonly Change[]): Promise<void> {
    const removed: Uint8Array[] = [];
    const purged: Uint8Array[] = [];
    const inserted: (number | Uint8Array)[][] = [];
    const moved: SqlStatement[] = [];
    for (const change of changes) {
      const hash = fromHex(change.kind === 'remove' ? change.hash : change.block.hash);
      if (change.kind === 'insert') inserted.push(packedRow(change.block, change.data));
      if (change.kind === 'quarantine') {
        const { reason, era, index, sinceMs } = change.block;
        moved.push({ text: QUARANTINE, values: [reason, era, index, sinceMs, hash] });
      }
      if (change.kind === 'release') moved.push({ text: RELEASE, values: [hash] });
      if (change.kind === 'remove' || change.kind === 'quarantine') removed.push(hash);
      if (change.kind === 'release' || change.kind === 'purge') purged.push(hash);
    }
    await this.#writer.writeTogether([
      ...moved,
      ...deletions('DELETE FROM packed WHERE hash', removed),
      ...deletions('DELETE FROM quarantined WHERE hash', purged),
      ...insertions('INSERT OR IGNORE INTO packed (hash, size, crc, origin, data)', inserted, {
        together: MAX_BLOCKS_IN_A_STATEMENT,
      }),
    ]);
  }
}

/** STORAGE_CORRUPT_BLOCK where rot keeps SQLite from reading it. */
async function readable<Read>(hash: BlockHash, read: () => Promise<Read>): Promise<Read> {
  try {
    return await read();
  } catch (error) {
    if (isSqliteError(error, 'SQLITE_CORRUPT')) throw corruptBlock(hash, 'its row cannot be read', error);
    throw error;
  }
}

function quarantinedBlock(row: SqlRow): QuarantinedBlock {
  return {
    hash: toHex(row['hash'] as Uint8Array),
    sizeBytes: row['size'] as number,
    reason: row['reason'] as QuarantineReason,
    era: row['era'] as number,
    index: row['decided'] as number,
    sinceMs: row['since'] as number,
  };
}

function packedRow(block: NewBlock, data: Uint8Array): (number | Uint8Array)[] {
  const hash = fromHex(block.hash);
  const origin = encodeOrigin(block.origin);
  return [hash, block.sizeBytes, packedCrc(hash, origin, data), origin, data];
}

function packedCrc(hash: Uint8Array, origin: Uint8Array, data: Uint8Array): number {
  return crc32c(data, crc32c(origin, crc32c(hash)));
}
