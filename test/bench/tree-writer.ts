/** @module Puts the rows of a large tree into a store, as if the commands that make it had been applied. */
import { DEFAULT_REPLICATION } from '../../src/namespace/limits.ts';
import { META_COUNTERS } from '../../src/namespace/rows.ts';
import { Counters } from '../../src/namespace/schema.ts';
import type { RowChange, RowStore } from '../../src/storage/row-store.ts';
import { BLOCK_SIZE_BYTES, type TreeRows } from './tree-rows.ts';

/** Rows of one transaction: each costs an fsync. */
const ROWS_PER_WRITE = 65_536;

/** Into the store of a founded cluster, which is closed; `before`: its counters. */
export async function writeTree(store: RowStore, rows: TreeRows, before: Counters): Promise<void> {
  for (const table of [rows.inodes(), rows.dirents(), rows.extents(), rows.blocks()])
    for (const batch of batches(table)) await store.write(batch);
  const { files, directories } = rows.shape;
  const blockBytes = rows.blockCount * BLOCK_SIZE_BYTES;
  const counters: Counters = {
    ...before,
    nextInode: rows.nextInode,
    nextVersion: rows.nextInode,
    files,
    directories: before.directories + 2 + directories,
    logicalBytes: blockBytes,
    blocks: rows.blockCount,
    blockBytes,
    wantedBytes: blockBytes * DEFAULT_REPLICATION,
  };
  await store.write([{ table: 'meta', key: META_COUNTERS, value: Counters.encode(counters).finish() }]);
}

function* batches(rows: Iterable<RowChange>): Generator<RowChange[]> {
  let batch: RowChange[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < ROWS_PER_WRITE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
