/** @module How many records the location table takes, of all datanodes and of each. */
import type { HolderRegistry } from './holder-registry.ts';
import type { ShardSpill } from './shard-spill.ts';
import type { TableShards } from './table-shards.ts';

/** Memory of one record, at most. */
export const RECORD_SIZE_BYTES = 80;

export interface TableRoomComponents {
  readonly holders: HolderRegistry;
  readonly shards: TableShards;
  /** Undefined when all records must be in memory. */
  readonly spill: ShardSpill | undefined;
}

export interface TableRoomOptions {
  /** In memory and on disk together. */
  readonly maxRecords: number;
  /** For records, in bytes; counts only while nothing can be written to disk. */
  readonly memoryBytes: number;
}

export class TableRoom {
  readonly #components: TableRoomComponents;
  readonly #maxRecords: number;
  readonly #memoryRecords: number;
  /** As of the batch that is being taken. */
  #limit: number;

  constructor(components: TableRoomComponents, { maxRecords, memoryBytes }: TableRoomOptions) {
    this.#components = components;
    this.#maxRecords = maxRecords;
    this.#memoryRecords = Math.floor(memoryBytes / RECORD_SIZE_BYTES);
    this.#limit = maxRecords;
  }

  /** While nothing can be written to disk, only what is there already does not count against memory. */
  beginBatch(): void {
    const { spill } = this.#components;
    const isBounded = spill !== undefined && !spill.isAble;
    this.#limit = isBounded
      ? Math.min(this.#maxRecords, this.#memoryRecords + spill.records)
      : this.#maxRecords;
  }

  /**
   * Whether another record of a holder may come in. No datanode may take more than what is left to all the others, so that one
   * which floods the table cannot keep the others out (dynamic thresholds: Choudhury and Hahne, 1998).
   */
  hasRoomFor(id: number): boolean {
    const { holders, shards } = this.#components;
    const own = holders.recordsOf(id);
    if (holders.liveRecords + holders.deadRecords + own < this.#limit) return true;
    if (holders.deadRecords > 0) shards.sweepAll();
    return holders.liveRecords + own < this.#limit;
  }
}
