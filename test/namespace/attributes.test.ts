/** @module Owner, group, mode, times, defaults of directories, and how deep a tree may be. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_DEPTH } from '../../src/namespace/limits.ts';
import { FoundedMachine, outcome, statOf } from './founded-machine.ts';

let tree: FoundedMachine;
beforeEach(async () => {
  tree = await FoundedMachine.create();
});

const ada = { owner: 'ada', group: 'staff', mode: 0o640 };

describe('owner and mode', () => {
  it('are kept as the maker said, and shown in listings', async () => {
    await tree.do('createFile', { path: '/d/f', parents: true, complete: true, attributes: ada });
    expect(await tree.machine.stat('/d/f')).toMatchObject(ada);
    // The mode was that of the file.
    expect(await tree.machine.stat('/d')).toMatchObject({ owner: 'ada', group: 'staff', mode: undefined });
    await tree.do('touch', { path: '/t', attributes: ada });
    await tree.do('makeSymlink', { path: '/l', target: 't', attributes: { ...ada, mode: undefined } });
    const { entries } = await tree.machine.list('/', '', 10);
    expect(entries.map(({ stat }) => stat?.owner)).toEqual(['ada', 'ada', 'ada']);
  });

  it('stay when a file is written over, unless the writer names a mode', async () => {
    const bob = { owner: 'bob', group: 'users' };
    await tree.do('createFile', { path: '/f', complete: true, attributes: ada });
    await tree.do('createFile', { path: '/f', complete: true, attributes: bob });
    expect(await tree.machine.stat('/f')).toMatchObject(ada);
    const grant = await tree.do('createFile', { path: '/f', attributes: { ...bob, mode: 0 } });
    const { inode, fencingToken } = (grant.kind as { value: { inode: number; fencingToken: number } }).value;
    expect(statOf(await tree.do('closeFile', { inode, fencingToken }))).toMatchObject({ ...ada, mode: 0 });
  });

  it('go with a rename; a copy has its own owner and the mode of its source', async () => {
    await tree.do('createFile', { path: '/f', complete: true, attributes: ada });
    await tree.do('copyFile', { from: '/f', to: '/c', attributes: { owner: 'bob', group: 'b' } });
    expect(await tree.machine.stat('/c')).toMatchObject({ owner: 'bob', group: 'b', mode: 0o640 });
    await tree.do('rename', { from: '/f', to: '/c' });
    expect(await tree.machine.stat('/c')).toMatchObject(ada);
  });

  it('are changed one by one, of the link itself when that is asked for', async () => {
    await tree.do('createFile', { path: '/f', complete: true, attributes: ada });
    await tree.do('makeSymlink', { path: '/l', target: 'f', attributes: { owner: 'x', group: 'y' } });
    const set = async (fields: object): Promise<string> =>
      outcome(await tree.do('setAttributes', { path: '/l', ...fields }));
    tree.timeMs += 5;
    expect(await set({ mode: 0o400 })).toBe('stat');
    expect(await set({ owner: 'eve' })).toBe('stat');
    expect(await set({ mtimeMs: 7 })).toBe('stat');
    const changed = { owner: 'eve', group: 'staff', mode: 0o400, mtimeMs: 7, ctimeMs: tree.timeMs };
    expect(await tree.machine.stat('/f')).toMatchObject(changed);
    expect(await set({ noFollow: true, group: 'z' })).toBe('stat');
    expect(await tree.machine.stat('/l', { noFollow: true })).toMatchObject({ owner: 'x', group: 'z' });
    expect(await tree.machine.stat('/f')).toMatchObject(changed);
  });

  it.each([{ mode: 0o10000 }, { owner: 'a:b' }, { group: 'a\nb' }, { owner: 'x'.repeat(256) }])(
    'refuse %j',
    async (fields) => {
      expect(outcome(await tree.do('setAttributes', { path: '/', ...fields }))).toBe(
        'NAMESPACE_INVALID_ARGUMENT',
      );
    },
  );
});

describe('the replication of a directory', () => {
  const copies = async (path: string): Promise<number> => (await tree.machine.stat(path)).replication;

  it('is what new files below it get, from the nearest directory that has one', async () => {
    await tree.do('makeDirectory', { path: '/a/b/c', parents: true });
    await tree.put('/a/old');
    await tree.do('setReplication', { path: '/a', replication: 2 });
    await tree.do('setReplication', { path: '/a/b', replication: 5 });
    await tree.put('/a/f');
    await tree.put('/a/b/c/f');
    await tree.do('touch', { path: '/a/b/touched' });
    await tree.do('createFile', { path: '/a/b/own', complete: true, replication: 1 });
    await tree.put('/other');
    const paths = ['/a/old', '/a/f', '/a/b/c/f', '/a/b/touched', '/a/b/own', '/other'];
    expect(await Promise.all(paths.map(copies))).toEqual([3, 2, 5, 5, 1, 3]);
    expect(await tree.machine.stat('/a/b/c')).toMatchObject({ replication: 0, inheritedReplication: 5 });
    await tree.do('setReplication', { path: '/a/b', replication: 0 });
    expect(await tree.machine.stat('/a/b/c')).toMatchObject({ inheritedReplication: 2 });
    expect(await tree.machine.stat('/')).toMatchObject({ replication: 0, inheritedReplication: 3 });
  });

  it('is looked for where a file really lies, not where a symlink stands', async () => {
    await tree.do('makeDirectory', { path: '/one' });
    await tree.do('makeDirectory', { path: '/five' });
    await tree.do('setReplication', { path: '/one', replication: 1 });
    await tree.do('setReplication', { path: '/five', replication: 5 });
    await tree.do('makeSymlink', { path: '/one/l', target: '/five' });
    await tree.put('/one/l/f');
    expect(await copies('/five/f')).toBe(5);
  });
});

describe('a tree that is too deep', () => {
  const deep = (depth: number): string => '/d'.repeat(depth);

  it('is refused to whatever makes or moves something there', async () => {
    await tree.do('makeDirectory', { path: deep(MAX_DEPTH - 1), parents: true });
    await tree.do('makeDirectory', { path: '/x' });
    const bottom = deep(MAX_DEPTH);
    expect(outcome(await tree.put(bottom))).toBe('stat');
    expect(outcome(await tree.do('unlink', { path: bottom }))).toBe('removed');
    expect(outcome(await tree.do('makeDirectory', { path: bottom }))).toBe('stat');
    const below = `${bottom}/below`;
    expect(outcome(await tree.do('makeDirectory', { path: below }))).toBe('NAMESPACE_TOO_DEEP');
    expect(outcome(await tree.do('makeDirectory', { path: below, parents: true }))).toBe(
      'NAMESPACE_TOO_DEEP',
    );
    expect(outcome(await tree.put(below))).toBe('NAMESPACE_TOO_DEEP');
    expect(outcome(await tree.do('touch', { path: below }))).toBe('NAMESPACE_TOO_DEEP');
    expect(outcome(await tree.do('makeSymlink', { path: below, target: 'x' }))).toBe('NAMESPACE_TOO_DEEP');
    expect(outcome(await tree.do('rename', { from: '/x', to: below }))).toBe('NAMESPACE_TOO_DEEP');
    expect(await tree.names(bottom)).toEqual([]);
  });

  it('is found also behind a symlink, where the path is longer than it was typed', async () => {
    const long = `/${'n'.repeat(250)}`.repeat(15);
    await tree.do('makeDirectory', { path: long, parents: true });
    await tree.do('makeSymlink', { path: '/s', target: long });
    expect(outcome(await tree.put(`/s/${'m'.repeat(200)}`))).toBe('stat');
    expect(outcome(await tree.put(`/s/${'m'.repeat(200)}/x`))).toBe('NAMESPACE_NOT_A_DIRECTORY');
    expect(outcome(await tree.put(`/s/${'o'.repeat(255)}`))).toBe('stat');
    await tree.do('makeDirectory', { path: `/s/${'p'.repeat(240)}` });
    expect(outcome(await tree.put(`/s/${'p'.repeat(240)}/${'q'.repeat(100)}`))).toBe(
      'NAMESPACE_INVALID_NAME',
    );
  });
});

describe('a rename onto a directory', () => {
  it('takes the place of one that is empty, and of no other', async () => {
    await tree.do('makeDirectory', { path: '/from/in', parents: true });
    await tree.do('makeDirectory', { path: '/empty' });
    await tree.do('makeDirectory', { path: '/full/x', parents: true });
    await tree.put('/file');
    const move = async (from: string, to: string, noClobber = false): Promise<string> =>
      outcome(await tree.do('rename', { from, to, noClobber }));
    expect(await move('/from', '/full')).toBe('NAMESPACE_NOT_EMPTY');
    expect(await move('/from', '/empty', true)).toBe('NAMESPACE_EXISTS');
    expect(await move('/file', '/empty')).toBe('NAMESPACE_IS_A_DIRECTORY');
    expect(await move('/from', '/file')).toBe('NAMESPACE_NOT_A_DIRECTORY');
    expect(await move('/from', '/empty')).toBe('stat');
    expect(await tree.names('/')).toEqual(['empty', 'file', 'full']);
    expect(await tree.names('/empty')).toEqual(['in']);
    expect(tree.machine.counters()).toMatchObject({ directories: 5, orphans: 0 });
    expect((await tree.machine.stat('/')).childCount).toBe(3);
  });
});
