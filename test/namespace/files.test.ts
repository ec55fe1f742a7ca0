import { beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../../src/common/bytes.ts';
import { EXTENT_PAGE_BLOCKS } from '../../src/namespace/limits.ts';
import type { Grant } from '../../src/namespace/schema.ts';
import { block, command, FoundedMachine, grantOf, outcome, type Request, statOf } from './founded-machine.ts';

function hashes(...names: string[]): string[] {
  return names.map((text) => Buffer.from(block(text).hash).toString('hex'));
}

function creation(text: string): Request {
  const blocks = [block(text)];
  return {
    session: '',
    sequence: 0,
    ackedBelow: 0,
    command: command('createFile', { path: '/f', complete: true, blocks }),
  };
}

describe('files', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
  });
  const open = async (path: string): Promise<Grant> => grantOf(await tree.do('createFile', { path }));
  const append = async (grant: Grant, firstBlock: number, ...texts: string[]): Promise<string> =>
    outcome(
      await tree.do('appendBlocks', { ...grant, firstBlock, blocks: texts.map((text) => block(text)) }),
    );
  const texts = async (path: string): Promise<string[]> => {
    const { blocks } = await tree.machine.fileBlocks({ path }, 0, 10_000);
    return blocks.map(({ hash }) => Buffer.from(hash).toString('hex'));
  };

  it('is seen only once it is closed, then whole', async () => {
    const grant = await open('/f');
    expect(await append(grant, 0, 'a', 'b')).toBe('grant');
    await expect(tree.machine.stat('/f')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    await expect(tree.machine.fileBlocks({ inode: grant.inode }, 0, 1)).rejects.toMatchObject({
      code: 'NAMESPACE_NOT_FOUND',
    });
    expect(statOf(await tree.do('closeFile', grant))).toMatchObject({
      sizeBytes: 2 * MIB,
      blockCount: 2,
      replication: 3,
    });
    expect(await texts('/f')).toEqual(hashes('a', 'b'));
    expect(tree.machine.counters()).toMatchObject({
      files: 1,
      leases: 0,
      logicalBytes: 2 * MIB,
      blocks: 2,
      blockBytes: 2 * MIB,
      wantedBytes: 6 * MIB,
    });
  });

  it('takes blocks only where the file ends', async () => {
    const grant = await open('/f');
    expect(await append(grant, 1, 'a')).toBe('NAMESPACE_INVALID_ARGUMENT');
    await append(grant, 0, 'a');
    expect(await append(grant, 0, 'a')).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(await append(grant, 1, 'b')).toBe('grant');
  });

  it('takes blocks only from the holder of the lease', async () => {
    const grant = await open('/f');
    const other = { ...grant, fencingToken: grant.fencingToken + 1 };
    expect(await append(other, 0, 'a')).toBe('NAMESPACE_LEASE_HELD');
    expect(outcome(await tree.do('closeFile', other))).toBe('NAMESPACE_LEASE_HELD');
    expect(outcome(await tree.do('abandonFile', other))).toBe('NAMESPACE_LEASE_HELD');
    expect(outcome(await tree.do('renewLease', { ...grant, inode: 99 }))).toBe('NAMESPACE_LEASE_EXPIRED');
  });

  it('keeps a lease alive by appending, and refuses all once it ran out', async () => {
    const grant = await open('/f');
    tree.timeMs += 50_000;
    expect(await append(grant, 0, 'a')).toBe('grant');
    tree.timeMs += 50_000;
    expect(outcome(await tree.do('renewLease', grant))).toBe('grant');
    tree.timeMs += 60_000;
    expect(await append(grant, 1, 'b')).toBe('NAMESPACE_LEASE_EXPIRED');
    expect(outcome(await tree.do('closeFile', grant))).toBe('NAMESPACE_LEASE_EXPIRED');
    expect(outcome(await tree.do('abandonFile', grant))).toBe('done');
    expect(outcome(await tree.do('abandonFile', grant))).toBe('NAMESPACE_LEASE_EXPIRED');
  });

  it('lets the last of two writers to close win whole', async () => {
    const first = await open('/f');
    const second = await open('/f');
    await append(first, 0, 'a');
    await append(second, 0, 'b', 'c');
    await tree.do('closeFile', second);
    const { inode, version } = await tree.machine.stat('/f');
    expect(outcome(await tree.do('closeFile', first))).toBe('stat');
    expect(await texts('/f')).toEqual(hashes('a'));
    const replaced = await tree.machine.fileBlocks({ inode, version }, 1, 5);
    expect(replaced.blocks).toEqual([block('c')]);
    await tree.clean();
    await expect(tree.machine.fileBlocks({ inode, version }, 0, 5)).rejects.toMatchObject({
      code: 'NAMESPACE_NOT_FOUND',
    });
    expect(tree.machine.counters()).toMatchObject({ files: 1, blocks: 1, logicalBytes: MIB, orphans: 0 });
  });

  it('keeps the lease when the parent is gone at close, so that the writer can abandon', async () => {
    await tree.do('makeDirectory', { path: '/d' });
    const grant = await open('/d/f');
    await append(grant, 0, 'a');
    await tree.do('removeTree', { path: '/d' });
    expect(outcome(await tree.do('closeFile', grant))).toBe('NAMESPACE_NOT_FOUND');
    expect(outcome(await tree.do('abandonFile', grant))).toBe('done');
    await tree.clean();
    expect(tree.machine.counters()).toMatchObject({ blocks: 0, leases: 0, orphans: 0, wantedBytes: 0 });
  });

  it('checks the precondition at close and leaves the lease when it fails', async () => {
    const grant = await open('/f');
    await tree.put('/f', 'x');
    const close = (precondition: { ifAbsent: boolean; ifVersion: number }): Promise<string> =>
      tree.do('closeFile', { ...grant, precondition }).then(outcome);
    expect(await close({ ifAbsent: true, ifVersion: 0 })).toBe('NAMESPACE_EXISTS');
    const { version } = await tree.machine.stat('/f');
    expect(await close({ ifAbsent: false, ifVersion: version + 1 })).toBe('NAMESPACE_VERSION_MISMATCH');
    expect(await close({ ifAbsent: false, ifVersion: version })).toBe('stat');
  });

  it('gives contents that follow each other in one log entry different versions', async () => {
    const [first, second] = await tree.batch([creation('a'), creation('b')]);
    expect(statOf(first!).version).not.toBe(statOf(second!).version);
  });

  it('refuses to put a file over a directory, and through a file', async () => {
    await tree.do('makeDirectory', { path: '/d' });
    await tree.put('/f');
    expect(outcome(await tree.put('/d'))).toBe('NAMESPACE_IS_A_DIRECTORY');
    expect(outcome(await tree.put('/'))).toBe('NAMESPACE_IS_A_DIRECTORY');
    expect(outcome(await tree.put('/f/x'))).toBe('NAMESPACE_NOT_A_DIRECTORY');
    const grant = await open('/later');
    await tree.do('makeDirectory', { path: '/later' });
    expect(outcome(await tree.do('closeFile', grant))).toBe('NAMESPACE_IS_A_DIRECTORY');
  });

  it('refuses impossible blocks, sizes and replications', async () => {
    const create = (fields: object): Promise<string> =>
      tree.do('createFile', { path: '/f', complete: true, ...fields }).then(outcome);
    const bad = 'NAMESPACE_INVALID_ARGUMENT';
    expect(await create({ blocks: [{ hash: new Uint8Array(31), sizeBytes: 1 }] })).toBe(bad);
    expect(await create({ blocks: [block('a', 0)] })).toBe(bad);
    expect(await create({ blocks: [block('a', 9 * MIB)] })).toBe(bad);
    expect(await create({ blockSizeBytes: 1 })).toBe(bad);
    expect(await create({ replication: 17 })).toBe(bad);
    expect(await create({ complete: false, blocks: [block('a')] })).toBe(bad);
    expect(await create({ blocks: [block('a', 1), block('a', 2)] })).toBe(bad);
    expect(tree.machine.counters()).toMatchObject({ files: 0, blocks: 0, nextInode: 2 });
  });

  it('reads any range of a file of many pages', async () => {
    const names = Array.from({ length: 2 * EXTENT_PAGE_BLOCKS + 10 }, (_, position) => `n${position}`);
    const grant = await open('/big');
    for (let at = 0; at < names.length; at += 50) await append(grant, at, ...names.slice(at, at + 50));
    await tree.do('closeFile', grant);
    await tree.machine.flush();
    expect(await texts('/big')).toEqual(hashes(...names));
    const { blocks } = await tree.machine.fileBlocks({ path: '/big' }, 60, 70);
    expect(blocks).toEqual(names.slice(60, 130).map((text) => block(text)));
    expect((await tree.machine.fileBlocks({ path: '/big' }, 999, 5)).blocks).toEqual([]);
  });

  it('copies by reference: the blocks live until the last file is gone', async () => {
    await tree.put('/f', 'a', 'a', 'b');
    expect(outcome(await tree.do('copyFile', { from: '/f', to: '/f' }))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(outcome(await tree.do('copyFile', { from: '/', to: '/g' }))).toBe('NAMESPACE_IS_A_DIRECTORY');
    const copy = statOf(await tree.do('copyFile', { from: '/f', to: '/g' }));
    expect(copy).toMatchObject({ sizeBytes: 3 * MIB, blockCount: 3, path: '/g' });
    expect(outcome(await tree.do('copyFile', { from: '/f', to: '/g', noClobber: true }))).toBe(
      'NAMESPACE_EXISTS',
    );
    await tree.do('unlink', { path: '/f' });
    await tree.clean();
    expect(await texts('/g')).toEqual(hashes('a', 'a', 'b'));
    expect((await tree.machine.scanBlocks('', 10)).map(({ hash }) => hash)).toEqual(
      hashes('a', 'b').toSorted(),
    );
    await tree.do('unlink', { path: '/g' });
    await tree.clean();
    expect(await tree.machine.scanBlocks('', 10)).toEqual([]);
    await tree.machine.flush();
    await tree.put('/h', 'a');
    await tree.machine.flush();
    expect(await tree.store.scan('extent', '', '~', 10)).toHaveLength(1);
  });

  it('wants the copies that the most demanding file asks for', async () => {
    await tree.put('/f', 'a');
    const copies = async (): Promise<(number | undefined)[]> => {
      const [row] = await tree.machine.scanBlocks('', 1);
      return [row?.copies, tree.machine.counters().wantedBytes / MIB];
    };
    await tree.do('setReplication', { path: '/f', replication: 1 });
    expect(await copies()).toEqual([1, 1]);
    await tree.do('copyFile', { from: '/f', to: '/g' });
    await tree.do('setReplication', { path: '/g', replication: 4 });
    expect(await copies()).toEqual([4, 4]);
    await tree.do('setReplication', { path: '/g', replication: 2 });
    expect(await copies()).toEqual([4, 4]);
    expect((await tree.machine.stat('/g')).replication).toBe(2);
    expect(outcome(await tree.do('setReplication', { path: '/g' }))).toBe('NAMESPACE_INVALID_ARGUMENT');
  });

  it('touches what is there and creates what is not, with time from the log alone', async () => {
    expect(statOf(await tree.do('touch', { path: '/t' }))).toMatchObject({
      sizeBytes: 0,
      mtimeMs: tree.timeMs,
    });
    const { version } = await tree.machine.stat('/t');
    const touched = statOf(await tree.do('touch', { path: '/t', mtimeMs: 5 }));
    expect(touched).toMatchObject({ mtimeMs: 5, version });
    expect(outcome(await tree.do('touch', { path: '/' }))).toBe('stat');
    const before = tree.timeMs;
    tree.timeMs -= 86_400_000;
    expect(statOf(await tree.do('touch', { path: '/u' })).mtimeMs).toBe(before);
  });
});
