/** @module What comes back where, and what does not and why: decided before anything is changed. */
import { fromHex, toHex } from '../../common/bytes.ts';
import { insertRows } from '../../storage/bulk-sql.ts';
import type { SqliteConnection } from '../../storage/sqlite.ts';
import type { SqlRow, SqlValue } from '../../storage/sql-value.ts';
import type { BackupEntries, SavedEntry } from './backup-entries.ts';
import type { FoundBlocks, FoundVersion } from './found-blocks.ts';
import type { LossReason } from './block-chain.ts';
import { asidePath, destinationOf } from './lost-and-found.ts';
import {
  type ChoiceComponents,
  chooseVersion,
  type Chosen,
  type Choice,
  missingOf,
} from './version-choice.ts';

export interface PlannedEntry {
  /** Where it comes back, or would. */
  readonly path: string;
  /** What the datanodes or the backup call it. */
  readonly origin: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Absent: it does not come back. */
  readonly from?: 'blocks' | 'backup';
  /** Hex; empty unless from blocks. */
  readonly write: string;
  /** When it was written (from blocks) or last changed (from a backup). */
  readonly sinceMs: number;
  readonly sizeBytes: number;
  readonly blockCount: number;
  /** Why it, or its newest version, does not come back. */
  readonly loss?: { readonly reason: LossReason; readonly detail: string };
}

export interface PlanCounts {
  readonly files: number;
  readonly bytes: number;
  readonly directories: number;
  readonly links: number;
  /** Of the files, those from a backup. */
  readonly fromBackup: number;
  /** Of the files, those of which a newer version does not come back. */
  readonly older: number;
  /** Of the files, those that go to lost+found. */
  readonly displaced: number;
  /** Files of which nothing comes back. */
  readonly lost: number;
}

const TABLE = `CREATE TABLE plan (path TEXT PRIMARY KEY, origin TEXT NOT NULL, kind TEXT NOT NULL, source TEXT, "write" BLOB NOT NULL,
  since INTEGER NOT NULL, size INTEGER NOT NULL, blocks INTEGER NOT NULL, reason TEXT, detail TEXT) WITHOUT ROWID`;
const HEAD =
  'INSERT OR IGNORE INTO plan (path, origin, kind, source, "write", since, size, blocks, reason, detail)';
const BATCH_ROWS = 512;
const PAGE_ROWS = 512;
/** Versions of one path kept in memory; those beyond are older than what anybody will look at. */
const MAX_VERSIONS = 64;

export class RecoveryPlan {
  readonly #database: SqliteConnection;

  private constructor(database: SqliteConnection) {
    this.#database = database;
  }

  static async make(
    components: ChoiceComponents & { readonly found: FoundBlocks; readonly backup: BackupEntries },
    { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress?: (paths: number) => void },
  ): Promise<RecoveryPlan> {
    const { database } = components.found;
    await database.run(TABLE);
    const rows = new PlanRows(database);
    for await (const versions of byPath(components.found.versions())) {
      signal.throwIfAborted();
      const [{ path }] = versions;
      const entry = await components.backup.at(path);
      const chosen = await chooseVersion(components, versions, entry);
      for (const planned of plannedOf(path, versions, chosen)) await rows.add(planned);
      onProgress?.(1);
    }
    await rows.flush();
    // What no block that was found speaks of: directories, links, empty files, files whose blocks say another path.
    for await (const entry of components.backup.all()) {
      signal.throwIfAborted();
      const loss = await missingOf(components, entry);
      await rows.add(loss === undefined ? fromBackup(entry) : { ...lostEntry(entry), loss });
      onProgress?.(1);
    }
    await rows.flush();
    const plan = new RecoveryPlan(database);
    await plan.#displace();
    return plan;
  }

  /** In the order of their paths. */
  async *entries(which: 'coming' | 'lost' | 'all' = 'all'): AsyncGenerator<PlannedEntry> {
    const filter = { coming: 'source IS NOT NULL', lost: 'reason IS NOT NULL', all: '1' }[which];
    const text = `SELECT * FROM plan WHERE ${filter} AND path > ? ORDER BY path LIMIT ${PAGE_ROWS}`;
    for (let after = ''; ; ) {
      const rows = await this.#database.all(text, [after]);
      for (const row of rows) yield plannedFrom(row);
      if (rows.length < PAGE_ROWS) return;
      after = rows.at(-1)?.['path'] as string;
    }
  }

  async counts(): Promise<PlanCounts> {
    const coming = `source IS NOT NULL AND kind = 'file'`;
    const [row = {}] = await this.#database.all(`SELECT
      total(${coming}) AS files, total(CASE WHEN ${coming} THEN size END) AS bytes,
      total(source IS NOT NULL AND kind = 'directory') AS directories,
      total(source IS NOT NULL AND kind = 'symlink') AS links,
      total(${coming} AND source = 'backup') AS fromBackup,
      total(${coming} AND reason IS NOT NULL) AS older,
      total(${coming} AND path <> origin) AS displaced,
      total(source IS NULL) AS lost FROM plan`);
    const count = (name: keyof PlanCounts): number => Number(row[name] ?? 0);
    return {
      files: count('files'),
      bytes: count('bytes'),
      directories: count('directories'),
      links: count('links'),
      fromBackup: count('fromBackup'),
      older: count('older'),
      displaced: count('displaced'),
      lost: count('lost'),
    };
  }

  /** Where a file and something below it were found, they were not there together: the newer keeps its place. */
  async #displace(): Promise<void> {
    const below = `q.path > p.path || '/' AND q.path < p.path || '0' AND q.source IS NOT NULL`;
    const conflicts = await this.#database.all(
      `SELECT p.path, p.since, p."write", (SELECT max(q.since) FROM plan q WHERE ${below}) AS newest FROM plan p
       WHERE p.source IS NOT NULL AND p.kind <> 'directory' AND newest IS NOT NULL ORDER BY p.path`,
    );
    for (const row of conflicts) {
      const path = row['path'] as string;
      if ((row['since'] as number) <= (row['newest'] as number)) {
        await this.#moveAside(row);
        continue;
      }
      const inside = await this.#database.all(
        `SELECT path, "write" FROM plan q WHERE q.path > ? || '/' AND q.path < ? || '0' AND q.source IS NOT NULL`,
        [path, path],
      );
      for (const inner of inside) await this.#moveAside(inner);
    }
  }

  async #moveAside(row: SqlRow): Promise<void> {
    const path = row['path'] as string;
    await this.#database.run('UPDATE OR IGNORE plan SET path = ? WHERE path = ?', [
      asidePath(path, toHex(row['write'] as Uint8Array)),
      path,
    ]);
  }
}

async function* byPath(
  versions: AsyncIterable<FoundVersion>,
): AsyncGenerator<readonly [FoundVersion, ...FoundVersion[]]> {
  let group: [FoundVersion, ...FoundVersion[]] | undefined;
  for await (const version of versions) {
    if (group?.[0].path !== version.path) {
      if (group !== undefined) yield group;
      group = [version];
    } else if (group.length < MAX_VERSIONS) group.push(version);
  }
  if (group !== undefined) yield group;
}

function* plannedOf(
  path: string,
  [newest]: readonly [FoundVersion, ...FoundVersion[]],
  { choice, loss, doubted }: Chosen,
): Generator<PlannedEntry> {
  if (choice !== undefined) yield { ...comingBack(path, choice), ...(loss && { loss }) };
  else if (loss !== undefined) yield { ...versionAt(path, newest), loss };
  if (doubted === undefined) return;
  const planned = comingBack(path, doubted);
  yield { ...planned, path: asidePath(planned.path, planned.write) };
}

function comingBack(path: string, choice: Choice): PlannedEntry {
  return choice.from === 'backup'
    ? fromBackup(choice.entry)
    : { ...versionAt(path, choice.version), from: 'blocks' };
}

function versionAt(origin: string, version: FoundVersion): PlannedEntry {
  const { write, startedMs, sizeBytes, blockCount } = version;
  const path = destinationOf(origin, write);
  return { path, origin, kind: 'file', write, sinceMs: startedMs, sizeBytes, blockCount };
}

function fromBackup(entry: SavedEntry): PlannedEntry {
  return { ...lostEntry(entry), from: 'backup' };
}

function lostEntry({ path, inode }: SavedEntry): PlannedEntry {
  const { sizeBytes, blockCount, ctimeMs } = inode;
  const kind = inode.kind as PlannedEntry['kind'];
  return { path, origin: path, kind, write: '', sinceMs: ctimeMs, sizeBytes, blockCount };
}

class PlanRows {
  readonly #database: SqliteConnection;
  #rows: SqlValue[][] = [];

  constructor(database: SqliteConnection) {
    this.#database = database;
  }

  /** Does nothing for a path that is planned already. */
  async add(planned: PlannedEntry): Promise<void> {
    const { path, origin, kind, from, write, sinceMs, sizeBytes, blockCount, loss } = planned;
    const row: SqlValue[] = [
      path,
      origin,
      kind,
      from ?? null,
      fromHex(write),
      sinceMs,
      sizeBytes,
      blockCount,
    ];
    this.#rows.push(row.concat([loss?.reason ?? null, loss?.detail ?? null]));
    if (this.#rows.length >= BATCH_ROWS) await this.flush();
  }

  async flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    await this.#database.transaction((sql) => insertRows(sql, HEAD, rows));
  }
}

function plannedFrom(row: SqlRow): PlannedEntry {
  const source = row['source'] as 'blocks' | 'backup' | null;
  const reason = row['reason'] as LossReason | null;
  return {
    path: row['path'] as string,
    origin: row['origin'] as string,
    kind: row['kind'] as PlannedEntry['kind'],
    ...(source !== null && { from: source }),
    write: toHex(row['write'] as Uint8Array),
    sinceMs: row['since'] as number,
    sizeBytes: row['size'] as number,
    blockCount: row['blocks'] as number,
    ...(reason !== null && { loss: { reason, detail: row['detail'] as string } }),
  };
}
