/** @module Putting back what a lost namespace had: only while a recovery is open, and as it was. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../../src/common/bytes.ts';
import { MAX_TAIL_BLOCKS } from '../../src/namespace/limits.ts';
import { block, FoundedMachine, grantOf, outcome, statOf } from './founded-machine.ts';

describe('restoring entries', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
    await tree.do('configureCollection', { recovering: true });
  });
  const file = { kind: 'file', blockSizeBytes: MIB };

  it('is refused while no recovery is open', async () => {
    await tree.do('configureCollection', { recovering: false });
    const refused = await tree.do('restoreEntry', { ...file, path: '/a' });
    expect(outcome(refused)).toBe('NAMESPACE_RECOVERY_NOT_OPEN');
  });

  it('gives a file its content, times, version, owner and copies', async () => {
    for (let era = 1; era <= 9; era += 1) await tree.do('beginEra', { era });
    const old = { mtimeMs: 1_000, ctimeMs: 2_000, version: 77, replication: 2 };
    const attributes = { owner: 'ada', group: 'users', mode: 0o640 };
    const blocks = [block('a'), block('b', 5)];
    await tree.do('restoreEntry', { ...file, ...old, path: '/d/a', sizeBytes: MIB + 5, attributes, blocks });
    const stat = await tree.machine.stat('/d/a');
    expect(stat).toMatchObject({ ...old, ...attributes, sizeBytes: MIB + 5, blockCount: 2, tailBlocks: 0 });
    expect((await tree.machine.fileBlocks({ path: '/d/a' }, 0, 9)).blocks).toEqual(blocks);
  });

  it('knows where a file that was appended to has its short blocks, and refuses sizes that cannot be', async () => {
    const blocks = [block('a'), block('b', 5), block('c', 7)];
    const sizeBytes = MIB + 12;
    const restored = statOf(await tree.do('restoreEntry', { ...file, path: '/a', sizeBytes, blocks }));
    expect(restored.tailBlocks).toBe(2);
    const shorter = { ...file, path: '/b', sizeBytes: sizeBytes - 1, blocks };
    expect(outcome(await tree.do('restoreEntry', shorter))).toBe('NAMESPACE_INVALID_ARGUMENT');
    const outOfOrder = { ...file, path: '/b', sizeBytes, blocks: blocks.toReversed() };
    expect(outcome(await tree.do('restoreEntry', outOfOrder))).toBe('NAMESPACE_INVALID_ARGUMENT');
    const tail = Array.from({ length: MAX_TAIL_BLOCKS + 1 }, (_, at) => block(`${at}`, 1));
    const tooShort = { ...file, path: '/b', sizeBytes: tail.length, blocks: tail };
    expect(outcome(await tree.do('restoreEntry', tooShort))).toBe('NAMESPACE_INVALID_ARGUMENT');
  });

  it('takes what was gathered for a file too large for one command', async () => {
    const lease = grantOf(await tree.do('createFile', { path: '/a', blockSizeBytes: MIB }));
    await tree.do('appendBlocks', { ...lease, firstBlock: 0, blocks: [block('a'), block('b', 3)] });
    const entry = { ...file, ...lease, path: '/a', sizeBytes: MIB + 3, version: 5, ctimeMs: 9 };
    expect(outcome(await tree.do('restoreEntry', { ...entry, sizeBytes: MIB }))).toBe(
      'NAMESPACE_INVALID_ARGUMENT',
    );
    const restored = statOf(await tree.do('restoreEntry', entry));
    expect(restored).toMatchObject({ blockCount: 2, version: 5, ctimeMs: 9 });
    expect(tree.machine.counters()).toMatchObject({ leases: 0, files: 1 });
  });

  it('keeps what stands at a path unless it is asked to replace just that version', async () => {
    await tree.put('/a', 'new');
    const { version } = await tree.machine.stat('/a');
    const entry = { ...file, path: '/a', sizeBytes: MIB, blocks: [block('old')] };
    const absent = { ifAbsent: true, ifVersion: 0 };
    expect(outcome(await tree.do('restoreEntry', { ...entry, precondition: absent }))).toBe(
      'NAMESPACE_EXISTS',
    );
    const that = { ifAbsent: false, ifVersion: version };
    expect(outcome(await tree.do('restoreEntry', { ...entry, precondition: that }))).toBe('stat');
  });

  it('dates a directory that is there, and makes links and empty files as they were', async () => {
    await tree.put('/d/a', 'a');
    await tree.do('makeDirectory', { path: '/d', parents: true });
    await tree.do('restoreEntry', { kind: 'directory', path: '/d', mtimeMs: 3, ctimeMs: 4, replication: 2 });
    expect(await tree.machine.stat('/d')).toMatchObject({ mtimeMs: 3, ctimeMs: 4, replication: 2 });
    await tree.do('restoreEntry', { kind: 'symlink', path: '/l', linkTarget: 'd', mtimeMs: 5 });
    expect(await tree.machine.stat('/l', { noFollow: true })).toMatchObject({ linkTarget: 'd', mtimeMs: 5 });
    await tree.do('restoreEntry', { ...file, path: '/e', mtimeMs: 6 });
    expect(await tree.machine.stat('/e')).toMatchObject({ sizeBytes: 0, mtimeMs: 6 });
  });
});

describe('an open recovery', () => {
  it('holds collection whatever anybody says, and leaves it as it was when it ends', async () => {
    const tree = await FoundedMachine.create();
    await tree.do('configureCollection', { recovering: true });
    const collection = async () => (await tree.machine.references([])).collection;
    expect(await collection()).toMatchObject({ paused: true, recovering: true });
    const resume = await tree.do('configureCollection', { paused: false });
    expect(outcome(resume)).toBe('NAMESPACE_RECOVERY_OPEN');
    await tree.do('beginEra', { era: 1 });
    await tree.do('configureCollection', { recovering: false });
    expect(await collection()).toMatchObject({ paused: false, era: 1 });
  });

  it('keeps a pause that somebody asked for beyond its end', async () => {
    const tree = await FoundedMachine.create();
    await tree.do('configureCollection', { recovering: true });
    await tree.do('configureCollection', { paused: true });
    await tree.do('configureCollection', { recovering: false });
    expect((await tree.machine.references([])).collection.paused).toBe(true);
  });
});
