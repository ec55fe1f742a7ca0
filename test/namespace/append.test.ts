/** @module Append as the state machine sees it: who may, what readers see meanwhile, what becomes of short blocks. */
import { beforeEach, describe, expect, it } from 'vitest';
import { KIB, toHex } from '../../src/common/bytes.ts';
import { DEFAULT_LEASE_MS, EXTENT_PAGE_BLOCKS } from '../../src/namespace/limits.ts';
import type { BlockRef, Grant, Result } from '../../src/namespace/schema.ts';
import { block, FoundedMachine, grantOf, outcome, statOf } from './founded-machine.ts';

const FULL = 64 * KIB;

describe('an append', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
  });

  const full = (...names: string[]): BlockRef[] => names.map((name) => block(name, FULL));
  const short = (name: string, sizeBytes = 10): BlockRef => block(name, sizeBytes);
  async function file(path: string, ...blocks: BlockRef[]): Promise<void> {
    statOf(await tree.do('createFile', { path, complete: true, blockSizeBytes: FULL, blocks }));
  }
  const open = async (path: string): Promise<Grant> => grantOf(await tree.do('openAppend', { path }));
  const gather = (claim: Grant, firstBlock: number, ...blocks: BlockRef[]): Promise<Result> =>
    tree.do('appendBlocks', { ...claimOf(claim), firstBlock, blocks });
  const close = (claim: Grant, keepBlocks: number): Promise<Result> =>
    tree.do('closeAppend', { ...claimOf(claim), keepBlocks });
  const claimOf = ({ inode, fencingToken }: Grant): { inode: number; fencingToken: number } => ({
    inode,
    fencingToken,
  });
  async function content(path: string): Promise<string[]> {
    const { blocks } = await tree.machine.fileBlocks({ path }, 0, 10_000);
    return blocks.map(({ hash }) => toHex(hash));
  }
  const hashes = (...blocks: BlockRef[]): string[] => blocks.map(({ hash }) => toHex(hash));

  async function append(path: string, keepBlocks: number, ...blocks: BlockRef[]): Promise<Result> {
    const claim = await open(path);
    await gather(claim, 0, ...blocks);
    return close(claim, keepBlocks);
  }

  it('shows nothing before its close, and then all at once, under a new version', async () => {
    await file('/f', ...full('a', 'b'));
    const before = await tree.machine.stat('/f');
    const claim = await open('/f');
    expect(claim.appendedTo).toMatchObject({ sizeBytes: 2 * FULL, blockCount: 2, version: before.version });
    await gather(claim, 0, ...full('c'));
    await gather(claim, 1, short('d'));
    expect(await tree.machine.stat('/f')).toEqual(before);
    const stat = statOf(await close(claim, 2));
    expect(stat).toMatchObject({ path: '/f', inode: before.inode, sizeBytes: 3 * FULL + 10, blockCount: 4 });
    expect(stat.version).toBeGreaterThan(before.version);
    expect(await content('/f')).toEqual(hashes(...full('a', 'b', 'c'), short('d')));
    expect(tree.machine.counters()).toMatchObject({ logicalBytes: 3 * FULL + 10, leases: 0, orphans: 0 });
  });

  it('is refused to a second one, until the first has closed or its lease has run out', async () => {
    await file('/f', ...full('a'));
    const first = await open('/f');
    const second = await tree.do('openAppend', { path: '/f' });
    expect(second.kind).toMatchObject({ $case: 'refused', value: { code: 'NAMESPACE_LEASE_HELD' } });
    await close(first, 1);
    const third = await open('/f');
    await gather(third, 0, short('gone'));
    tree.timeMs += DEFAULT_LEASE_MS;
    const fourth = await open('/f');
    expect(outcome(await close(third, 1))).toBe('NAMESPACE_LEASE_EXPIRED');
    expect(outcome(await gather(third, 1, short('late')))).toBe('NAMESPACE_LEASE_EXPIRED');
    await gather(fourth, 0, short('kept'));
    expect(outcome(await close(fourth, 1))).toBe('stat');
    await tree.clean();
    expect(await content('/f')).toEqual(hashes(...full('a'), short('kept')));
    expect(tree.machine.counters()).toMatchObject({ blocks: 2, leases: 0, orphans: 0 });
  });

  it('that is given up or runs out leaves the file as it was and frees what was gathered', async () => {
    await file('/f', ...full('a'));
    const given = await open('/f');
    await gather(given, 0, ...full('x', 'y'));
    await tree.do('abandonFile', claimOf(given));
    const expired = await open('/f');
    await gather(expired, 0, ...full('z'));
    tree.timeMs += DEFAULT_LEASE_MS;
    await tree.clean();
    expect(await content('/f')).toEqual(hashes(...full('a')));
    expect(tree.machine.counters()).toMatchObject({ blocks: 1, leases: 0, orphans: 0 });
    await open('/f');
  });

  it('follows its file when that is moved, and is refused when it is removed, replaced or below what is removed', async () => {
    await tree.do('makeDirectory', { path: '/d' });
    for (const name of ['moved', 'gone', 'replaced', 'd/below']) await file(`/${name}`, ...full(name));
    const claims = await Promise.all(['/moved', '/gone', '/replaced', '/d/below'].map(open));
    for (const claim of claims) await gather(claim, 0, short('tail'));
    await tree.do('rename', { from: '/moved', to: '/elsewhere' });
    await tree.do('unlink', { path: '/gone' });
    await file('/replaced', ...full('other'));
    await tree.do('removeTree', { path: '/d' });
    const results = await Promise.all(claims.map((claim) => close(claim, 1)));
    expect(results.map(outcome)).toEqual(['stat', ...Array(3).fill('NAMESPACE_NOT_FOUND')]);
    expect(statOf(results[0] as Result).path).toBe('/elsewhere');
    await tree.clean();
    for (const claim of claims.slice(1)) await tree.do('abandonFile', claimOf(claim));
    await tree.clean();
    expect(tree.machine.counters()).toMatchObject({ files: 2, blocks: 3, leases: 0, orphans: 0 });
  });

  it('replaces short blocks by what begins with their bytes, and frees them', async () => {
    await file('/f', ...full('a'), short('b', 100));
    expect(outcome(await append('/f', 2, short('c', 50)))).toBe('stat');
    expect(await tree.machine.stat('/f')).toMatchObject({ tailBlocks: 2, sizeBytes: FULL + 150 });
    expect(statOf(await append('/f', 2, short('cd', 70)))).toMatchObject({ sizeBytes: FULL + 170 });
    expect(await content('/f')).toEqual(hashes(...full('a'), short('b', 100), short('cd', 70)));
    const whole = statOf(await append('/f', 1, ...full('bcd'), short('e', 1)));
    expect(whole).toMatchObject({ tailBlocks: 0, sizeBytes: 2 * FULL + 1, blockCount: 3 });
    expect(await content('/f')).toEqual(hashes(...full('a', 'bcd'), short('e', 1)));
    expect(tree.machine.counters()).toMatchObject({ blocks: 3, blockBytes: 2 * FULL + 1 });
  });

  it('refuses what would lose bytes or break the order of full and short blocks', async () => {
    await file('/f', ...full('a'), short('b', 100));
    const refused = async (keepBlocks: number, ...blocks: BlockRef[]): Promise<string> => {
      const claim = await open('/f');
      if (blocks.length > 0) grantOf(await gather(claim, 0, ...blocks));
      const result = outcome(await close(claim, keepBlocks));
      await tree.do('abandonFile', claimOf(claim));
      return result;
    };
    expect(await refused(1, short('y', 99))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(await refused(0, ...full('u', 'v'))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(await refused(1)).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(await refused(3, short('w'))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(await refused(2, ...full('x'))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(await refused(1, short('p', 100), short('q'))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(await content('/f')).toEqual(hashes(...full('a'), short('b', 100)));
  });

  it('takes a file over several pages, whose references stay exact', async () => {
    const many = Array.from({ length: EXTENT_PAGE_BLOCKS + 5 }, (_, count) => `m${count}`);
    await file('/f', ...full(...many), short('s'));
    await tree.do('copyFile', { from: '/f', to: '/copy' });
    const more = Array.from({ length: 2 * EXTENT_PAGE_BLOCKS }, (_, count) => `n${count}`);
    statOf(await append('/f', many.length, ...full('s+', ...more)));
    expect(await content('/f')).toEqual(hashes(...full(...many, 's+', ...more)));
    expect(await content('/copy')).toEqual(hashes(...full(...many), short('s')));
    await tree.do('unlink', { path: '/f' });
    await tree.do('unlink', { path: '/copy' });
    await tree.clean();
    expect(tree.machine.counters()).toMatchObject({ blocks: 0, blockBytes: 0, wantedBytes: 0, orphans: 0 });
  });

  it('asks for as many copies as the file does by then', async () => {
    await file('/f', ...full('a'));
    const claim = await open('/f');
    await gather(claim, 0, ...full('b'));
    await tree.do('setReplication', { path: '/f', replication: 5 });
    await close(claim, 1);
    const wanted = await tree.machine.scanBlocks('', 10);
    expect(wanted.map(({ copies }) => copies)).toEqual([5, 5]);
  });

  it('is refused for another version, for directories and for what is not there', async () => {
    await file('/f', ...full('a'));
    const { version } = await tree.machine.stat('/f');
    const at = async (path: string, ifVersion: number): Promise<string> =>
      outcome(await tree.do('openAppend', { path, precondition: { ifAbsent: false, ifVersion } }));
    expect(await at('/f', version + 1)).toBe('NAMESPACE_VERSION_MISMATCH');
    expect(await at('/', 0)).toBe('NAMESPACE_IS_A_DIRECTORY');
    expect(await at('/no', 0)).toBe('NAMESPACE_NOT_FOUND');
    expect(await at('/f', version)).toBe('grant');
  });

  it('and the writing of a whole file are closed each in its own way', async () => {
    await file('/f');
    expect(outcome(await tree.do('closeFile', claimOf(await open('/f'))))).toBe('NAMESPACE_INVALID_ARGUMENT');
    const whole = grantOf(await tree.do('createFile', { path: '/g' }));
    expect(outcome(await close(whole, 0))).toBe('NAMESPACE_INVALID_ARGUMENT');
  });
});
