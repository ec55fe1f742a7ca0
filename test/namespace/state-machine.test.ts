import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CommandBatch } from '../../src/namespace/schema.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { RowChange } from '../../src/storage/row-store.ts';
import { openRowStore } from '../../src/storage/sqlite-row-store.ts';
import { FoundedMachine, outcome } from './founded-machine.ts';
import { stateMachineSuite } from './state-machine.suite.ts';

stateMachineSuite('memory', () => Promise.resolve(new MemoryRowStore()));
stateMachineSuite('SQLite', openRowStore);

/** A store whose writes wait until they are let through, or fail. */
class GatedRowStore extends MemoryRowStore {
  gates: { open: () => void; fail: (cause: Error) => void }[] = [];

  isOpen = false;

  override async write(changes: readonly RowChange[]): Promise<void> {
    if (!this.isOpen) await new Promise<void>((open, fail) => this.gates.push({ open, fail }));
    await super.write(changes);
  }
}

describe('write-behind', () => {
  it('goes on applying and reading while a flush is being written, which holds one index', async () => {
    const store = new GatedRowStore();
    const tree = await FoundedMachine.create(store);
    await tree.put('/a', 'x');
    const flushed = tree.machine.appliedIndex;
    const flush = tree.machine.flush();
    await expect.poll(() => store.gates.length).toBe(1);
    await tree.put('/b', 'x');
    await tree.do('unlink', { path: '/a' });
    expect(await tree.names('/')).toEqual(['b']);
    expect(tree.machine.durableIndex).toBe(0);
    store.gates[0]?.open();
    await flush;
    expect(tree.machine.durableIndex).toBe(flushed);
    expect(await tree.names('/')).toEqual(['b']);
    await tree.reopen();
    expect(tree.machine.appliedIndex).toBe(flushed);
    expect(await tree.names('/')).toEqual(['a']);
  });

  it('makes apply wait when far too many rows are dirty', async () => {
    const store = new GatedRowStore();
    const tree = await FoundedMachine.create(store, { maxDirtyRows: 10 });
    const applied = new Set<number>();
    const writing = (async () => {
      for (let i = 0; i < 50; i++) {
        await tree.put(`/f${i}`, `x${i}`);
        applied.add(i);
      }
    })();
    await expect.poll(() => store.gates.length).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(applied.size).toBeLessThan(20);
    store.isOpen = true;
    store.gates[0]?.open();
    await writing;
    expect(applied.size).toBe(50);
  });

  it('latches a failed write: nothing is applied or flushed afterwards', async () => {
    const store = new GatedRowStore();
    const tree = await FoundedMachine.create(store);
    const flush = tree.machine.flush();
    await expect.poll(() => store.gates.length).toBe(1);
    store.gates[0]?.fail(new Error('the disk is full'));
    await expect(flush).rejects.toThrow('the disk is full');
    await expect(tree.machine.flush()).rejects.toThrow('the disk is full');
    await expect(tree.put('/a')).rejects.toThrow('the disk is full');
    await expect(tree.put('/b')).rejects.toThrow('the disk is full');
  });
});

describe('restore', () => {
  it('lets reads wait that come while the rows are being replaced', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-restore-'));
    const path = join(folder, 'export');
    await (await (await FoundedMachine.create()).machine.pin()).rows.copyTo(path);
    let finish: (() => void) | undefined;
    const store = new MemoryRowStore();
    const importFrom = store.importFrom.bind(store);
    store.importFrom = async (source) => {
      await importFrom(source);
      await new Promise<void>((resolve) => (finish = resolve));
    };
    const tree = await FoundedMachine.create(store);
    await tree.put('/old');
    const restored = tree.machine.restoreFrom(path);
    await expect.poll(() => finish !== undefined).toBe(true);
    const read = tree.machine.stat('/old').then(
      () => 'old',
      (error: unknown) => (error as { code: string }).code,
    );
    await new Promise((resolve) => setImmediate(resolve));
    finish?.();
    expect(await read).toBe('NAMESPACE_NOT_FOUND');
    await restored;
    await rm(folder, { recursive: true });
  });
});

describe('log entries', () => {
  it('refuses all but Genesis before Genesis', async () => {
    const tree = await FoundedMachine.create();
    const machine = await StateMachine.open({ store: new MemoryRowStore() });
    tree.machine = machine;
    tree.index = 0;
    expect(outcome(await tree.put('/a'))).toBe('NAMESPACE_NO_CLUSTER');
    expect(outcome(await tree.do('genesis', {}))).toBe('NAMESPACE_INVALID_ARGUMENT');
  });

  it('stops at an entry that does not say what it needs rather than guess', async () => {
    const tree = await FoundedMachine.create();
    const data = CommandBatch.encode({ format: 0, timeMs: 1, commands: [] }).finish();
    await expect(tree.machine.apply([{ index: 2, term: 1, data }])).rejects.toMatchObject({
      code: 'ASSERTION',
    });
  });
});
