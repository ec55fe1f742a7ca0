/** @module Eras: when a block that nobody refers to may still be referred to; pause and undo; what level 1 left. */
import { beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../src/common/bytes.ts';
import { DEFAULT_ERA_MS, DEFAULT_GRACE_MS, MAX_LEASE_MS } from '../../src/namespace/limits.ts';
import { block, FoundedMachine, grantOf, outcome } from './founded-machine.ts';

describe('garbage collection in the log', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
  });
  const eras = async (last: number): Promise<void> => {
    for (let era = 1; era <= last; era += 1) await tree.do('beginEra', { era });
  };
  const put = async (path: string, text: string, writtenEra: number): Promise<string> =>
    outcome(await tree.do('createFile', { path, complete: true, blocks: [block(text)], writtenEra }));
  const hash = (text: string): string => toHex(block(text).hash);

  it('refers to a block in the era it was written in and in the next one, and not later', async () => {
    await eras(7);
    expect(await put('/now', 'a', 7)).toBe('stat');
    expect(await put('/before', 'b', 6)).toBe('stat');
    expect(await put('/late', 'c', 5)).toBe('NAMESPACE_WRITTEN_TOO_LONG_AGO');
    const lease = grantOf(await tree.do('createFile', { path: '/slow' }));
    const late = { ...lease, firstBlock: 0, blocks: [block('c')] };
    const refused = await tree.do('appendBlocks', { ...late, writtenEra: 5 });
    expect(refused.kind).toMatchObject({ value: { code: 'NAMESPACE_WRITTEN_TOO_LONG_AGO' } });
    expect(JSON.parse((refused.kind as { value: { factsJson: string } }).value.factsJson)).toMatchObject({
      era: 7,
    });
    expect(outcome(await tree.do('appendBlocks', { ...late, writtenEra: 6 }))).toBe('grant');
  });

  it('counts on no copies of long ago, even of a block that another file refers to; a copy by reference needs none', async () => {
    await put('/f', 'a', 0);
    await eras(9);
    expect(await put('/g', 'a', 7)).toBe('NAMESPACE_WRITTEN_TOO_LONG_AGO');
    expect(outcome(await tree.do('copyFile', { from: '/f', to: '/h' }))).toBe('stat');
    expect(await put('/empty', 'a', 8)).toBe('stat');
  });

  it('says of exactly the blocks it is asked for how many copies are wanted, at which index', async () => {
    await tree.put('/f', 'a', 'b');
    await eras(3);
    const { copies, index, collection } = await tree.machine.references(['b', 'x', 'a'].map(hash));
    expect([copies, index, collection.era]).toEqual([[3, 0, 3], tree.index, 3]);
  });

  it('begins an era once, whoever proposes it, and none out of turn', async () => {
    await tree.do('beginEra', { era: 1 });
    await tree.do('beginEra', { era: 1 });
    await tree.do('beginEra', { era: 3 });
    expect((await tree.machine.references([])).collection.era).toBe(1);
  });

  it('has eras above every lease and a day of grace unless told otherwise', async () => {
    expect(DEFAULT_ERA_MS).toBeGreaterThanOrEqual(MAX_LEASE_MS);
    expect((await tree.machine.references([])).collection).toEqual({
      era: 0,
      paused: false,
      undoneEra: 0,
      eraMs: DEFAULT_ERA_MS,
      graceMs: DEFAULT_GRACE_MS,
    });
    await tree.do('configureCollection', { graceMs: 5_000 });
    expect(outcome(await tree.do('configureCollection', { eraMs: 1 }))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect((await tree.machine.references([])).collection).toMatchObject({ graceMs: 5_000, paused: false });
  });

  it('pauses with an undo, which begins an era of its own, until it is told to go on', async () => {
    await eras(4);
    await tree.do('configureCollection', { undo: true });
    const undone = { era: 5, paused: true, undoneEra: 4 };
    expect((await tree.machine.references([])).collection).toMatchObject(undone);
    await tree.do('configureCollection', { paused: false });
    expect((await tree.machine.references([])).collection).toMatchObject({ ...undone, paused: false });
  });

  it('pauses when the cluster is recovered, in an era that nobody has heard of', async () => {
    await eras(4);
    await tree.do('recoverCluster', { epoch: 2, survivor: 1 });
    const { era, paused } = (await tree.machine.references([])).collection;
    expect([era > 1_000, paused]).toEqual([true, true]);
  });

  it('forgets with each era some of the garbage that level 1 noted', async () => {
    tree = await FoundedMachine.create(undefined, {}, 1);
    await tree.put('/f', 'a', 'b');
    await tree.do('unlink', { path: '/f' });
    await tree.clean();
    await tree.machine.flush();
    expect(await tree.store.scan('garbage', '', '~', 10)).toHaveLength(2);
    await tree.do('raiseFeatureLevel', { level: 2 });
    await tree.do('beginEra', { era: 1 });
    await tree.machine.flush();
    expect(await tree.store.scan('garbage', '', '~', 10)).toEqual([]);
  });
});
