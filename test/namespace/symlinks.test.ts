/** @module Symbolic links: where they lead, and which commands follow them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_LINKS } from '../../src/namespace/limits.ts';
import { FoundedMachine, outcome } from './founded-machine.ts';

describe('symbolic links', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
    await tree.do('makeDirectory', { path: '/d/e', parents: true });
    await tree.put('/d/e/f', 'x');
  });
  const link = async (path: string, target: string): Promise<string> =>
    outcome(await tree.do('makeSymlink', { path, target }));
  const found = async (path: string): Promise<string> => (await tree.machine.stat(path)).path;
  const kind = async (path: string): Promise<string> =>
    (await tree.machine.stat(path, { noFollow: true })).kind;

  it.each([
    ['/abs', '/d/e', '/abs/f', '/d/e/f'],
    ['/d/rel', 'e/f', '/d/rel', '/d/e/f'],
    ['/d/up', '../d/./e/', '/d/up/f', '/d/e/f'],
    ['/d/e/above-root', '../../../../d', '/d/e/above-root/e/f', '/d/e/f'],
    ['/root', '/', '/root/d', '/d'],
  ])('lead from %s, a link to %s, on the way to %s', async (path, target, asked, real) => {
    expect(await link(path, target)).toBe('stat');
    expect(await found(asked)).toBe(real);
    expect((await tree.machine.stat(path, { noFollow: true })).linkTarget).toBe(target);
  });

  it('are followed by reads and writes, and not by remove, rename and make', async () => {
    await link('/l', 'd/e/f');
    await link('/dir', 'd');
    expect((await tree.machine.fileBlocks({ path: '/l' }, 0, 9)).stat.path).toBe('/d/e/f');
    expect(await tree.names('/dir')).toEqual(['e']);
    await tree.put('/l', 'y', 'z');
    expect((await tree.machine.stat('/d/e/f')).blockCount).toBe(2);
    expect(await kind('/l')).toBe('symlink');
    expect(outcome(await tree.do('rename', { from: '/l', to: '/moved' }))).toBe('stat');
    expect(await kind('/moved')).toBe('symlink');
    expect(outcome(await tree.do('makeDirectory', { path: '/dir' }))).toBe('NAMESPACE_EXISTS');
    expect(outcome(await tree.do('makeDirectory', { path: '/dir/new', parents: true }))).toBe('stat');
    expect(outcome(await tree.do('removeDirectory', { path: '/dir' }))).toBe('NAMESPACE_NOT_A_DIRECTORY');
    expect(outcome(await tree.do('removeTree', { path: '/dir' }))).toBe('removed');
    expect(await tree.names('/d')).toEqual(['e', 'new']);
    expect(outcome(await tree.do('unlink', { path: '/moved' }))).toBe('removed');
    expect(await tree.names('/')).toEqual(['d']);
  });

  it('that lead nowhere are written through, except by who wants to be the first', async () => {
    await link('/l', '/d/new');
    await expect(tree.machine.stat('/l')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    const first = { ifAbsent: true, ifVersion: 0 };
    const put = { path: '/l', complete: true };
    expect(outcome(await tree.do('createFile', { ...put, precondition: first }))).toBe('NAMESPACE_EXISTS');
    expect(outcome(await tree.do('createFile', put))).toBe('stat');
    expect(await found('/l')).toBe('/d/new');
  });

  it('are followed so far and no further', async () => {
    await link('/a', 'b');
    await link('/b', '/a');
    await expect(tree.machine.stat('/a')).rejects.toMatchObject({ code: 'NAMESPACE_TOO_MANY_LINKS' });
    expect(outcome(await tree.put('/a/x'))).toBe('NAMESPACE_TOO_MANY_LINKS');
    await link('/0', '/d');
    for (let count = 1; count <= MAX_LINKS; count++) await link(`/${count}`, `${count - 1}`);
    expect(await found(`/${MAX_LINKS - 1}`)).toBe('/d');
    await expect(tree.machine.stat(`/${MAX_LINKS}`)).rejects.toMatchObject({
      code: 'NAMESPACE_TOO_MANY_LINKS',
    });
  });

  it('do not let a directory move into itself', async () => {
    await link('/back', '/d/e');
    expect(outcome(await tree.do('rename', { from: '/d', to: '/back/d' }))).toBe('NAMESPACE_INTO_ITSELF');
    expect(outcome(await tree.do('rename', { from: '/d/e', to: '/back/x' }))).toBe('NAMESPACE_INTO_ITSELF');
    expect(await found('/d/e/f')).toBe('/d/e/f');
  });

  it.each([[''], ['a\0b'], ['x'.repeat(4097)]])('refuse a target like %j', async (target) => {
    expect(await link('/l', target)).toBe('NAMESPACE_INVALID_ARGUMENT');
  });
});
