/** @module All that datanodes tell of their blocks, in a SQLite file: there may be far more of it than memory. */
import { fromHex, toHex } from '../../common/bytes.ts';
import type { BackupMark, BlockHere, FileWrite } from '../../protocol/messages.ts';
import { insertRows, selectKeys } from '../../storage/bulk-sql.ts';
import { SqliteConnection } from '../../storage/sqlite.ts';
import type { SqliteOptions } from '../../storage/sqlite-format.ts';
import type { SqlRow, SqlValue } from '../../storage/sql-value.ts';

/** One put or append, as its last block describes it; without an end when that block was not found. */
export interface FoundVersion {
  /** Hex. */
  readonly write: string;
  /** As of the write; only its end where it was too long, then without a slash in front. */
  readonly path: string;
  /** Inode, where it was known when the blocks were written; else 0. */
  readonly fileId: number;
  readonly startedMs: number;
  /** Of its first block: what stands before was in the file already. */
  readonly firstPosition: number;
  readonly blockSizeBytes: number;
  readonly conditional: boolean;
  /** Of the whole file; 0: the end was not found. */
  readonly blockCount: number;
  readonly sizeBytes: number;
  /** 0: not said. */
  readonly mtimeMs: number;
  readonly mode: number | undefined;
  /** Hex. */
  readonly lastHash: string;
  readonly backup: BackupMark | undefined;
}

/** A block's place in what one write wrote. */
export interface FoundPlace {
  /** Hex. */
  readonly hash: string;
  /** Hex; empty before the first block. */
  readonly previous: string;
}

export interface FoundCounts {
  readonly blocks: number;
  readonly bytes: number;
  readonly writes: number;
  /** Blocks that say nothing of what wrote them. */
  readonly silentBlocks: number;
}

const COLUMNS =
  '"write", position, hash, previous, path, file, age, first, block_size, conditional, count, size, mtime, mode, backup';
const FORMAT: SqliteOptions = {
  format: 1,
  schema: [
    'CREATE TABLE block (hash BLOB PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID',
    tableOfNotes('note'),
    tableOfNotes('bad_note'),
    'CREATE INDEX note_by_block ON note (hash, position)',
  ],
};
/** With max() SQLite takes the other columns from the row that has it: the last block, by a good copy if there is one. */
const VERSIONS = `CREATE TABLE version AS SELECT *, max(count * 2 + is_good) FROM
  (SELECT *, 1 AS is_good FROM note UNION ALL SELECT *, 0 FROM bad_note) GROUP BY "write"`;
const VERSION_INDEX = 'CREATE UNIQUE INDEX version_by_path ON version (path, age, "write")';
const PAGE_ROWS = 512;
/** The quarantine of copies that are known to be bad. */
const UNUSABLE = 'corrupt';
const START: readonly SqlValue[] = ['', Number.MIN_SAFE_INTEGER, new Uint8Array()];

/** Order: add()*, seal(), then questions. */
export class FoundBlocks {
  readonly #database: SqliteConnection;

  private constructor(database: SqliteConnection) {
    this.#database = database;
  }

  /** `path`: of a file that is not there yet. */
  static async create(path: string): Promise<FoundBlocks> {
    return new FoundBlocks(await SqliteConnection.open(path, FORMAT));
  }

  get database(): SqliteConnection {
    return this.#database;
  }

  /** A bad copy is no block. What it says is believed for one thing: that something was written, which is then missed. */
  async add(blocks: readonly BlockHere[]): Promise<void> {
    const { good = [], bad = [] } = Object.groupBy(blocks, ({ quarantine }) =>
      quarantine === UNUSABLE ? 'bad' : 'good',
    );
    const held = good.map(({ hash, sizeBytes }) => [hash, sizeBytes]);
    await this.#database.transaction(async (sql) => {
      await insertRows(sql, 'INSERT OR IGNORE INTO block (hash, size)', held);
      await insertRows(sql, `INSERT OR IGNORE INTO note (${COLUMNS})`, good.flatMap(notesOf));
      await insertRows(sql, `INSERT OR IGNORE INTO bad_note (${COLUMNS})`, bad.flatMap(notesOf));
    });
  }

  /** Everything is added. */
  async seal(): Promise<void> {
    await this.#database.run(VERSIONS);
    await this.#database.run(VERSION_INDEX);
  }

  /** All that was written, path by path, of each path the newest first. */
  async *versions(): AsyncGenerator<FoundVersion> {
    const text = `SELECT * FROM version WHERE (path, age, "write") > (?, ?, ?)
      ORDER BY path, age, "write" LIMIT ${PAGE_ROWS}`;
    for (let after = START; ; ) {
      const rows = await this.#database.all(text, after);
      for (const row of rows) yield versionOf(row);
      const last = rows.at(-1);
      if (rows.length < PAGE_ROWS || last === undefined) return;
      after = [last['path'] as string, last['age'] as number, last['write'] as Uint8Array];
    }
  }

  /** Writes of backups that have an end, those of the latest state first. */
  async backups(): Promise<readonly FoundVersion[]> {
    const rows = await this.#database.all('SELECT * FROM version WHERE backup IS NOT NULL AND count > 0');
    return rows
      .map(versionOf)
      .toSorted(
        (a, b) =>
          (b.backup?.timeMs ?? 0) - (a.backup?.timeMs ?? 0) ||
          (b.backup?.index ?? 0) - (a.backup?.index ?? 0),
      );
  }

  async version(write: string): Promise<FoundVersion | undefined> {
    const [row] = await this.#database.all('SELECT * FROM version WHERE "write" = ?', [fromHex(write)]);
    return row && versionOf(row);
  }

  /** Where the blocks of one write stand, at positions up to `last`. */
  async places(write: string, last: number): Promise<ReadonlyMap<number, readonly FoundPlace[]>> {
    const rows = await this.#database.all(
      'SELECT position, hash, previous FROM note WHERE "write" = ? AND position <= ?',
      [fromHex(write), last],
    );
    const places = rows.map((row) => ({
      position: row['position'] as number,
      hash: hexOf(row['hash']),
      previous: hexOf(row['previous']),
    }));
    return Map.groupBy(places, ({ position }) => position);
  }

  /** At most `limit` writes that put this block at this position, other than `except`; those to the file `fileId` alone, unless 0. */
  async writesAt(
    place: { readonly hash: string; readonly position: number },
    { except, fileId, limit }: { readonly except: string; readonly fileId: number; readonly limit: number },
  ): Promise<readonly string[]> {
    const rows = await this.#database.all(
      'SELECT DISTINCT "write" FROM note WHERE hash = ? AND position = ? AND "write" <> ? AND (? = 0 OR file = ?) LIMIT ?',
      [fromHex(place.hash), place.position, fromHex(except), fileId, fileId, limit],
    );
    return rows.map((row) => hexOf(row['write']));
  }

  /** Of those that some datanode has. */
  async sizes(hashes: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const keys = [...new Set(hashes)].map(fromHex);
    const rows = await selectKeys(this.#database, 'SELECT hash, size FROM block WHERE hash', keys);
    return new Map(rows.map((row) => [hexOf(row['hash']), row['size'] as number]));
  }

  async counts(): Promise<FoundCounts> {
    const number = async (text: string): Promise<number> =>
      ((await this.#database.all(text))[0]?.['n'] as number | null) ?? 0;
    return {
      blocks: await number('SELECT count(*) AS n FROM block'),
      bytes: await number('SELECT sum(size) AS n FROM block'),
      writes: await number('SELECT count(*) AS n FROM version'),
      silentBlocks: await number(
        'SELECT count(*) AS n FROM block WHERE NOT EXISTS (SELECT 1 FROM note WHERE note.hash = block.hash)',
      ),
    };
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

function tableOfNotes(name: string): string {
  return `CREATE TABLE ${name} ("write" BLOB NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL, previous BLOB NOT NULL,
    path TEXT NOT NULL, file INTEGER NOT NULL, age INTEGER NOT NULL, first INTEGER NOT NULL, block_size INTEGER NOT NULL,
    conditional INTEGER NOT NULL, count INTEGER NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL, mode INTEGER,
    backup TEXT, PRIMARY KEY ("write", position, hash)) WITHOUT ROWID`;
}

/** What is in quarantine as garbage says nothing of its files, and a block of an old release nothing of its write. */
function notesOf({ hash, fileId, pathHint, position, write, also }: BlockHere): SqlValue[][] {
  return [{ fileId, pathHint, position, write }, ...also].flatMap((note) =>
    note.write === undefined || note.write.id.length === 0
      ? []
      : [noteRow(hash, note.fileId, note.pathHint, note.position, note.write)],
  );
}

function noteRow(
  hash: Uint8Array,
  fileId: number,
  path: string,
  position: number,
  write: FileWrite,
): SqlValue[] {
  const { id, previous, startedMs, firstPosition = 0, blockSizeBytes, conditional = false } = write;
  const { blockCount, sizeBytes, mtimeMs, mode, backup } = write;
  const mark = backup === undefined ? null : JSON.stringify(backup);
  const row: SqlValue[] = [
    id,
    position,
    hash,
    previous,
    path,
    fileId,
    -startedMs,
    firstPosition,
    blockSizeBytes,
  ];
  return row.concat([Number(conditional), blockCount, sizeBytes, mtimeMs, mode ?? null, mark]);
}

function versionOf(row: SqlRow): FoundVersion {
  return {
    write: hexOf(row['write']),
    path: row['path'] as string,
    fileId: row['file'] as number,
    startedMs: -(row['age'] as number),
    firstPosition: row['first'] as number,
    blockSizeBytes: row['block_size'] as number,
    conditional: row['conditional'] === 1,
    blockCount: row['count'] as number,
    sizeBytes: row['size'] as number,
    mtimeMs: row['mtime'] as number,
    mode: (row['mode'] as number | null) ?? undefined,
    lastHash: hexOf(row['hash']),
    backup: row['backup'] === null ? undefined : (JSON.parse(row['backup'] as string) as BackupMark),
  };
}

function hexOf(value: SqlValue | undefined): string {
  return toHex(value as Uint8Array);
}
