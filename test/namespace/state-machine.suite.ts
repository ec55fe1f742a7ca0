/** @module What the state machine promises over any row store. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import type { RowStore } from '../../src/storage/row-store.ts';
import { FoundedMachine } from './founded-machine.ts';

export function stateMachineSuite(name: string, openStore: (path: string) => Promise<RowStore>): void {
  describe(`StateMachine over ${name}`, () => {
    let folder: string;
    const stores: RowStore[] = [];
    const open = async (file: string): Promise<RowStore> => {
      const store = await openStore(join(folder, file));
      stores.push(store);
      return store;
    };
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'holdfast-namespace-'));
    });
    afterEach(async () => {
      for (const store of stores.splice(0)) await store.close();
      await rm(folder, { recursive: true });
    });

    it('resumes from what was flushed, and the log brings back the rest', async () => {
      const tree = await FoundedMachine.create(await open('a'));
      await tree.do('makeDirectory', { path: '/a' });
      await tree.machine.applyConfState(++tree.index, 2, new Uint8Array([1, 2]));
      await tree.machine.flush();
      const durable = tree.machine.durableIndex;
      expect(durable).toBe(tree.machine.appliedIndex);
      await tree.do('makeDirectory', { path: '/b' });
      expect(tree.machine.durableIndex).toBe(durable);
      await tree.reopen();
      expect(tree.machine.appliedIndex).toBe(durable);
      expect([...(tree.machine.confState() ?? [])]).toEqual([1, 2]);
      expect(tree.machine.counters().appliedTerm).toBe(2);
      expect(await tree.names('/')).toEqual(['a']);
      await tree.do('makeDirectory', { path: '/b' });
      expect(await tree.names('/')).toEqual(['a', 'b']);
    });

    it('refuses an entry it has applied, and a gap', async () => {
      const tree = await FoundedMachine.create(await open('a'));
      const noOp = (index: number) => tree.machine.apply([{ index, term: 1, data: new Uint8Array() }]);
      expect(await noOp(2)).toEqual([[]]);
      await expect(noOp(2)).rejects.toMatchObject({ code: 'ASSERTION' });
      await tree.reopen();
      await expect(noOp(5)).resolves.toEqual([[]]); // nothing was flushed: an empty machine begins anywhere
      await expect(noOp(7)).rejects.toMatchObject({ code: 'ASSERTION' });
      await expect(noOp(6)).rejects.toMatchObject({ code: 'ASSERTION' }); // and stays broken
    });

    it('pins exactly one index while it goes on applying and flushing, and restores it', async () => {
      const tree = await FoundedMachine.create(await open('a'), { maxDirtyRows: 20 });
      for (let i = 0; i < 30; i++) await tree.put(`/f${i}`, `x${i}`);
      await tree.machine.applyConfState(++tree.index, 3, new Uint8Array([7]));
      const path = join(folder, 'export');
      const { at, rows } = await tree.machine.pin();
      for (let i = 30; i < 40; i++) await tree.put(`/f${i}`, `x${i}`);
      await tree.machine.flush();
      expect(tree.machine.durableIndex).toBe(tree.machine.appliedIndex);
      await rows.copyTo(path);
      await rows[Symbol.asyncDispose]();
      const { index, term, confState } = at;
      expect([...confState]).toEqual([7]);
      expect(term).toBeGreaterThan(0);

      const other = await FoundedMachine.create(await open('b'));
      await other.put('/mine');
      await other.machine.verify(path);
      await other.machine.restoreFrom(path);
      other.index = other.machine.appliedIndex;
      expect(other.machine.appliedIndex).toBe(index);
      expect(other.machine.durableIndex).toBe(index);
      expect([...(other.machine.confState() ?? [])]).toEqual([7]);
      expect(await other.names('/')).not.toContain('mine');
      expect((await other.names('/')).length).toBe(other.machine.counters().files);
      await other.put('/more', 'y');
      expect((await other.machine.stat('/more')).blockCount).toBe(1);
      await other.reopen();
      expect(other.machine.appliedIndex).toBe(index);
    });

    it('hashes alike on machines that flushed at other times and cached other rows', async () => {
      const small = await FoundedMachine.create(await open('a'), { cacheSizeBytes: 500, maxDirtyRows: 3 });
      const large = await FoundedMachine.create(await open('b'));
      for (const tree of [small, large]) {
        for (let i = 0; i < 20; i++) await tree.put(`/f${i % 7}`, `x${i % 5}`, `y${i}`);
        await tree.do('rename', { from: '/f1', to: '/f2' });
        await tree.clean(5);
      }
      expect(await small.machine.namespaceHash()).toEqual(await large.machine.namespaceHash());
      await large.put('/other');
      await small.put('/another');
      expect((await small.machine.namespaceHash()).hash).not.toBe((await large.machine.namespaceHash()).hash);
    });

    it('answers reads that run beside applies and flushes', async () => {
      const tree = await FoundedMachine.create(await open('a'), { cacheSizeBytes: 1000, maxDirtyRows: 4 });
      await tree.do('makeDirectory', { path: '/d' });
      const reads: Promise<unknown>[] = [];
      for (let i = 0; i < 60; i++) {
        reads.push(tree.put(`/d/f${i}`, `x${i}`));
        reads.push(
          tree.machine.list('/d', '', 100).then(({ directory, entries }) => {
            expect(entries).toHaveLength(directory.childCount);
          }),
        );
      }
      await Promise.all(reads);
      expect((await tree.names('/d')).length).toBe(60);
    });

    it('opens an empty store as a namespace that was not founded', async () => {
      const machine = await StateMachine.open({ store: await open('empty') });
      expect(machine.appliedIndex).toBe(0);
      expect(machine.cluster()).toBeUndefined();
      expect(machine.confState()).toBeUndefined();
    });
  });
}
