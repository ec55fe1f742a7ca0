/** @module What a cluster of a given shape needs of each resource, and how much of it there is. Pure. */
import { DEFAULT_MAX_RECORDS } from '../../../dht/location-table.ts';
import { GIB, MIB } from '../../../src/common/bytes.ts';
import { DEFAULT_INDEX_BYTES } from '../../../src/metadata/location-index.ts';
import { COLLECTION_SHARE } from '../../../src/metadata/collection-pace.ts';
import { DEFAULT_MAX_LOG_BYTES, HELD_FACTOR } from '../../../src/metadata/log-compactor.ts';
import { MAX_AT_RISK_BLOCKS } from '../../../src/metadata/repair/at-risk-blocks.ts';
import { DEFAULT_GRACE_MS } from '../../../src/namespace/limits.ts';
import { defaultIndexBytes } from '../../../src/node/index-memory.ts';
import type { Coefficients } from './model-coefficients.ts';

export interface ClusterShape {
  readonly datanodes: number;
  readonly blocks: number;
  readonly blocksPerFile: number;
  readonly metadataNodes: number;
}

export interface Need {
  readonly name: string;
  readonly unit: string;
  readonly limit: number;
  /** What sets the limit. */
  readonly because: string;
  of(shape: ClusterShape): number;
}

const COPIES = 3;
const HOLDERS_PER_SHARD = 3;
const BLOCK_BYTES: number = 8 * MIB;
/** Of one machine of each kind. */
const METADATA_MEMORY_GIB = 64;
const METADATA_DISK_GIB = 1_024;
const DATANODE_BYTES_PER_SECOND: number = 110 * MIB;
/** Of a metadata node's main thread, for what nobody asked for. */
const BACKGROUND_SHARE = 0.25;
/** Of the whole cluster, of some 300 bytes each in the log. */
const CHANGES_PER_SECOND = 1_000;
const CHANGE_BYTES = 300;
/** How long people wait. */
const MINUTES_TO_ANNOUNCE = 10;
const MINUTES_TO_REPAIR = 60;
const MINUTES_TO_NOTICE = 60;
/** What one backup does not have is found by its blocks (recovery). */
const HOURS_BETWEEN_BACKUPS = 24;
/** Reads of all rows that one backup makes: has anything changed, and the backup itself. */
const READS_PER_BACKUP = 2;
/** A survey pauses three times as long as it walks, and so do backups. */
const WALK_AND_PAUSE = 4;

export function needsOf(measured: Coefficients): readonly Need[] {
  const files = ({ blocks, blocksPerFile }: ClusterShape): number => blocks / blocksPerFile;
  const rowBytes = (shape: ClusterShape): number =>
    files(shape) * measured.fileRowBytes + shape.blocks * measured.blockRowBytes;
  /** Of all records, how many one metadata node holds. */
  const share = ({ metadataNodes }: ClusterShape): number =>
    Math.min(HOLDERS_PER_SHARD, metadataNodes) / metadataNodes;
  const heldSeconds = (HELD_FACTOR * DEFAULT_MAX_LOG_BYTES) / (CHANGES_PER_SECOND * CHANGE_BYTES);
  return [
    {
      name: 'location records on a metadata node, as it comes',
      unit: 'records',
      limit: (DEFAULT_MAX_RECORDS * defaultIndexBytes(METADATA_MEMORY_GIB * GIB)) / DEFAULT_INDEX_BYTES,
      because:
        'nothing more can be written; `node start --index-memory` takes more than a quarter of a machine',
      of: (shape) => shape.blocks * COPIES * share(shape),
    },
    {
      name: 'memory of the location index on a metadata node',
      unit: 'GiB',
      limit: METADATA_MEMORY_GIB,
      because: `${METADATA_MEMORY_GIB} GiB a metadata node`,
      of: (shape) =>
        (shape.blocks * share(shape) * measured.locatedBlockBytes +
          shape.datanodes * measured.knownDatanodeBytes) /
        GIB,
    },
    {
      name: 'rows of the namespace on a metadata node, and a copy of them',
      unit: 'GiB',
      limit: METADATA_DISK_GIB,
      because: `${METADATA_DISK_GIB} GiB of disk a metadata node`,
      of: (shape) => (2 * rowBytes(shape)) / GIB,
    },
    {
      name: 'snapshot to a new metadata node',
      unit: 'minutes',
      limit: heldSeconds / 60,
      because: `the log waits for it up to ${HELD_FACTOR} times its size: so long at ${CHANGES_PER_SECOND} changes a second`,
      of: (shape) => rowBytes(shape) / (measured.snapshotMibPerSecond * MIB) / 60,
    },
    {
      name: 'until garbage collection has asked for every copy once',
      unit: 'hours',
      limit: DEFAULT_GRACE_MS / 3_600_000,
      because: `datanodes together may take ${COLLECTION_SHARE} of each metadata node (collection-pace.ts); what is found is kept as long again`,
      of: ({ blocks, metadataNodes }) =>
        (blocks * COPIES * measured.referenceMicroseconds) / 1e6 / 3_600 / (metadataNodes * COLLECTION_SHARE),
    },
    {
      name: 'from one backup of the namespace to the next',
      unit: 'hours',
      limit: HOURS_BETWEEN_BACKUPS,
      because: 'the leader reads all rows twice, and then does without three times as long',
      of: (shape) =>
        (WALK_AND_PAUSE *
          READS_PER_BACKUP *
          (files(shape) + shape.blocks) *
          measured.scannedRowMicroseconds) /
        1e6 /
        3_600,
    },
    {
      name: 'until the survey notices a block with too few copies that nobody lost',
      unit: 'minutes',
      limit: MINUTES_TO_NOTICE,
      because: 'a keeper walks over all its blocks, a quarter of the time',
      of: ({ blocks, metadataNodes }) =>
        (WALK_AND_PAUSE * (blocks / metadataNodes) * measured.surveyedBlockMicroseconds) / 1e6 / 60,
    },
    {
      name: "datanodes at rest, of a metadata node's processor",
      unit: 'share',
      limit: BACKGROUND_SHARE,
      because: 'as few of them cost it; heartbeats and signs of life are bounded, so that many cost less',
      of: ({ datanodes }) => (datanodes * measured.restingMicroseconds) / 1e6,
    },
    {
      name: 'telling the index anew after all metadata nodes restarted',
      unit: 'minutes',
      limit: MINUTES_TO_ANNOUNCE,
      because: 'each record costs its three holders; until then datanodes are asked themselves',
      of: (shape) => (shape.blocks * COPIES * share(shape) * measured.announcedRecordMicroseconds) / 1e6 / 60,
    },
    {
      name: 'copying what a lost datanode held, by disks and network',
      unit: 'minutes',
      limit: MINUTES_TO_REPAIR,
      because: 'half of every network for copies that come, half for copies that go',
      of: ({ blocks, datanodes }) =>
        ((blocks * COPIES) / datanodes) *
        (BLOCK_BYTES / ((Math.max(1, datanodes - 1) * DATANODE_BYTES_PER_SECOND) / 2)) *
        (1 / 60),
    },
    {
      name: 'planning these copies on a metadata node',
      unit: 'minutes',
      limit: MINUTES_TO_REPAIR,
      because: 'the keepers share the blocks',
      of: ({ blocks, datanodes, metadataNodes }) =>
        ((blocks * COPIES) / datanodes / metadataNodes) * (measured.repairedBlockMicroseconds / 1e6 / 60),
    },
    {
      name: 'finding what it held in the index of its keepers',
      unit: 'minutes',
      limit: MINUTES_TO_REPAIR,
      because: `a keeper looks through its index anew for each ${MAX_AT_RISK_BLOCKS / 2} blocks`,
      of: ({ blocks, datanodes, metadataNodes }) => {
        const searches = Math.ceil((blocks * COPIES) / datanodes / metadataNodes / (MAX_AT_RISK_BLOCKS / 2));
        return (searches * (blocks / metadataNodes) * measured.searchedBlockMicroseconds) / 1e6 / 60;
      },
    },
  ];
}
