/** @module What a backup of the namespace holds, in tables beside what was found on datanodes. */
import { fromHex, toHex } from '../../common/bytes.ts';
import { sha256Stream } from '../../common/hashing.ts';
import { decodeBackup } from '../../namespace/backup-records.ts';
import { ROOT_INODE } from '../../namespace/limits.ts';
import { BackupBlocks, type BackupHeader, Inode } from '../../namespace/schema.ts';
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
  `CREATE TABLE node (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name TEXT NOT NULL, inode BLOB NOT NULL, digest BLOB NOT NULL)`,
  'CREATE TABLE node_page (id INTEGER NOT NULL, page INTEGER NOT NULL, blocks BLOB NOT NULL, PRIMARY KEY (id, page)) WITHOUT ROWID',
  'CREATE TABLE entry (path TEXT PRIMARY KEY, inode BLOB NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID',
];
/** What hangs below a removed directory has no way to the root, and is not in the tree. */
const TREE = [
  'CREATE INDEX node_by_parent ON node (parent)',
  `INSERT INTO entry WITH RECURSIVE tree (id, path) AS (SELECT ${ROOT_INODE}, '/' UNION ALL
     SELECT node.id, CASE tree.path WHEN '/' THEN '/' ELSE tree.path || '/' END || node.name
     FROM node JOIN tree ON node.parent = tree.id)
   SELECT tree.path, node.inode, node.digest FROM tree JOIN node ON node.id = tree.id`,
  'CREATE INDEX entry_by_digest ON entry (digest)',
];
const DROP_TABLES = ['node', 'node_page', 'entry'].map((table) => `DROP TABLE IF EXISTS ${table}`);
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

  /** In the order of their paths. */
  async *all(): AsyncGenerator<SavedEntry> {
    const text = `SELECT path, inode, digest FROM entry WHERE path > ? ORDER BY path LIMIT ${PAGE_ROWS}`;
    for (let after = ''; ; ) {
      const rows = await this.#database.all(text, [after]);
      for (const row of rows) yield entryOf(row);
      if (rows.length < PAGE_ROWS) return;
      after = rows.at(-1)?.['path'] as string;
    }
  }

  async blocksOf({ inode }: SavedEntry): Promise<readonly ChainBlock[]> {
    const text = 'SELECT blocks FROM node_page WHERE id = ? ORDER BY page';
    const rows = await this.#database.all(text, [inode.id]);
    return rows.flatMap((row) =>
      BackupBlocks.decode(row['blocks'] as Uint8Array).blocks.map(({ hash, sizeBytes }) => ({
        hash: toHex(hash),
        sizeBytes,
      })),
    );
  }

  async #take(source: AsyncIterable<Uint8Array>): Promise<void> {
    const rows = new NodeRows(this.#database);
    for await (const kind of decodeBackup(source)) {
      switch (kind.$case) {
        case 'header':
          this.#header = kind.value;
          break;
        case 'entry':
          if (kind.value.inode !== undefined) await rows.begin(kind.value.inode);
          break;
        case 'blocks':
          rows.page(kind.value);
          break;
        case 'end':
          this.#openInodes = new Set(kind.value.openInodes);
      }
    }
    await rows.end();
    for (const text of TREE) await this.#database.run(text);
  }
}

export function digestOf(blocks: readonly ChainBlock[]): string {
  const digest = sha256Stream();
  for (const { hash } of blocks) digest.update(fromHex(hash));
  return toHex(digest.digest());
}

/** Rows of one entry after the other, written many at a time. */
class NodeRows {
  readonly #database: SqliteConnection;
  #nodes: SqlValue[][] = [];
  #pages: SqlValue[][] = [];
  #current: Inode | undefined;
  #page = 0;
  #digest = sha256Stream();

  constructor(database: SqliteConnection) {
    this.#database = database;
  }

  async begin(inode: Inode): Promise<void> {
    this.#finish();
    if (this.#nodes.length + this.#pages.length >= BATCH_ROWS) await this.#write();
    this.#current = inode;
    this.#page = 0;
    this.#digest = sha256Stream();
  }

  /** The next blocks of the entry that was begun last. */
  page(page: BackupBlocks): void {
    for (const { hash } of page.blocks) this.#digest.update(hash);
    this.#pages.push([this.#current?.id ?? 0, this.#page, BackupBlocks.encode(page).finish()]);
    this.#page += 1;
  }

  async end(): Promise<void> {
    this.#finish();
    await this.#write();
  }

  #finish(): void {
    if (this.#current === undefined) return;
    const { id, parent, name } = this.#current;
    this.#nodes.push([id, parent, name, Inode.encode(this.#current).finish(), this.#digest.digest()]);
    this.#current = undefined;
  }

  async #write(): Promise<void> {
    const [nodes, pages] = [this.#nodes, this.#pages];
    this.#nodes = [];
    this.#pages = [];
    await this.#database.transaction(async (sql) => {
      await insertRows(sql, 'INSERT INTO node (id, parent, name, inode, digest)', nodes);
      await insertRows(sql, 'INSERT INTO node_page (id, page, blocks)', pages);
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
