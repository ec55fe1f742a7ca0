/** @module Which message each table's rows are. */
import { encodeMessage, type MessageEncoder } from '../common/encode-message.ts';
import type { TableName } from '../storage/row-store.ts';
import {
  BlockRow,
  Cluster,
  Deadline,
  Dirent,
  ExtentPage,
  GarbageBlock,
  Inode,
  Lease,
  Member,
  Orphan,
  Result,
  Session,
  Token,
} from './schema.ts';

/** Decoded rows are shared and never changed in place: a change puts a new object. */
export interface RowTypes {
  /** The row 'cluster'; the other rows of `meta` are the machine's own position. */
  meta: Cluster;
  inode: Inode;
  dirent: Dirent;
  extent: ExtentPage;
  block: BlockRow;
  lease: Lease;
  orphan: Orphan;
  garbage: GarbageBlock;
  session: Session;
  result: Result;
  member: Member;
  token: Token;
  deadline: Deadline;
}

export type AnyRow = RowTypes[TableName];

/** Tables that are small and wanted without waiting: always wholly in memory. */
export type PinnedTable = 'meta' | 'member' | 'token';
export const PINNED_TABLES: readonly PinnedTable[] = ['meta', 'member', 'token'];

export function isPinned(table: TableName): table is PinnedTable {
  return table === 'meta' || table === 'member' || table === 'token';
}

/** Keys of table `meta`. */
export const META_CLUSTER = 'cluster';
export const META_COUNTERS = 'counters';
export const META_CONF_STATE = 'confstate';

interface RowCodec extends MessageEncoder<never> {
  decode(bytes: Uint8Array): AnyRow;
}

const CODECS: Readonly<Record<TableName, RowCodec>> = {
  meta: Cluster,
  inode: Inode,
  dirent: Dirent,
  extent: ExtentPage,
  block: BlockRow,
  lease: Lease,
  orphan: Orphan,
  garbage: GarbageBlock,
  session: Session,
  result: Result,
  member: Member,
  token: Token,
  deadline: Deadline,
};

export function encodeRow(table: TableName, row: AnyRow): Uint8Array {
  return encodeMessage(CODECS[table], row as never);
}

export function decodeRow(table: TableName, bytes: Uint8Array): AnyRow {
  return CODECS[table].decode(bytes);
}
