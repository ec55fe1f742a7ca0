/** @module The tree in the rows of one moment, inode by inode: what a backup is made of, and whether it has changed. */
import { sha256Stream } from '../common/hashing.ts';
import { toHex } from '../common/bytes.ts';
import type { PinnedRows, Row, TableName } from '../storage/row-store.ts';
import { BACKUP_FORMAT, type BackupKind, encodeBackup } from './backup-records.ts';
import { END_OF_TABLE, numberKey } from './keys.ts';
import { ROOT_INODE } from './limits.ts';
import { type BackupHeader, ExtentPage, Inode } from './schema.ts';

/** Where backups are kept. They are no part of what is backed up. */
export const BACKUP_DIRECTORY = '/.holdfast/backups';
const [RESERVED, BACKUPS] = BACKUP_DIRECTORY.slice(1).split('/');

const PAGE_ROWS = 512;

/** The bytes of a backup of `rows`. */
export async function* backupOf(
  rows: Pick<PinnedRows, 'scan'>,
  state: Omit<BackupHeader, 'format'>,
): AsyncGenerator<Uint8Array> {
  const open: number[] = [];
  async function* records(): AsyncGenerator<BackupKind> {
    yield { $case: 'header', value: { ...state, format: BACKUP_FORMAT } };
    for await (const { inode, pages } of treeOf(rows)) {
      // What is appended bears the number of the file that it is for.
      if (inode.open || inode.appendInode !== 0) open.push(inode.id);
      if (inode.open) continue;
      yield { $case: 'entry', value: { inode } };
      for (const page of pages) {
        const { blocks } = ExtentPage.decode(page);
        yield { $case: 'blocks', value: { blocks } };
      }
    }
  }
  yield* encodeBackup(records(), () => open);
}

/** Alike, in hex, for rows of which a backup would say the same. */
export async function treeDigest(rows: Pick<PinnedRows, 'scan'>): Promise<string> {
  const digest = sha256Stream();
  for await (const { inode, pages } of treeOf(rows)) {
    digest.update(Inode.encode(inode.id === ROOT_INODE ? withoutChildren(inode) : inode).finish());
    for (const page of pages) digest.update(page);
  }
  return toHex(digest.digest());
}

/** The first backup puts a directory into the root. What else changes these fields changes another inode, too. */
function withoutChildren(root: Inode): Inode {
  return { ...root, childCount: 0, mtimeMs: 0, ctimeMs: 0 };
}

interface TreeNode {
  readonly inode: Inode;
  /** As they are stored: those of the largest file take 40 MiB, decoded they would take six times that. */
  readonly pages: readonly Uint8Array[];
}

/** Both tables are read from end to end, in step. */
async function* treeOf(rows: Pick<PinnedRows, 'scan'>): AsyncGenerator<TreeNode> {
  const extents = allRows(rows, 'extent');
  let extent = await extents.next();
  // Directories are older than what is in them, unless they were moved: then this costs a backup too many, no entry.
  const reserved = new Set<number>();
  for await (const row of allRows(rows, 'inode')) {
    const inode = Inode.decode(row.value);
    const pages: Uint8Array[] = [];
    const prefix = `${numberKey(inode.id)}/`;
    while (extent.done !== true && extent.value.key < `${prefix}${END_OF_TABLE}`) {
      if (extent.value.key.startsWith(prefix)) pages.push(extent.value.value);
      extent = await extents.next();
    }
    const isReserved =
      (inode.parent === ROOT_INODE && inode.name === RESERVED) ||
      (reserved.has(inode.parent) && (inode.name === BACKUPS || inode.kind === 'file'));
    if (isReserved && inode.kind === 'directory') reserved.add(inode.id);
    if (!isReserved) yield { inode, pages };
  }
}

async function* allRows(rows: Pick<PinnedRows, 'scan'>, table: TableName): AsyncGenerator<Row> {
  for (let from = ''; ; ) {
    const page = await rows.scan(table, from, END_OF_TABLE, PAGE_ROWS);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS) return;
    from = `${last.key}\0`;
  }
}
