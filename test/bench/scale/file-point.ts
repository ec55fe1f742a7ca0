/** @module `node file-point.ts BLOCKS`: what operations on one file of so many blocks cost. Prints one line of JSON. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIB } from '../../../src/common/bytes.ts';
import {
  MAX_APPENDED_BLOCKS,
  MAX_BLOCKS_PER_COMMAND,
  MAX_FILE_BLOCKS,
  MAX_LEASE_MS,
} from '../../../src/namespace/limits.ts';
import type { Grant, Result } from '../../../src/namespace/schema.ts';
import { StateMachine } from '../../../src/namespace/state-machine.ts';
import { openRowStore } from '../../../src/storage/sqlite-row-store.ts';
import { block, FoundedMachine, grantOf, outcome } from '../../namespace/founded-machine.ts';
import { cost } from './child-point.ts';

const blocks = Number(process.argv[2]);
const PATH = '/file';
/** Blocks of one command, as the client sends them. */
const TOGETHER = 64;
/** Operations that count where one is too short to be measured. */
const REPEATED = 512;
const PLAN_BLOCKS = 256;

const directory = await mkdtemp(join(tmpdir(), 'holdfast-scale-'));
const store = await openRowStore(join(directory, 'namespace.db'));
const founded = await FoundedMachine.create(store);
try {
  console.log(JSON.stringify(await measure()));
} finally {
  await store.close();
  await rm(directory, { recursive: true });
}

async function measure(): Promise<Record<string, number>> {
  await write('/warm-up', TOGETHER * TOGETHER);
  const figures: Record<string, number> = { append: await write(PATH, blocks) };
  const { machine } = founded;
  figures['stat'] = await repeated(() => machine.stat(PATH));
  figures['firstPlan'] = await repeated(() => machine.fileBlocks({ path: PATH }, 0, PLAN_BLOCKS));
  const last = Math.max(0, blocks - PLAN_BLOCKS);
  figures['lastPlan'] = await repeated(() => machine.fileBlocks({ path: PATH }, last, PLAN_BLOCKS));
  figures['openAppend'] = await appendShort();
  figures['replicate'] = await perBlock(() => replicate(2));
  figures['copy'] = await perBlock(() => copyTo('/copy'));
  figures['copyTurn'] = await longestTurn(() => copyTo('/cold-copy'));
  figures['replicateTurn'] = await longestTurn(() => replicate(4));
  await restart();
  figures['coldCopy'] = await perBlock(() => copyTo('/colder-copy'));
  figures['remove'] = await perBlock(() => remove(PATH));
  figures['appendTurn'] = await longestTurn(() => appendMuch('/copy'));
  figures['removeTurn'] = await longestTurn(() => remove('/cold-copy'));
  return figures;
}

/** As the client does it. */
async function copyTo(path: string): Promise<Result> {
  const { inode: from, blockCount } = await founded.machine.stat(PATH);
  if (blockCount <= MAX_BLOCKS_PER_COMMAND) return founded.do('copyFile', { from: PATH, to: path });
  const copy = grantOf(await founded.do('createFile', { path, leaseMs: MAX_LEASE_MS, blockSizeBytes: MIB }));
  for (let firstBlock = 0; firstBlock < blockCount; )
    firstBlock = grantOf(await founded.do('copyBlocks', { ...copy, firstBlock, from })).blockCount;
  return founded.do('closeFile', copy);
}

function replicate(replication: number): Promise<Result> {
  return cleaned(founded.do('setReplication', { path: PATH, replication }));
}

/** Until nothing is left of it for Housekeeping to do. */
async function cleaned(work: Promise<Result>): Promise<Result> {
  const result = await work;
  await founded.clean();
  return result;
}

function remove(path: string): Promise<Result> {
  return cleaned(founded.do('unlink', { path }));
}

/** As many blocks as the file has, as far as one append may bring them. */
async function appendMuch(path: string): Promise<Result> {
  const { blockCount } = await founded.machine.stat(path);
  const gathering = grantOf(await founded.do('openAppend', { path, leaseMs: MAX_LEASE_MS }));
  await gather(gathering, Math.min(blocks, MAX_APPENDED_BLOCKS, MAX_FILE_BLOCKS - blockCount), 'more');
  return founded.do('closeAppend', { ...gathering, keepBlocks: blockCount - 1 });
}

/** With nothing in memory but what is read anew. */
async function restart(): Promise<void> {
  await founded.machine.flush();
  founded.machine = await StateMachine.open({ store });
}

/** Microseconds a block. */
async function write(path: string, count: number): Promise<number> {
  const grant = grantOf(await founded.do('createFile', { path, leaseMs: MAX_LEASE_MS, blockSizeBytes: MIB }));
  const microseconds = await gather(grant, count, path);
  const flushed = await cost(() => founded.machine.flush());
  mustSucceed(outcome(await founded.do('closeFile', grant)));
  return (microseconds + flushed.cpuMicroseconds) / count;
}

/** Microseconds in all. */
async function gather({ inode, fencingToken }: Grant, count: number, name: string): Promise<number> {
  let microseconds = 0;
  for (let first = 0; first < count; first += TOGETHER) {
    const part = Array.from({ length: Math.min(TOGETHER, count - first) }, (_, at) =>
      block(`${name} ${first + at}`),
    );
    const { cpuMicroseconds } = await cost(() =>
      founded.do('appendBlocks', { inode, fencingToken, firstBlock: first, blocks: part }),
    );
    microseconds += cpuMicroseconds;
  }
  return microseconds;
}

/** A last block that is replaced by one with more in it, again and again: as a log grows. */
async function appendShort(): Promise<number> {
  const { blockCount } = await founded.machine.stat(PATH);
  return repeated(async (at) => {
    const { inode, fencingToken } = grantOf(await founded.do('openAppend', { path: PATH }));
    const added = block(`short ${at}`, 1_000 + at);
    await founded.do('appendBlocks', { inode, fencingToken, firstBlock: 0, blocks: [added] });
    const keepBlocks = blockCount;
    mustSucceed(outcome(await founded.do('closeAppend', { inode, fencingToken, keepBlocks })));
  });
}

async function repeated(work: (at: number) => Promise<unknown>): Promise<number> {
  for (let at = 0; at < REPEATED; at++) await work(at);
  const { cpuMicroseconds } = await cost(async () => {
    for (let at = 0; at < REPEATED; at++) await work(REPEATED + at);
  });
  return cpuMicroseconds / REPEATED;
}

async function perBlock(work: () => Promise<Result>): Promise<number> {
  const { result, cpuMicroseconds } = await cost(async () => {
    const answer = await work();
    await founded.machine.flush();
    return answer;
  });
  mustSucceed(outcome(result));
  return cpuMicroseconds / blocks;
}

function mustSucceed(result: string): void {
  // Codes of refusals are in capitals.
  if (/^[A-Z]/.test(result)) throw new Error(`The state machine refused: ${result}.`);
}

/** Milliseconds of processor that one turn of the event loop takes at most, after a restart. */
async function longestTurn(work: () => Promise<Result>): Promise<number> {
  await restart();
  let longest = 0;
  let before = process.threadCpuUsage();
  const look = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    longest = Math.max(longest, (user + system) / 1_000);
  };
  const timer = setInterval(look, 1);
  try {
    mustSucceed(outcome(await work()));
    await founded.machine.flush();
  } finally {
    clearInterval(timer);
  }
  look();
  return longest;
}
