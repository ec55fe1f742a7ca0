/** @module What the model extrapolates from, as measured last; how to measure each again stands beside it. */

export interface Coefficients {
  /** In the SQLite file of a metadata node, in bytes: an empty file with its name; a block with its place in a file. */
  readonly fileRowBytes: number;
  readonly blockRowBytes: number;
  /** Of the location index, for a block with three copies. */
  readonly locatedBlockBytes: number;
  /** Digests of its shards, in bytes. */
  readonly knownDatanodeBytes: number;
  /** CPU of a metadata node. */
  readonly announcedRecordMicroseconds: number;
  readonly surveyedBlockMicroseconds: number;
  /** A block of the index, for what a lost datanode held. */
  readonly searchedBlockMicroseconds: number;
  /** A block that garbage collection asks for. */
  readonly referenceMicroseconds: number;
  /** A row that a backup reads. */
  readonly scannedRowMicroseconds: number;
  /** Planning one copy, among a thousand datanodes. */
  readonly repairedBlockMicroseconds: number;
  /** Each datanode at rest, a second. */
  readonly restingMicroseconds: number;
  /** What `node start --snapshot-rate` is when not given. */
  readonly snapshotMibPerSecond: number;
}

/** `npm run bench -- coefficients`, 2 cores, load 9, niced. */
const MEASURED_HERE = {
  fileRowBytes: 135,
  blockRowBytes: 154,
  locatedBlockBytes: 54.5,
  surveyedBlockMicroseconds: 7.4,
  searchedBlockMicroseconds: 0.6,
  referenceMicroseconds: 9.4,
  scannedRowMicroseconds: 5.2,
  repairedBlockMicroseconds: 18.9,
};

export const COEFFICIENTS: Coefficients = {
  ...MEASURED_HERE,
  // 4096 shards, 12 bytes each (dht/shard-digests.ts).
  knownDatanodeBytes: 49_152,
  // `npm run bench -- dht --only rates`: 22 of announcer and three holders together; the table alone has 1.
  announcedRecordMicroseconds: 6,
  // `npm run bench -- scale --only datanodes`: what each further datanode costs one metadata node, load 17 to 28, niced.
  restingMicroseconds: 1_700,
  snapshotMibPerSecond: 64,
};
