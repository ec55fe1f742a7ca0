/** @module What the rows of every state must satisfy, counted anew from the rows alone. Each complaint is a line; none is well. */
import { toHex } from '../../src/common/bytes.ts';
import { deadlineKey, direntKey, extentKey, numberKey } from '../../src/namespace/keys.ts';
import { EXTENT_PAGE_BLOCKS, ROOT_INODE } from '../../src/namespace/limits.ts';
import { decodeRow, META_COUNTERS, type RowTypes } from '../../src/namespace/rows.ts';
import { Counters, type Inode } from '../../src/namespace/schema.ts';
import type { RowStore, TableName } from '../../src/storage/row-store.ts';

type Rows<T extends TableName> = ReadonlyMap<string, RowTypes[T]>;

/** All tables of which rows refer to each other. */
interface Tables {
  readonly counters: Counters;
  readonly inode: Rows<'inode'>;
  readonly dirent: Rows<'dirent'>;
  readonly extent: Rows<'extent'>;
  readonly block: Rows<'block'>;
  readonly lease: Rows<'lease'>;
  readonly orphan: Rows<'orphan'>;
  readonly session: Rows<'session'>;
  readonly result: Rows<'result'>;
  readonly deadline: Rows<'deadline'>;
}

/** Of rows that have been flushed. Files are taken to be full blocks and then shorter ones, as every writer writes them. */
export async function rowComplaints(store: RowStore): Promise<string[]> {
  const [counters] = await store.getMany('meta', [META_COUNTERS]);
  const tables: Tables = {
    counters: Counters.decode(counters ?? new Uint8Array()),
    inode: await all(store, 'inode'),
    dirent: await all(store, 'dirent'),
    extent: await all(store, 'extent'),
    block: await all(store, 'block'),
    lease: await all(store, 'lease'),
    orphan: await all(store, 'orphan'),
    session: await all(store, 'session'),
    result: await all(store, 'result'),
    deadline: await all(store, 'deadline'),
  };
  return [
    ...[...tables.inode.values()].flatMap((inode) => [
      ...ofPlace(tables, inode),
      ...ofContent(tables, inode),
    ]),
    ...ofBlocks(tables),
    ...ofTime(tables),
    ...ofCounters(tables),
  ];
}

async function all<T extends TableName>(store: RowStore, table: T): Promise<Rows<T>> {
  const rows = await store.scan(table, '', '~', 100_000);
  return new Map(rows.map(({ key, value }) => [key, decodeRow(table, value) as RowTypes[T]]));
}

/** An inode is named by one entry, or is being written under a lease, or waits to be freed; nothing else is kept. */
function ofPlace({ inode: inodes, dirent, lease, orphan }: Tables, inode: Inode): string[] {
  const key = numberKey(inode.id);
  const wrong: string[] = [];
  const places = [inode.parent !== 0, lease.has(key), orphan.has(key), inode.id === ROOT_INODE];
  if (places.filter(Boolean).length !== 1) wrong.push(`inode ${inode.id} is at ${places.join()}`);
  if (inode.open !== lease.has(key)) wrong.push(`inode ${inode.id} is open: ${inode.open}`);
  if (inode.parent !== 0) {
    if (dirent.get(direntKey(inode.parent, inode.name))?.inode !== inode.id)
      wrong.push(`inode ${inode.id} has no entry`);
    let above: Inode | undefined = inode;
    for (let depth = 0; above !== undefined && above.parent !== 0 && depth < 1_000; depth += 1)
      above = inodes.get(numberKey(above.parent));
    const isRooted = above?.parent === 0 && above.kind === 'directory';
    if (!isRooted) wrong.push(`inode ${inode.id} hangs in the air`);
  }
  const appended = inodes.get(numberKey(inode.appendTo));
  if (lease.has(key) && appended !== undefined && appended.appendInode !== inode.id)
    wrong.push(`inode ${inode.id} gathers for ${appended.id}, which does not know`);
  return wrong;
}

function ofContent({ dirent, extent, orphan }: Tables, inode: Inode): string[] {
  const { id, kind, blockCount, sizeBytes, blockSizeBytes } = inode;
  const wrong: string[] = [];
  const children = [...dirent.keys()].filter((key) => key.startsWith(`${numberKey(id)}/`)).length;
  if (children !== inode.childCount) wrong.push(`inode ${id} has ${children} entries, ${inode.childCount}`);
  const pages = [...extent.keys()].filter((key) => key.startsWith(`${numberKey(id)}/`)).length;
  const pagesLeft = orphan.get(numberKey(id))?.pagesLeft ?? Math.ceil(blockCount / EXTENT_PAGE_BLOCKS);
  if (pages !== (kind === 'file' ? pagesLeft : 0)) wrong.push(`inode ${id} has ${pages} pages`);
  const blocks = Array.from({ length: pages }, (_, page) => extent.get(extentKey(id, page))?.blocks ?? []);
  if (blocks.slice(0, -1).some(({ length }) => length !== EXTENT_PAGE_BLOCKS))
    wrong.push(`inode ${id} has a page that is not full before its end`);
  if (kind !== 'file' || orphan.has(numberKey(id))) return wrong;
  const sizes = blocks.flat().map((block) => block.sizeBytes);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length !== blockCount || bytes !== sizeBytes)
    wrong.push(`inode ${id} has ${sizes.length} blocks of ${bytes}, not ${blockCount} of ${sizeBytes}`);
  const short = sizes.length - 1 - sizes.lastIndexOf(blockSizeBytes);
  const tail = short > 1 ? short : 0;
  if (inode.parent !== 0 && inode.tailBlocks !== tail)
    wrong.push(`inode ${id} ends with ${tail} short blocks, not ${inode.tailBlocks}`);
  return wrong;
}

function ofBlocks({ inode, extent, block, orphan }: Tables): string[] {
  const references = new Map<string, { count: number; copies: number; sizeBytes: number }>();
  for (const [key, { blocks }] of extent) {
    const file = inode.get(key.slice(0, numberKey(0).length));
    if (file === undefined) return [`page ${key} is of no inode`];
    const isKept = !orphan.has(numberKey(file.id)) && file.pagesToReplicate === undefined;
    for (const { hash, sizeBytes } of blocks) {
      const before = references.get(toHex(hash)) ?? { count: 0, copies: 0, sizeBytes };
      const copies = Math.max(before.copies, isKept ? file.replication : 0);
      references.set(toHex(hash), { count: before.count + 1, copies, sizeBytes });
    }
  }
  const wrong = [...block.keys()].filter((hash) => !references.has(hash)).map((hash) => `nobody has ${hash}`);
  for (const [hash, { count, copies, sizeBytes }] of references) {
    const row = block.get(hash);
    if (row?.references !== count || row.sizeBytes !== sizeBytes || row.copies < copies)
      wrong.push(
        `block ${hash}: ${count} of ${sizeBytes} in ${copies} copies, the row says ${JSON.stringify(row)}`,
      );
  }
  return wrong;
}

/** What ends by itself is filed under a time, once, and nothing else is; answers are those that their sessions know of. */
function ofTime({ lease, session, result, deadline, inode, counters }: Tables): string[] {
  const filed = [
    ...[...lease].map(([key, row]) => ({ key: deadlineKey(row.deadlineMs, 'lease', key), row })),
    ...[...session].map(([key, row]) => ({ key: deadlineKey(row.deadlineMs, 'session', key), row })),
  ];
  const wrong = filed.filter(({ key }) => !deadline.has(key)).map(({ key }) => `${key} is not filed`);
  const rest = [...deadline.values()].filter(({ kind }) => kind !== 'replication').length - filed.length;
  if (rest !== 0) wrong.push(`${rest} deadlines are of nothing`);
  for (const [key, row] of lease)
    if (row.deadlineMs > row.expiresMs || inode.get(key)?.open !== true) wrong.push(`lease ${key}`);
  const replicating = [...deadline.values()].filter(({ kind }) => kind === 'replication');
  for (const { id, pagesToReplicate } of inode.values())
    if (pagesToReplicate !== undefined && !replicating.some((row) => row.inode === id))
      wrong.push(`inode ${id} waits for copies for ever`);
  const first = Math.min(...[...deadline.keys()].map((key) => Number.parseInt(key, 16)));
  const { firstDeadlineMs } = counters;
  if (deadline.size > 0 && (firstDeadlineMs === 0 || firstDeadlineMs > first))
    wrong.push(`the first deadline is at ${first}, not ${firstDeadlineMs}`);
  const stored = [...session].flatMap(([id, row]) => row.stored.map((at) => `${id}/${numberKey(at)}`));
  if (stored.toSorted().join() !== [...result.keys()].toSorted().join())
    wrong.push(`answers ${[...result.keys()].join()}, but ${stored.join()} are known`);
  return wrong;
}

function ofCounters({ counters, inode, dirent, block, lease, orphan, session }: Tables): string[] {
  const named = [...dirent.values()].flatMap((row) => inode.get(numberKey(row.inode)) ?? []);
  const directories = named.filter(({ kind }) => kind === 'directory').length;
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
  const counted: Partial<Counters> = {
    files: named.length - directories,
    directories: 1 + directories,
    logicalBytes: sum(named.map(({ sizeBytes }) => sizeBytes)),
    blocks: block.size,
    blockBytes: sum([...block.values()].map(({ sizeBytes }) => sizeBytes)),
    wantedBytes: sum([...block.values()].map(({ sizeBytes, copies }) => sizeBytes * copies)),
    leases: lease.size,
    orphans: orphan.size,
    sessions: session.size,
  };
  const wrong = Object.entries(counted)
    .filter(([name, count]) => counters[name as keyof Counters] !== count)
    .map(([name, count]) => `there are ${count} ${name}, not ${counters[name as keyof Counters]}`);
  if (named.length !== dirent.size) wrong.push('an entry names nothing');
  for (const { id, version } of inode.values())
    if (id >= counters.nextInode || version >= counters.nextVersion) wrong.push(`inode ${id} is from later`);
  return wrong;
}
