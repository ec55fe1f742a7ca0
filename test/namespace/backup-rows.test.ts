/** @module A backup of the namespace says what the tree is, whatever else the tables hold, and whether it has changed. */
import { beforeEach, describe, expect, it } from 'vitest';
import { EXTENT_PAGE_BLOCKS } from '../../src/namespace/limits.ts';
import { type BackupKind, decodeBackup } from '../../src/namespace/backup-records.ts';
import { BACKUP_DIRECTORY, backupOf, treeDigest } from '../../src/namespace/backup-rows.ts';
import { block, FoundedMachine, grantOf } from './founded-machine.ts';

describe('a backup of the namespace', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
  });

  async function records(): Promise<BackupKind[]> {
    const { rows } = await tree.machine.pin();
    await using pinned = rows;
    const found: BackupKind[] = [];
    const state = { cluster: 'c1', index: 7, timeMs: 9 };
    for await (const kind of decodeBackup(backupOf(pinned, state))) found.push(kind);
    return found;
  }
  async function digest(): Promise<string> {
    const { rows } = await tree.machine.pin();
    await using pinned = rows;
    return await treeDigest(pinned);
  }
  const names = (kinds: readonly BackupKind[]): string[] =>
    kinds.flatMap((kind) => (kind.$case === 'entry' ? [kind.value.inode?.name ?? ''] : []));

  it('has every entry with all its blocks, over several pages', async () => {
    const texts = Array.from({ length: EXTENT_PAGE_BLOCKS + 1 }, (_, at) => `${at}`);
    await tree.do('makeDirectory', { path: '/d' });
    await tree.put('/d/large', ...texts);
    await tree.put('/small', 'x');
    await tree.do('touch', { path: '/empty' });
    const kinds = await records();
    expect(kinds[0]).toMatchObject({ $case: 'header', value: { cluster: 'c1', index: 7, timeMs: 9 } });
    expect(names(kinds)).toEqual(['', 'd', 'large', 'small', 'empty']);
    const blocks = kinds.flatMap((kind) => (kind.$case === 'blocks' ? [kind.value.blocks.length] : []));
    expect(blocks).toEqual([EXTENT_PAGE_BLOCKS, 1, 1]);
  });

  it('names files that are being written or appended to, and has nothing half of them', async () => {
    await tree.put('/log', 'a');
    const { inode } = await tree.machine.stat('/log');
    const lease = grantOf(await tree.do('createFile', { path: '/new' }));
    await tree.do('appendBlocks', { ...lease, firstBlock: 0, blocks: [block('n')] });
    const appending = grantOf(await tree.do('openAppend', { path: '/log' }));
    const kinds = await records();
    expect(names(kinds)).toEqual(['', 'log']);
    const open = kinds.flatMap((kind) => (kind.$case === 'end' ? kind.value.openInodes : []));
    expect(open.toSorted((a, b) => a - b)).toEqual([inode, lease.inode, appending.inode]);
  });

  it('has changed when anything of the tree has, and not for backups, members or time', async () => {
    await tree.put('/a', 'x');
    const before = await digest();
    await tree.do('makeDirectory', { path: BACKUP_DIRECTORY, parents: true });
    await tree.put(`${BACKUP_DIRECTORY}/one`, 'b');
    await tree.do('beginEra', { era: 1 });
    expect(await digest()).toBe(before);
    expect(names(await records())).toEqual(['', 'a']);
    await tree.do('rename', { from: '/a', to: '/b' });
    expect(await digest()).not.toBe(before);
  });
});
