/** @module Files too large for one step of the log: copied in parts that nobody sees, replicated by and by. */
import { beforeEach, describe, expect, it } from 'vitest';
import { KIB, toHex } from '../../src/common/bytes.ts';
import { checkBlockCount } from '../../src/namespace/block-references.ts';
import {
  EXTENT_PAGE_BLOCKS,
  MAX_BLOCKS_PER_COMMAND,
  MAX_FILE_BLOCKS,
  MAX_TAIL_BLOCKS,
} from '../../src/namespace/limits.ts';
import type { RowView } from '../../src/namespace/row-view.ts';
import type { BlockRef, Grant, Result } from '../../src/namespace/schema.ts';
import { block, FoundedMachine, grantOf, outcome, statOf } from './founded-machine.ts';

const FULL = 64 * KIB;
/** Two parts and some. */
const BLOCKS = 2 * MAX_BLOCKS_PER_COMMAND + 300;
const BIG = Array.from({ length: BLOCKS }, (_, at) => block(`big ${at}`, FULL));
const short = (name: string, sizeBytes = 10): BlockRef => block(name, sizeBytes);
const hashesOf = (blocks: readonly BlockRef[]): string[] => blocks.map(({ hash }) => toHex(hash));

let tree: FoundedMachine;

async function write(path: string, blocks: readonly BlockRef[]): Promise<void> {
  const grant = grantOf(await tree.do('createFile', { path, blockSizeBytes: FULL }));
  await append(grant, blocks);
  statOf(await tree.do('closeFile', grant));
}

async function append(grant: Grant, blocks: readonly BlockRef[]): Promise<void> {
  for (let at = 0; at < blocks.length; at += MAX_BLOCKS_PER_COMMAND) {
    const part = blocks.slice(at, at + MAX_BLOCKS_PER_COMMAND);
    grantOf(await tree.do('appendBlocks', { ...grant, firstBlock: at, blocks: part }));
  }
}

async function appendTo(path: string, keepBlocks: number, ...blocks: BlockRef[]): Promise<void> {
  const grant = grantOf(await tree.do('openAppend', { path }));
  await append(grant, blocks);
  statOf(await tree.do('closeAppend', { ...grant, keepBlocks }));
}

async function content(path: string): Promise<string[]> {
  return hashesOf((await tree.machine.fileBlocks({ path }, 0, 10 * BLOCKS)).blocks);
}

const openCopy = async (path: string, blockSizeBytes = FULL): Promise<Grant> =>
  grantOf(await tree.do('createFile', { path, blockSizeBytes }));

const takePart = (copy: Grant, firstBlock: number, from: number): Promise<Result> =>
  tree.do('copyBlocks', { ...copy, firstBlock, from });

/** Gives how many parts it took. */
async function takeAll(copy: Grant, from: number): Promise<number> {
  for (let parts = 1, firstBlock = 0; ; parts++) {
    const { blockCount, appendedTo } = grantOf(await takePart(copy, firstBlock, from));
    if (blockCount === appendedTo?.blockCount) return parts;
    firstBlock = blockCount;
  }
}

/** How many blocks of the namespace want how many copies. */
async function wanted(): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { copies } of await tree.machine.scanBlocks('', 10_000))
    counts[copies] = (counts[copies] ?? 0) + 1;
  return counts;
}

describe('a copy of a large file', () => {
  beforeEach(async () => {
    tree = await FoundedMachine.create();
  });

  it('is refused to who wants it in one step, after all that stands against it anyway', async () => {
    await write('/big', BIG);
    await tree.put('/taken', 'x');
    const copy = (to: string, noClobber = false): Promise<string> =>
      tree.do('copyFile', { from: '/big', to, noClobber }).then(outcome);
    expect(await copy('/taken', true)).toBe('NAMESPACE_EXISTS');
    expect(await copy('/big')).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(await copy('/nowhere/copy')).toBe('NAMESPACE_NOT_FOUND');
    const { files } = tree.machine.counters();
    expect(await copy('/copy')).toBe('NAMESPACE_TOO_MANY_BLOCKS');
    expect(tree.machine.counters().files).toBe(files);
    await write('/small', BIG.slice(0, MAX_BLOCKS_PER_COMMAND));
    expect(outcome(await tree.do('copyFile', { from: '/small', to: '/copy' }))).toBe('stat');
  });

  it('is seen whole or not at all, has the same blocks, and outlives its source', async () => {
    await write('/big', [...BIG, short('end')]);
    const source = await tree.machine.stat('/big');
    const copy = await openCopy('/copy');
    expect(await takeAll(copy, source.inode)).toBe(3);
    expect(await tree.names('/')).toEqual(['big']);
    const stat = statOf(await tree.do('closeFile', copy));
    expect(stat).toMatchObject({ sizeBytes: source.sizeBytes, blockCount: BLOCKS + 1 });
    await tree.do('unlink', { path: '/big' });
    await tree.clean();
    expect(await content('/copy')).toEqual(hashesOf([...BIG, short('end')]));
    await tree.do('unlink', { path: '/copy' });
    await tree.clean();
    expect(tree.machine.counters()).toMatchObject({ blocks: 0, blockBytes: 0, wantedBytes: 0, leases: 0 });
  });

  it('is the file as it was when the last part was taken, whatever was appended before', async () => {
    const file = [...BIG.slice(0, MAX_BLOCKS_PER_COMMAND), short('a'), short('b')];
    await write('/log', file);
    // As the client keeps it: two short blocks at the end.
    await appendTo('/log', file.length - 1, short('b and c', 20));
    const { inode, tailBlocks } = await tree.machine.stat('/log');
    expect(tailBlocks).toBe(2);
    const copy = await openCopy('/copy');
    const first = grantOf(await takePart(copy, 0, inode));
    // Short blocks may be replaced by the next append, so they come with the last part.
    expect(first.blockCount).toBe(file.length - MAX_TAIL_BLOCKS);
    const more = [block('a, b and c, full', FULL), short('d')];
    await appendTo('/log', MAX_BLOCKS_PER_COMMAND, ...more);
    const second = grantOf(await takePart(copy, first.blockCount, inode));
    expect(second.blockCount).toBe(second.appendedTo?.blockCount);
    statOf(await tree.do('closeFile', copy));
    await appendTo('/log', MAX_BLOCKS_PER_COMMAND + 2, short('e'));
    const now = [...file.slice(0, MAX_BLOCKS_PER_COMMAND), ...more];
    expect(await content('/copy')).toEqual(hashesOf(now));
    expect(await content('/log')).toEqual(hashesOf([...now, short('e')]));
    expect(await tree.machine.stat('/copy')).toMatchObject({ tailBlocks: 0 });
    expect(await tree.machine.stat('/log')).toMatchObject({ tailBlocks: 2 });
  });

  it('says how many short blocks it ends with', async () => {
    await write('/log', [...BIG, short('a')]);
    await appendTo('/log', BLOCKS + 1, short('b'));
    const copy = await openCopy('/copy');
    await takeAll(copy, (await tree.machine.stat('/log')).inode);
    expect(statOf(await tree.do('closeFile', copy)).tailBlocks).toBe(2);
  });

  it('is refused once its source is removed or replaced, and what it has is freed with the lease', async () => {
    for (const change of ['unlink', 'replace', 'removeTree'] as const) {
      await tree.do('makeDirectory', { path: '/d', parents: true });
      await write('/d/big', BIG);
      const { inode } = await tree.machine.stat('/d/big');
      const copy = await openCopy('/copy');
      grantOf(await takePart(copy, 0, inode));
      if (change === 'replace') await tree.put('/d/big', 'other');
      else await tree.do(change, { path: change === 'unlink' ? '/d/big' : '/d' });
      expect(outcome(await takePart(copy, MAX_BLOCKS_PER_COMMAND, inode)), change).toBe(
        'NAMESPACE_NOT_FOUND',
      );
      await tree.do('abandonFile', copy);
      await tree.do('removeTree', { path: '/d' });
      await tree.clean();
      expect(tree.machine.counters()).toMatchObject({ files: 0, blocks: 0, leases: 0, orphans: 0 });
    }
  });

  it('takes no part twice, none of another block size, and none after its end', async () => {
    await write('/big', BIG);
    await write('/end', [...BIG.slice(0, 3), short('end')]);
    const [{ inode }, end] = [await tree.machine.stat('/big'), await tree.machine.stat('/end')];
    const other = await openCopy('/other', 2 * FULL);
    expect(outcome(await takePart(other, 0, inode))).toBe('NAMESPACE_INVALID_ARGUMENT');
    const copy = await openCopy('/copy');
    expect(outcome(await takePart({ ...copy, fencingToken: 0 }, 0, inode))).toBe('NAMESPACE_LEASE_HELD');
    grantOf(await takePart(copy, 0, inode));
    expect(outcome(await takePart(copy, 0, inode))).toBe('NAMESPACE_INVALID_ARGUMENT');
    const ended = await openCopy('/ended');
    await takeAll(ended, end.inode);
    for (const from of [inode, end.inode])
      expect(outcome(await takePart(ended, 4, from))).toBe('NAMESPACE_INVALID_ARGUMENT');
    const appending = grantOf(await tree.do('openAppend', { path: '/end' }));
    expect(outcome(await takePart(appending, 0, inode))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(outcome(await takePart(copy, MAX_BLOCKS_PER_COMMAND, appending.inode))).toBe(
      'NAMESPACE_NOT_FOUND',
    );
  });
});

describe('replication of a large file', () => {
  beforeEach(async () => {
    tree = await FoundedMachine.create();
    await write('/big', BIG);
  });

  const step = (limit: number): Promise<Result> => tree.do('housekeeping', { limit });
  const set = async (path: string, replication: number): Promise<number> =>
    statOf(await tree.do('setReplication', { path, replication })).replication;

  it('is said at once and reaches the blocks in bounded steps that a restart does not lose', async () => {
    expect(await set('/big', 5)).toBe(5);
    expect(await wanted()).toEqual({ 3: BLOCKS });
    expect(tree.machine.housekeepingDue(tree.timeMs)).toBe(true);
    for (let steps = 1; tree.machine.housekeepingDue(tree.timeMs); steps++) {
      const before = (await wanted())[5] ?? 0;
      await step(4 * EXTENT_PAGE_BLOCKS);
      const after = (await wanted())[5] ?? 0;
      expect(after - before).toBeGreaterThan(0);
      expect(after - before).toBeLessThanOrEqual(2 * EXTENT_PAGE_BLOCKS);
      if (steps % 5 !== 0) continue;
      await tree.machine.flush();
      await tree.reopen();
    }
    expect(await wanted()).toEqual({ 5: BLOCKS });
    expect(tree.machine.counters().wantedBytes).toBe(5 * BLOCKS * FULL);
    await tree.machine.flush();
    expect(await tree.store.scan('deadline', '', '~', 10)).toEqual([]);
  });

  it('that is set again on the way is the last one, for blocks from one end to the other', async () => {
    await set('/big', 5);
    await step(1_000);
    tree.timeMs += 1;
    await set('/big', 2);
    await step(1_000);
    await set('/big', 4);
    await tree.clean();
    expect(await wanted()).toEqual({ 4: BLOCKS });
    expect(tree.machine.counters().wantedBytes).toBe(4 * BLOCKS * FULL);
  });

  it('is forgotten for a file that is removed on the way, and nothing waits behind it', async () => {
    await set('/big', 5);
    await tree.put('/other', 'x');
    await tree.do('unlink', { path: '/other' });
    await step(1_000);
    expect(tree.machine.counters().orphans).toBe(0);
    await tree.do('unlink', { path: '/big' });
    const { kind } = await step(1_000);
    expect(kind?.$case === 'housekeeping' && kind.value.freedBlocks).toBeGreaterThan(900);
    await tree.clean();
    expect(tree.machine.counters()).toMatchObject({ blocks: 0, orphans: 0, wantedBytes: 0 });
    await tree.machine.flush();
    expect(await tree.store.scan('deadline', '', '~', 10)).toEqual([]);
  });

  it('leaves blocks that a copy shares at what the most demanding asks for', async () => {
    const copy = await openCopy('/copy');
    await takeAll(copy, (await tree.machine.stat('/big')).inode);
    await tree.do('closeFile', copy);
    await set('/copy', 4);
    await set('/big', 1);
    await tree.clean();
    expect(await wanted()).toEqual({ 4: BLOCKS });
  });

  it('that is set while much is appended reaches what was appended, too', async () => {
    const grant = grantOf(await tree.do('openAppend', { path: '/big' }));
    const more = Array.from({ length: MAX_BLOCKS_PER_COMMAND + 1 }, (_, at) => block(`more ${at}`, FULL));
    await append(grant, more);
    await set('/big', 5);
    await tree.clean();
    expect(await wanted()).toEqual({ 3: more.length, 5: BLOCKS });
    statOf(await tree.do('closeAppend', { ...grant, keepBlocks: BLOCKS }));
    await tree.clean();
    expect(await wanted()).toEqual({ 5: BLOCKS + more.length });
  });

  it('goes on where short blocks that were replaced took the last page with them', async () => {
    const tail = Array.from({ length: MAX_TAIL_BLOCKS }, (_, at) => short(`tail ${at}`));
    const full = Math.ceil(BLOCKS / EXTENT_PAGE_BLOCKS) * EXTENT_PAGE_BLOCKS - 1;
    const fill = Array.from({ length: full - BLOCKS }, (_, at) => block(`fill ${at}`, FULL));
    await appendTo('/big', BLOCKS, ...fill, tail[0] as BlockRef);
    for (const [at, end] of tail.slice(1).entries()) await appendTo('/big', full + 1 + at, end);
    await set('/big', 5);
    await appendTo('/big', full, short('all of the tail', 10 * MAX_TAIL_BLOCKS));
    await tree.clean();
    expect(await wanted()).toEqual({ 5: full + 1 });
  });
});

describe('below feature level 3', () => {
  it('a file is copied and replicated in one step, as older nodes do it', async () => {
    tree = await FoundedMachine.create(undefined, {}, 2);
    await write('/big', BIG);
    const { inode } = await tree.machine.stat('/big');
    expect(outcome(await takePart(await openCopy('/part'), 0, inode))).toBe('NAMESPACE_FEATURE_NOT_ACTIVE');
    expect(outcome(await tree.do('copyFile', { from: '/big', to: '/copy' }))).toBe('stat');
    await tree.do('setReplication', { path: '/big', replication: 5 });
    expect(await wanted()).toEqual({ 5: BLOCKS });
    expect(tree.machine.housekeepingDue(tree.timeMs)).toBe(false);
  });

  it('a file has at most as many blocks as older nodes allow', () => {
    const level = (featureLevel: number): RowView => ({ cluster: { featureLevel } }) as RowView;
    checkBlockCount(level(2), 65_536);
    // The text is stored as the answer to a request, so it must stay what it was.
    expect(() => checkBlockCount(level(2), 65_537)).toThrow(
      'A file has at most 65536 blocks; use a larger block size.',
    );
    checkBlockCount(level(3), MAX_FILE_BLOCKS);
    expect(() => checkBlockCount(level(3), MAX_FILE_BLOCKS + 1)).toThrow('at most 1048576 blocks');
  });
});
