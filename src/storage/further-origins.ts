/** @module Further places that a block has in files: alike blocks are stored once, and each of their files is to be known. */
import { fromHex, toHex } from '../common/bytes.ts';
import type { BlockHash } from '../common/hashing.ts';
import { type BlockOrigin, MAX_FURTHER_ORIGINS } from './block-store.ts';
import { deleteKeys, insertRows } from './bulk-sql.ts';
import { GroupCommit } from './group-commit.ts';
import { decodeOrigin, encodeOrigin } from './origin-row.ts';
import { SqliteConnection } from './sqlite.ts';
import type { SqliteOptions } from './sqlite-format.ts';

/** One block's origins beyond the one that is stored with it. */
export interface FurtherOrigins {
  of(hash: BlockHash): Promise<readonly BlockOrigin[]>;
  /** Durable once resolved; does nothing for one that is there, and beyond MAX_FURTHER_ORIGINS. */
  add(hash: BlockHash, origin: BlockOrigin): Promise<void>;
  /** The block is gone. */
  forget(hash: BlockHash): Promise<void>;
}

/** Without a disk, for tests and simulations. */
export class MemoryFurtherOrigins implements FurtherOrigins {
  readonly #origins = new Map<BlockHash, Map<string, BlockOrigin>>();

  async of(hash: BlockHash): Promise<readonly BlockOrigin[]> {
    return [...(this.#origins.get(hash)?.values() ?? [])];
  }

  async add(hash: BlockHash, origin: BlockOrigin): Promise<void> {
    const known = this.#origins.get(hash) ?? new Map<string, BlockOrigin>();
    const row = encodeOrigin(origin);
    if (known.size < MAX_FURTHER_ORIGINS) known.set(toHex(row), decodeOrigin(row));
    this.#origins.set(hash, known);
  }

  async forget(hash: BlockHash): Promise<void> {
    this.#origins.delete(hash);
  }
}

/** Changes of one transaction. */
const MAX_GROUPED_CHANGES = 512;
const FORMAT: SqliteOptions = {
  format: 1,
  shrinks: true,
  schema: ['CREATE TABLE further (hash BLOB NOT NULL, origin BLOB NOT NULL, UNIQUE (hash, origin))'],
};

type Change =
  | { readonly kind: 'add'; readonly hash: Uint8Array; readonly origin: Uint8Array }
  | { readonly kind: 'forget'; readonly hash: Uint8Array };

/** A SQLite file of its own: most stores never need it, and it may be lost without losing a byte of any file. */
export class StoredFurtherOrigins implements FurtherOrigins {
  readonly #writer: SqliteConnection;
  readonly #commits: GroupCommit<Change>;
  /** How many each block has; most have none. */
  readonly #counts = new Map<BlockHash, number>();

  private constructor(writer: SqliteConnection) {
    this.#writer = writer;
    this.#commits = new GroupCommit((changes) => this.#write(changes), {
      path: writer.path,
      maxItems: MAX_GROUPED_CHANGES,
    });
  }

  static async open(path: string): Promise<StoredFurtherOrigins> {
    const origins = new StoredFurtherOrigins(await SqliteConnection.open(path, FORMAT));
    try {
      const rows = await origins.#writer.all('SELECT hash, count(*) AS count FROM further GROUP BY hash');
      for (const row of rows) origins.#counts.set(toHex(row['hash'] as Uint8Array), row['count'] as number);
      return origins;
    } catch (error) {
      await origins.close();
      throw error;
    }
  }

  async of(hash: BlockHash): Promise<readonly BlockOrigin[]> {
    if (!this.#counts.has(hash)) return [];
    const rows = await this.#writer.all('SELECT origin FROM further WHERE hash = ? ORDER BY rowid', [
      fromHex(hash),
    ]);
    return rows.map((row) => decodeOrigin(row['origin'] as Uint8Array));
  }

  async add(hash: BlockHash, origin: BlockOrigin): Promise<void> {
    const count = this.#counts.get(hash) ?? 0;
    if (count >= MAX_FURTHER_ORIGINS) return;
    // Counted before it is known whether it is new: a bound may be reached early, but is never passed.
    this.#counts.set(hash, count + 1);
    await this.#commits.add({ kind: 'add', hash: fromHex(hash), origin: encodeOrigin(origin) });
  }

  async forget(hash: BlockHash): Promise<void> {
    if (this.#counts.delete(hash)) await this.#commits.add({ kind: 'forget', hash: fromHex(hash) });
  }

  async close(): Promise<void> {
    await this.#commits.idle();
    await this.#writer.close();
  }

  /** In the order they came, as far as it matters: of one block's addition and its end, the later counts. */
  async #write(changes: readonly Change[]): Promise<void> {
    await this.#writer.transaction(async (sql) => {
      let from = 0;
      while (from < changes.length) {
        const kind = changes[from]?.kind;
        let to = from;
        while (changes[to]?.kind === kind) to += 1;
        const run = changes.slice(from, to);
        const head = 'INSERT OR IGNORE INTO further (hash, origin)';
        if (kind === 'add')
          await insertRows(
            sql,
            head,
            run.flatMap((change) => (change.kind === 'add' ? [[change.hash, change.origin]] : [])),
          );
        else
          await deleteKeys(
            sql,
            'DELETE FROM further WHERE hash',
            run.map(({ hash }) => hash),
          );
        from = to;
      }
    });
  }
}
