/** @module What a backup of the namespace holds, in tables beside what was found on datanodes. */
import { fromHex, toHex } from '../../common/bytes.ts';
import { sha256Stream } from '../../common/hashing.ts';
import { decodeBackup } from '../../namespace/backup-records.ts';
import { type BackupEntry, type BackupHeader, BackupBlocks, Inode } from '../../namespace/schema.ts';
import { insertRows } from '../../storage/bulk-sql.ts';
import type { SqliteConnection } from '../../storage/sqlite.ts';
import type { SqlValue } from '../../storage/sql-value.ts';
import type { ChainBlock } from './block-chain.ts';

export interface SavedEntry {
  readonly path: string;
  readonly inode: Inode;
  /** Of the hashes of its blocks, in hex: alike for alike content cut alike. */
  readonly digest: string;
}

const TABLES = [
  'CREATE TABLE entry (path TEXT PRIMARY KEY, inode BLOB NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID',
  'CREATE INDEX entry_by_digest ON entry (digest)',
  'CREATE TABLE entry_page (path TEXT NOT NULL, page INTEGER NOT NULL, blocks BLOB NOT NULL, PRIMARY KEY (path, page)) WITHOUT ROWID',
];
const DROP_TABLES = ['DROP TABLE IF EXISTS entry', 'DROP TABLE IF EXISTS entry_page'];
const BATCH_ROWS = 512;
const PAGE_ROWS = 512;

export class BackupEntries {
  readonly #database: SqliteConnection;
  #header: BackupHeader | undefined;
  #openInodes: ReadonlySet<number> = new Set();

  private constructor(database: SqliteConnection) {
    this.#database = database;
  }

  /** Without entries, where there is no backup. */
  static async empty(database: SqliteConnection): Promise<BackupEntries> {
    for (const text of [...DROP_TABLES, ...TABLES]) await database.run(text);
    return new BackupEntries(database);
  }

  /** Takes all of it or, when it is damaged, nothing. Errors: NAMESPACE_BACKUP_DAMAGED, and those of `source`. */
  static async load(database: SqliteConnection, source: AsyncIterable<Uint8Array>): Promise<BackupEntries> {
    const entries = await BackupEntries.empty(database);
    try {
      await entries.#take(source);
      return entries;
    } catch (error) {
      await BackupEntries.empty(database);
      throw error;
    }
  }

  /** Of the state it holds; undefined when there is no backup. */
  get header(): BackupHeader | undefined {
    return this.#header;
  }

  /** Files that were being written then: their writes began before, and may have ended after. */
  isOpen(inode: number): boolean {
    return this.#openInodes.has(inode);
  }

  async at(path: string): Promise<SavedEntry | undefined> {
    const [row] = await this.#database.all('SELECT path, inode, digest FROM entry WHERE path = ?', [path]);
    return row && entryOf(row);
  }

  /** Whether a file of just these blocks stood anywhere. */
  async holds(digest: string): Promise<boolean> {
    const rows = await this.#database.all('SELECT 1 FROM entry WHERE digest = ? LIMIT 1', [fromHex(digest)]);
    return rows.length > 0;
  }

  /** Parents before what is in them. */
  async *all(): AsyncGenerator<SavedEntry> {
    const text = `SELECT path, inode, digest FROM entry WHERE path > ? ORDER BY path LIMIT ${PAGE_ROWS}`;
    for (let after = ''; ; ) {
      const rows = await this.#database.all(text, [after]);
      for (const row of rows) yield entryOf(row);
      if (rows.length < PAGE_ROWS) return;
      after = rows.at(-1)?.['path'] as string;
    }
  }

  async blocksOf(path: string): Promise<readonly ChainBlock[]> {
    const rows = await this.#database.all('SELECT blocks FROM entry_page WHERE path = ? ORDER BY page', [
      path,
    ]);
    return rows.flatMap((row) =>
      BackupBlocks.decode(row['blocks'] as Uint8Array).blocks.map(({ hash, sizeBytes }) => ({
        hash: toHex(hash),
        sizeBytes,
      })),
    );
  }

  async #take(source: AsyncIterable<Uint8Array>): Promise<void> {
    const batch = new Batch(this.#database);
    let current: BackupEntry | undefined;
    let page = 0;
    let digest = sha256Stream();
    const endEntry = async (): Promise<void> => {
      if (current?.inode === undefined) return;
      await batch.entry([current.path, Inode.encode(current.inode).finish(), digest.digest()]);
    };
    for await (const kind of decodeBackup(source)) {
      switch (kind.$case) {
        case 'header':
          this.#header = kind.value;
          break;
        case 'entry':
          await endEntry();
          current = kind.value;
          page = 0;
          digest = sha256Stream();
          break;
        case 'blocks':
          for (const { hash } of kind.value.blocks) digest.update(hash);
          await batch.page([current?.path ?? '', page, BackupBlocks.encode(kind.value).finish()]);
          page += 1;
          break;
        case 'end':
          await endEntry();
          this.#openInodes = new Set(kind.value.openInodes);
      }
    }
    await batch.flush();
  }
}

export function digestOf(blocks: readonly ChainBlock[]): string {
  const digest = sha256Stream();
  for (const { hash } of blocks) digest.update(fromHex(hash));
  return toHex(digest.digest());
}

class Batch {
  readonly #database: SqliteConnection;
  #entries: SqlValue[][] = [];
  #pages: SqlValue[][] = [];

  constructor(database: SqliteConnection) {
    this.#database = database;
  }

  async entry(row: SqlValue[]): Promise<void> {
    this.#entries.push(row);
    if (this.#entries.length >= BATCH_ROWS) await this.flush();
  }

  async page(row: SqlValue[]): Promise<void> {
    this.#pages.push(row);
    if (this.#pages.length >= BATCH_ROWS) await this.flush();
  }

  async flush(): Promise<void> {
    const [entries, pages] = [this.#entries, this.#pages];
    this.#entries = [];
    this.#pages = [];
    await this.#database.transaction(async (sql) => {
      await insertRows(sql, 'INSERT INTO entry (path, inode, digest)', entries);
      await insertRows(sql, 'INSERT INTO entry_page (path, page, blocks)', pages);
    });
  }
}

function entryOf(row: Readonly<Record<string, SqlValue>>): SavedEntry {
  return {
    path: row['path'] as string,
    inode: Inode.decode(row['inode'] as Uint8Array),
    digest: toHex(row['digest'] as Uint8Array),
  };
}
