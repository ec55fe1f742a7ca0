import { beforeEach, describe, expect, it } from 'vitest';
import { FoundedMachine, outcome, statOf } from './founded-machine.ts';

describe('directories', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
  });

  it('has a root from the start', async () => {
    expect(await tree.machine.stat('/')).toMatchObject({ kind: 'directory', inode: 1, path: '/' });
    expect(tree.machine.counters().directories).toBe(1);
  });

  it('refuses a second genesis, and everything before the first', async () => {
    expect(outcome(await tree.do('genesis', { cluster: tree.machine.cluster()! }))).toBe('NAMESPACE_EXISTS');
  });

  it('makes a directory under an existing one only, unless asked for parents', async () => {
    expect(outcome(await tree.do('makeDirectory', { path: '/a/b' }))).toBe('NAMESPACE_NOT_FOUND');
    const made = statOf(await tree.do('makeDirectory', { path: '/a//b/', parents: true }));
    expect(made.path).toBe('/a/b');
    expect(await tree.machine.stat('/a')).toMatchObject({ kind: 'directory', childCount: 1 });
    expect(outcome(await tree.do('makeDirectory', { path: '/a/b' }))).toBe('NAMESPACE_EXISTS');
    const again = statOf(await tree.do('makeDirectory', { path: '/a/b', parents: true }));
    expect(again.inode).toBe(made.inode);
    expect(tree.machine.counters().directories).toBe(3);
  });

  it('refuses to make directories through or over a file', async () => {
    await tree.put('/f', 'x');
    for (const path of ['/f', '/f/d'])
      expect(outcome(await tree.do('makeDirectory', { path, parents: true }))).toBe(
        'NAMESPACE_NOT_A_DIRECTORY',
      );
    expect(outcome(await tree.do('makeDirectory', { path: '/f' }))).toBe('NAMESPACE_EXISTS');
  });

  it('changes nothing when a command is refused half way', async () => {
    await tree.do('makeDirectory', { path: '/d' });
    const before = await tree.machine.namespaceHash();
    const refused = await tree.do('createFile', { path: '/d', parents: true, complete: true });
    expect(outcome(refused)).toBe('NAMESPACE_IS_A_DIRECTORY');
    const deep = await tree.do('makeDirectory', { path: '/new/..', parents: true });
    expect(outcome(deep)).toBe('NAMESPACE_INVALID_NAME');
    expect(await tree.names('/')).toEqual(['d']);
    expect(before.hash).not.toBe((await tree.machine.namespaceHash()).hash); // the index is part of the state
  });

  it('removes an empty directory and refuses a full one, a file and the root', async () => {
    await tree.do('makeDirectory', { path: '/a/b', parents: true });
    await tree.put('/f');
    expect(outcome(await tree.do('removeDirectory', { path: '/a' }))).toBe('NAMESPACE_NOT_EMPTY');
    expect(outcome(await tree.do('removeDirectory', { path: '/f' }))).toBe('NAMESPACE_NOT_A_DIRECTORY');
    expect(outcome(await tree.do('removeDirectory', { path: '/' }))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(outcome(await tree.do('removeDirectory', { path: '/a/b' }))).toBe('done');
    expect(outcome(await tree.do('removeDirectory', { path: '/a' }))).toBe('done');
    expect(await tree.names('/')).toEqual(['f']);
  });

  it('unlinks files only', async () => {
    await tree.do('makeDirectory', { path: '/d' });
    await tree.put('/f', 'x');
    expect(outcome(await tree.do('unlink', { path: '/d' }))).toBe('NAMESPACE_IS_A_DIRECTORY');
    expect(outcome(await tree.do('unlink', { path: '/g' }))).toBe('NAMESPACE_NOT_FOUND');
    expect(outcome(await tree.do('unlink', { path: '/f' }))).toBe('removed');
    await expect(tree.machine.stat('/f')).rejects.toMatchObject({
      code: 'NAMESPACE_NOT_FOUND',
      kind: 'refused',
    });
  });

  it('lists by the UTF-8 order of names, in pages, merging rows that are not written yet', async () => {
    const names = ['B', 'a', 'z', 'é', '\u{ff5e}', '\u{1f600}', 'a b'];
    for (const [position, name] of names.entries()) {
      await tree.put(`/${name}`);
      if (position === 2) await tree.machine.flush();
    }
    await tree.put('/gone');
    await tree.machine.flush();
    await tree.do('unlink', { path: '/gone' });
    const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await tree.names('/')).toEqual(sorted);
    const paged: string[] = [];
    for (let after = '', more = true; more; after = paged.at(-1) ?? '') {
      const page = await tree.machine.list('/', after, 2);
      paged.push(...page.entries.map(({ name }) => name));
      more = page.more;
    }
    expect(paged).toEqual(sorted);
  });

  it('puts no unwritten row before the rows of the store that it has not read yet', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await tree.put(`/${name}`);
    await tree.machine.flush();
    for (const name of ['b', 'c']) await tree.do('unlink', { path: `/${name}` });
    for (const name of ['x', 'y', 'z']) await tree.put(`/${name}`);
    const { entries, more } = await tree.machine.list('/', '', 2);
    expect(entries.map(({ name }) => name)).toEqual(['a', 'd']);
    expect(more).toBe(true);
  });

  it('lists no file', async () => {
    await tree.put('/f');
    await expect(tree.machine.list('/f', '', 1)).rejects.toMatchObject({ code: 'NAMESPACE_NOT_A_DIRECTORY' });
  });
});

describe('rename', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
    await tree.do('makeDirectory', { path: '/a/b', parents: true });
    await tree.put('/a/b/f', 'x');
    await tree.put('/g', 'y');
  });
  const move = async (from: string, to: string, noClobber = false): Promise<string> =>
    outcome(await tree.do('rename', { from, to, noClobber }));

  it('moves a directory with all below it', async () => {
    expect(await move('/a', '/c')).toBe('stat');
    expect(await tree.machine.stat('/c/b/f')).toMatchObject({ kind: 'file', path: '/c/b/f' });
    await expect(tree.machine.stat('/a')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    expect((await tree.machine.stat('/')).childCount).toBe(2);
  });

  it('replaces a file whole, unless told not to', async () => {
    const { version } = await tree.machine.stat('/a/b/f');
    expect(await move('/a/b/f', '/g', true)).toBe('NAMESPACE_EXISTS');
    expect(await move('/a/b/f', '/g')).toBe('stat');
    expect((await tree.machine.stat('/g')).version).toBe(version);
    expect(tree.machine.counters()).toMatchObject({ files: 1, orphans: 1 });
  });

  it('refuses directories as targets, missing sources and a directory over a file', async () => {
    expect(await move('/g', '/a')).toBe('NAMESPACE_IS_A_DIRECTORY');
    expect(await move('/a/b', '/a')).toBe('NAMESPACE_NOT_EMPTY');
    expect(await move('/nowhere', '/n')).toBe('NAMESPACE_NOT_FOUND');
    expect(await move('/a', '/g')).toBe('NAMESPACE_NOT_A_DIRECTORY');
    expect(await move('/g', '/no/parent')).toBe('NAMESPACE_NOT_FOUND');
    expect(await move('/', '/x')).toBe('NAMESPACE_INVALID_ARGUMENT');
  });

  it('refuses to move a directory into itself, and takes a move onto itself as done', async () => {
    expect(await move('/a', '/a/b/c')).toBe('NAMESPACE_INTO_ITSELF');
    expect(await move('/a', '/a/x')).toBe('NAMESPACE_INTO_ITSELF');
    expect(await move('/a', '/a/none/x')).toBe('NAMESPACE_INTO_ITSELF');
    expect(await move('/a', '/a')).toBe('stat');
    expect(await move('/g', '//g/', true)).toBe('stat');
    expect(await move('/a', '/ab')).toBe('stat');
  });
});
