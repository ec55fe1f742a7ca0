/** @module How much memory a cached row takes. Estimates: a test compares them with what the heap says. */
import type { TableName } from '../storage/row-store.ts';
import type { AnyRow, RowTypes } from './rows.ts';

/** A key's string and its slot in a map, in bytes beside the text; all there is for a row known to be absent. */
const SLOT_BYTES = 56;
/** Decoded messages of 64-bit V8, numbers that are no small integers included. */
const INODE_BYTES = 256;
const EXTENT_PAGE_BYTES = 400;
const BLOCK_REF_BYTES = 210;
const SESSION_BYTES = 360;
const STORED_SEQUENCE_BYTES = 8;
const RESULT_BYTES = 340;
const SMALL_ROW_BYTES = 64;
/** Names may hold any character, which may take two bytes. */
const NAME_UNIT_BYTES = 2;

/** Bytes of memory that `row` under `key` holds while it is cached. */
export function weighRow(table: TableName, key: string, row: AnyRow | undefined): number {
  const keyBytes = SLOT_BYTES + key.length * (table === 'dirent' ? NAME_UNIT_BYTES : 1);
  return row === undefined ? keyBytes : keyBytes + weighMessage(table, row);
}

function weighMessage(table: TableName, row: AnyRow): number {
  switch (table) {
    case 'inode': {
      const { name, linkTarget } = row as RowTypes['inode'];
      return INODE_BYTES + (name.length + linkTarget.length) * NAME_UNIT_BYTES;
    }
    case 'extent':
      return EXTENT_PAGE_BYTES + (row as RowTypes['extent']).blocks.length * BLOCK_REF_BYTES;
    case 'session':
      return SESSION_BYTES + (row as RowTypes['session']).stored.length * STORED_SEQUENCE_BYTES;
    case 'result':
      return RESULT_BYTES;
    default:
      return SMALL_ROW_BYTES;
  }
}
