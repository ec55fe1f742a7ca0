/** @module The rows of packed blocks in SQLite: what is in them, how they are written, and how they are checked when read back. */
import { fromHex, toHex } from '../common/bytes.ts';
import { type BlockHash, crc32c } from '../common/hashing.ts';
import type { QuarantinedBlock, QuarantineReason } from './block-info.ts';
import type { BlockOrigin, NewBlock } from './block-store.ts';
import { deletions, insertions } from './bulk-sql.ts';
import { corruptBlock } from './errors.ts';
import { decodeOrigin, encodeOrigin } from './origin-row.ts';
import type { SqlStatement } from './sql-script.ts';
import type { SqlRow } from './sql-value.ts';
import type { SqliteOptions } from './sqlite-format.ts';

/**
 * Of so many blocks or fewer one statement is made, and so no transaction around it: a change of thread instead of three. A
 * statement keeps the blocks it wrote last, and one for each number of blocks up to a whole transaction would keep half a gigabyte.
 */
const MAX_BLOCKS_IN_A_STATEMENT = 16;

/** The index holds the sizes too, so that loading it does not read the data. */
export const PACKED_FORMAT: SqliteOptions = {
  format: 1,
  shrinks: true,
  schema: [
    'CREATE TABLE packed (hash BLOB NOT NULL, size INTEGER NOT NULL, crc INTEGER NOT NULL, origin BLOB NOT NULL, data BLOB NOT NULL)',
    'CREATE UNIQUE INDEX packed_by_hash ON packed (hash, size)',
  ],
};

/** Beside the format's own table, since it came later: earlier releases leave it alone. */
export const QUARANTINE_TABLE: string =
  'CREATE TABLE IF NOT EXISTS quarantined (hash BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, crc INTEGER NOT NULL, origin BLOB NOT NULL, data BLOB NOT NULL, reason TEXT NOT NULL, era INTEGER NOT NULL, decided INTEGER NOT NULL, since INTEGER NOT NULL)';
const QUARANTINE =
  'INSERT OR REPLACE INTO quarantined SELECT hash, size, crc, origin, data, ?, ?, ?, ? FROM packed WHERE hash = ?';
const RELEASE =
  'INSERT OR IGNORE INTO packed SELECT hash, size, crc, origin, data FROM quarantined WHERE hash = ?';

/** One change to the blocks that are packed. */
export type PackedChange =
  | { readonly kind: 'insert'; readonly block: NewBlock; readonly data: Uint8Array }
  | { readonly kind: 'quarantine' | 'release' | 'purge'; readonly block: QuarantinedBlock }
  | { readonly kind: 'remove'; readonly hash: BlockHash };

export interface PackedBlock {
  readonly data: Uint8Array;
  readonly origin: BlockOrigin;
}

/** The statements of one transaction. No hash may be in two of `changes`: their order is not kept. */
export function statementsOf(changes: readonly PackedChange[]): readonly SqlStatement[] {
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
  return [
    ...moved,
    ...deletions('DELETE FROM packed WHERE hash', removed),
    ...deletions('DELETE FROM quarantined WHERE hash', purged),
    ...insertions('INSERT OR IGNORE INTO packed (hash, size, crc, origin, data)', inserted, {
      together: MAX_BLOCKS_IN_A_STATEMENT,
    }),
  ];
}

/** Throws STORAGE_CORRUPT_BLOCK when the row is not what was written. */
export function checkedBlock(hash: BlockHash, row: SqlRow): PackedBlock {
  const data = row['data'] as Uint8Array;
  const origin = row['origin'] as Uint8Array;
  if (packedCrc(fromHex(hash), origin, data) !== row['crc'])
    throw corruptBlock(hash, 'its row has a bad checksum');
  return { data, origin: decodeOrigin(origin) };
}

export function quarantinedBlock(row: SqlRow): QuarantinedBlock {
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
