import { beforeEach, describe, expect, it } from 'vitest';
import { EXTENT_PAGE_BLOCKS } from '../../src/namespace/limits.ts';
import { FoundedMachine, grantOf, outcome } from './founded-machine.ts';

describe('housekeeping', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create(undefined, { cacheSizeBytes: 2000 });
  });
  const step = async (limit: number): Promise<{ freedBlocks: number; more: boolean }> => {
    const { kind } = await tree.do('housekeeping', { limit });
    if (kind?.$case !== 'housekeeping') throw new Error(`unexpected ${JSON.stringify(kind)}`);
    return kind.value;
  };

  it('has nothing to do in a fresh namespace', async () => {
    expect(tree.machine.housekeepingDue(tree.timeMs)).toBe(false);
    expect(await step(10)).toEqual({ freedBlocks: 0, more: false });
  });

  it('frees a detached tree in bounded steps that a restart does not lose', async () => {
    await tree.do('makeDirectory', { path: '/t/a/b/c', parents: true });
    for (let i = 0; i < 20; i++) await tree.put(`/t/a/f${i}`, `x${i}`, 'shared');
    await tree.put('/t/a/b/c/deep', 'deep');
    await tree.put('/kept', 'shared');
    expect(outcome(await tree.do('removeTree', { path: '/t' }))).toBe('removed');
    expect(await tree.names('/')).toEqual(['kept']);
    let steps = 0;
    for (let more = true; more; steps++) {
      const result = await step(3);
      expect(result.freedBlocks).toBeLessThanOrEqual(3 + 1);
      more = result.more;
      if (steps % 5 === 0) {
        await tree.machine.flush();
        await tree.reopen();
      }
    }
    expect(steps).toBeGreaterThan(10);
    await tree.machine.flush();
    expect(tree.machine.counters()).toMatchObject({
      files: 1,
      directories: 1,
      blocks: 1,
      orphans: 0,
      logicalBytes: 1024 * 1024,
    });
    for (const [table, count] of [
      ['inode', 2],
      ['dirent', 1],
      ['extent', 1],
      ['block', 1],
      ['orphan', 0],
    ] as const)
      expect(await tree.store.scan(table, '', '~', 100), table).toHaveLength(count);
  });

  it('frees a large file page by page', async () => {
    const names = Array.from({ length: 3 * EXTENT_PAGE_BLOCKS }, (_, position) => `n${position}`);
    await tree.put('/big', ...names);
    await tree.do('unlink', { path: '/big' });
    expect(await step(1)).toEqual({ freedBlocks: EXTENT_PAGE_BLOCKS, more: true });
    expect(tree.machine.counters().blocks).toBe(2 * EXTENT_PAGE_BLOCKS);
    expect(await step(1000)).toEqual({ freedBlocks: 2 * EXTENT_PAGE_BLOCKS, more: false });
    expect(tree.machine.counters()).toMatchObject({ blocks: 0, blockBytes: 0, wantedBytes: 0 });
  });

  it('expires a lease by log time and frees its blocks, but not one that was renewed', async () => {
    const lost = grantOf(await tree.do('createFile', { path: '/lost', leaseMs: 10_000 }));
    const kept = grantOf(await tree.do('createFile', { path: '/kept', leaseMs: 10_000 }));
    await tree.do('appendBlocks', { ...lost, firstBlock: 0, blocks: [] });
    tree.timeMs += 9_000;
    await tree.do('renewLease', kept);
    tree.timeMs += 1_000;
    await tree.clean();
    expect(tree.machine.counters()).toMatchObject({ leases: 1, orphans: 0 });
    expect(outcome(await tree.do('closeFile', lost))).toBe('NAMESPACE_LEASE_EXPIRED');
    expect(outcome(await tree.do('closeFile', kept))).toBe('stat');
    expect(tree.machine.counters().leases).toBe(0);
    await tree.machine.flush();
    expect(await tree.store.scan('lease', '', '~', 10)).toEqual([]);
    tree.timeMs += 3_600_000;
    await tree.clean();
    await tree.machine.flush();
    expect(await tree.store.scan('deadline', '', '~', 10)).toEqual([]);
  });

  it('goes by the latest time in the log where the clock of a later leader is behind', async () => {
    const latestMs = tree.timeMs;
    tree.timeMs -= 3_600_000;
    const late = grantOf(await tree.do('createFile', { path: '/late', leaseMs: 10_000 }));
    expect(tree.machine.counters().timeMs).toBe(latestMs);
    tree.timeMs = latestMs + 9_000;
    await tree.clean();
    expect(outcome(await tree.do('closeFile', late))).toBe('stat');
  });
});
