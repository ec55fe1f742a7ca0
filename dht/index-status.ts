/** @module What a holder says of itself, for people and tests. */
import type { LocationTable } from './location-table.ts';
import type { IndexStatusResponse } from './messages.ts';
import type { MetadataRing } from './ports.ts';
import type { ShardLedger } from './shard-ledger.ts';

export interface IndexStatusComponents {
  readonly table: LocationTable;
  readonly ledger: ShardLedger;
  readonly ring: MetadataRing;
  /** Records taken over from other holders since the start. */
  readonly pulled: () => number;
}

export function indexStatus(
  { table, ledger, ring, pulled }: IndexStatusComponents,
  boot: string,
): IndexStatusResponse {
  const { owned, complete, agreements } = ledger;
  const nodes = table.nodes().map((node) => {
    const known = table.node(node);
    return {
      node,
      records: known?.records ?? 0,
      generation: known?.generation ?? 0,
      sequence: known?.sequence ?? 0,
      confirmed: agreements.with(node).size,
      digest: known?.digests.root(owned) ?? new Uint8Array(0),
    };
  });
  return {
    boot,
    records: table.recordCount,
    shards: table.shardCount,
    epoch: ring.epoch,
    owned: owned.size,
    complete: owned.size - ledger.missing().length,
    leaving: ledger.leaving(table).length,
    nodes,
    bytes: table.sizeBytes,
    bytesOnDisk: table.spill?.usedBytes ?? 0,
    recordsOnDisk: table.spill?.records ?? 0,
    shardsOnDisk: table.spilledShards,
    diskFailure: table.spill?.failure ?? '',
    ownedBitmap: owned.encode(),
    completeBitmap: complete.encode(),
    pulled: pulled(),
  };
}
