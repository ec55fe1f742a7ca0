/** @module `npm run bench -- coefficients`: measures, in this process, what the model extrapolates from. Prints one line of JSON. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocationTable } from '../../../dht/location-table.ts';
import { AnnounceRequest } from '../../../dht/messages.ts';
import { packHashes } from '../../../dht/packed-hashes.ts';
import { SHARD_COUNT } from '../../../dht/shard.ts';
import { systemClock } from '../../../src/common/clock.ts';
import { systemRandom } from '../../../src/common/random.ts';
import { BadCopies } from '../../../src/metadata/bad-copies.ts';
import { FreeSpacePlacement } from '../../../src/metadata/free-space-placement.ts';
import { AtRiskBlocks } from '../../../src/metadata/repair/at-risk-blocks.ts';
import { BlockExaminer } from '../../../src/metadata/repair/block-examiner.ts';
import { planRepairs } from '../../../src/metadata/repair/repair-planner.ts';
import { treeDigest } from '../../../src/namespace/backup-rows.ts';
import type { StateMachine } from '../../../src/namespace/state-machine.ts';
import { openRowStore } from '../../../src/storage/sqlite-row-store.ts';
import { FoundedMachine } from '../../namespace/founded-machine.ts';
import { round } from '../statistics.ts';
import { TreeRows } from '../tree-rows.ts';
import { writeTree } from '../tree-writer.ts';
import { cost } from './child-point.ts';
import { newTable } from '../../dht/new-table.ts';

const FILES = 100_000;
const BLOCKS_PER_FILE = 4;
const COPIES = 3;
const DATANODES = 1_000;
const PAGE_BLOCKS = 256;
const REPAIRED_BLOCKS = 256;
const EIGHT_MIB = 8 * 1024 * 1024;

const directory = await mkdtemp(join(tmpdir(), 'holdfast-model-'));
try {
  const empty = await withTree(0, async (_, sizeBytes) => sizeBytes / FILES);
  const filled = await withTree(BLOCKS_PER_FILE, measureFilled);
  const repair = await measureRepair();
  const { sizeBytes, blocks, ...costs } = filled;
  const blockRowBytes = (sizeBytes - empty * FILES) / blocks;
  const coefficients = { fileRowBytes: empty, blockRowBytes, ...costs, ...repair };
  const rounded = Object.entries(coefficients).map(([name, value]) => [
    name,
    round(value, value < 100 ? 1 : 0),
  ]);
  console.log(JSON.stringify(Object.fromEntries(rounded)));
} finally {
  await rm(directory, { recursive: true });
}

async function withTree<T>(
  blocksPerFile: number,
  work: (machine: StateMachine, sizeBytes: number) => Promise<T>,
): Promise<T> {
  const path = join(directory, `${blocksPerFile}.db`);
  const store = await openRowStore(path);
  const founded = await FoundedMachine.create(store);
  await founded.machine.close();
  const shape = {
    files: FILES,
    directories: 100,
    biggestDirectory: FILES / 2,
    blocksPerFile,
    timeMs: 1.7e12,
  };
  await writeTree(store, new TreeRows(shape), founded.machine.counters());
  await founded.reopen();
  const copied = `${path}-copy`;
  const { rows } = await founded.machine.pin();
  await rows.copyTo(copied);
  await rows[Symbol.asyncDispose]();
  try {
    return await work(founded.machine, (await stat(copied)).size);
  } finally {
    await store.close();
  }
}

async function measureFilled(machine: StateMachine, sizeBytes: number): Promise<FilledTree> {
  const hashes: string[] = [];
  const scanned = await cost(async () => {
    for (let more = true; more; ) {
      const page = await machine.scanBlocks(hashes.at(-1) ?? '', PAGE_BLOCKS);
      hashes.push(...page.map(({ hash }) => hash));
      more = page.length === PAGE_BLOCKS;
    }
  });
  const table = newTable();
  const announced = await cost(async () => announceAll(table, hashes));
  const examiner = examinerOf(table);
  const examined = await cost(async () => {
    for (let at = 0; at < hashes.length; at += PAGE_BLOCKS)
      await examiner.examine(
        hashes.slice(at, at + PAGE_BLOCKS).map((hash) => ({ hash, sizeBytes: EIGHT_MIB, copies: COPIES })),
        0,
      );
  });
  const searched = await cost(async () => {
    for (let shard = 0; shard < SHARD_COUNT; shard++)
      for (const { nodes } of table.blocks(shard))
        if (nodes.includes(0)) throw new Error('There is no node 0.');
  });
  const referred = await cost(async () => {
    for (let at = 0; at < hashes.length; at += 512) await machine.references(hashes.slice(at, at + 512));
  });
  const { rows } = await machine.pin();
  const digested = await cost(() => treeDigest(rows));
  await rows[Symbol.asyncDispose]();
  const each = (microseconds: number): number => microseconds / hashes.length;
  return {
    sizeBytes,
    blocks: hashes.length,
    locatedBlockBytes: each(table.sizeBytes),
    announcedRecordMicroseconds: each(announced.cpuMicroseconds) / COPIES,
    surveyedBlockMicroseconds: each(scanned.cpuMicroseconds + examined.cpuMicroseconds),
    searchedBlockMicroseconds: each(searched.cpuMicroseconds),
    referenceMicroseconds: each(referred.cpuMicroseconds),
    scannedRowMicroseconds: digested.cpuMicroseconds / (FILES + hashes.length),
  };
}

interface FilledTree {
  readonly sizeBytes: number;
  readonly blocks: number;
  readonly locatedBlockBytes: number;
  readonly announcedRecordMicroseconds: number;
  readonly surveyedBlockMicroseconds: number;
  readonly searchedBlockMicroseconds: number;
  readonly referenceMicroseconds: number;
  readonly scannedRowMicroseconds: number;
}

/** As its datanodes would tell it, decoding included; the network is not. */
function announceAll(table: LocationTable, hashes: readonly string[]): void {
  for (let at = 0, sequence = 1; at < hashes.length; at += PAGE_BLOCKS, sequence++)
    for (let copy = 0; copy < COPIES; copy++) {
      const added = packHashes(hashes.slice(at, at + PAGE_BLOCKS));
      const node = 1 + ((sequence * 7 + copy * 331) % DATANODES);
      const batch = AnnounceRequest.create({ node, generation: 1, sequence, added });
      table.announce(AnnounceRequest.decode(AnnounceRequest.encode(batch).finish()));
    }
}

function examinerOf(table: LocationTable): BlockExaminer {
  return new BlockExaminer({
    states: { isLive: () => true, isCounted: () => true } as never,
    badCopies: new BadCopies({ clock: systemClock }),
    index: {
      isComplete: () => true,
      blocks: (shard) => table.blocks(shard),
      holders: (wanted) => {
        const { counts, nodes } = table.lookup(packHashes(wanted));
        let next = 0;
        return counts.map((count) => nodes.slice(next, (next += count)));
      },
    },
    atRisk: new AtRiskBlocks(),
    clock: systemClock,
  });
}

/** Plans for blocks that lost one of their copies, among a thousand datanodes. */
async function measureRepair(): Promise<{ readonly repairedBlockMicroseconds: number }> {
  const place = (node: number): { node: number; host: string } => ({ node, host: `host-${node}` });
  const state = {
    blocks: Array.from({ length: REPAIRED_BLOCKS }, (_, at) => ({
      hash: `${at}`,
      sizeBytes: EIGHT_MIB,
      wanted: COPIES,
      good: [1 + at, 1 + ((at * 31) % DATANODES)],
      leaving: [],
      arriving: [],
    })),
    candidates: Array.from({ length: DATANODES }, (_, at) => ({
      ...place(at + 1),
      freeBytes: 1e12,
      expectedBytes: 0,
    })),
    place,
    sending: new Map(),
    receiving: new Map(),
  };
  const plan = async (): Promise<unknown> =>
    planRepairs(state, { copies: 16, bytes: 3 * EIGHT_MIB }, new FreeSpacePlacement(), systemRandom);
  await plan();
  const { cpuMicroseconds } = await cost(plan);
  return { repairedBlockMicroseconds: cpuMicroseconds / REPAIRED_BLOCKS };
}
