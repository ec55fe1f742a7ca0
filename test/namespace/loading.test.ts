import { describe, expect, it } from 'vitest';
import { EXTENT_PAGE_BLOCKS, MAX_BLOCKS_PER_COMMAND, MAX_LIST_ENTRIES } from '../../src/namespace/limits.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { TableName } from '../../src/storage/row-store.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import { CommandBatch } from '../../src/namespace/schema.ts';
import { command, FoundedMachine, outcome, START_MS } from './founded-machine.ts';

const FILES = 600;

/** Counts the reads, and the keys they ask for. */
class CountingStore extends MemoryRowStore {
  reads = 0;
  keys: string[] = [];

  override getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    this.reads += 1;
    this.keys.push(...keys.map((key) => `${table}:${key}`));
    return super.getMany(table, keys);
  }
}

/** A directory of FILES files, none of which is in memory. */
async function coldTree(): Promise<{ tree: FoundedMachine; store: CountingStore }> {
  const store = new CountingStore();
  const tree = await FoundedMachine.create(store);
  await tree.do('makeDirectory', { path: '/d' });
  for (let at = 0; at < FILES; at += 1) await tree.do('touch', { path: nameOf(at) });
  await tree.machine.flush();
  await tree.reopen();
  store.reads = 0;
  return { tree, store };
}

function nameOf(at: number): string {
  return `/d/${String(at).padStart(4, '0')}`;
}

describe('rows that are not in memory', () => {
  it('are loaded for all files that a Housekeeping frees, in a few reads', async () => {
    const store = new CountingStore();
    const tree = await FoundedMachine.create(store);
    await tree.do('makeDirectory', { path: '/d' });
    for (let at = 0; at < FILES; at += 1) await tree.put(nameOf(at), `block ${at}`);
    await tree.do('removeTree', { path: '/d' });
    await tree.do('housekeeping', { limit: FILES });
    await tree.machine.flush();
    await tree.reopen();
    store.reads = 0;
    const { kind } = await tree.do('housekeeping', { limit: 3 * FILES });
    expect(kind).toMatchObject({ value: { freedBlocks: FILES } });
    expect(store.reads).toBeLessThan(10);
  });

  it('are loaded for many log entries at a time', async () => {
    const { tree, store } = await coldTree();
    const entries = Array.from({ length: FILES }, (_, at) => ({
      index: ++tree.index,
      term: 1,
      data: CommandBatch.encode({
        format: SUPPORTED_FEATURE_LEVEL,
        timeMs: START_MS,
        commands: [
          {
            session: '',
            sequence: 0,
            ackedBelow: 0,
            command: command('touch', { path: nameOf(at), mtimeMs: 7 }),
          },
        ],
      }).finish(),
    }));
    await tree.machine.apply(entries);
    expect((await tree.machine.stat(nameOf(FILES - 1))).mtimeMs).toBe(7);
    expect(store.reads).toBeLessThan(FILES / 20);
  });

  it('are loaded at once for all pages of a file that is copied, or wanted in other numbers', async () => {
    const store = new CountingStore();
    const tree = await FoundedMachine.create(store);
    const texts = Array.from({ length: 20 * EXTENT_PAGE_BLOCKS }, (_, at) => `${at}`);
    for (let at = 0; at < texts.length; at += MAX_BLOCKS_PER_COMMAND)
      await tree.put(`/${at}`, ...texts.slice(at, at + MAX_BLOCKS_PER_COMMAND));
    await tree.machine.flush();
    for (const change of ['copyFile', 'setReplication'] as const) {
      await tree.reopen();
      store.reads = 0;
      expect(outcome(await tree.do(change, { path: '/0', from: '/0', to: '/copy', replication: 2 }))).toBe(
        'stat',
      );
      // The names on the way, the file, its pages, its blocks.
      expect(store.reads).toBeLessThan(10);
    }
  });

  it('stay out of memory when a listing passes by', async () => {
    const { tree } = await coldTree();
    await tree.machine.stat('/d');
    const before = tree.machine.cachedBytes;
    const seen: string[] = [];
    for (let more = true; more; ) {
      const page = await tree.machine.list('/d', seen.at(-1) ?? '', 10_000);
      expect(page.entries.length).toBeLessThanOrEqual(MAX_LIST_ENTRIES);
      seen.push(...page.entries.map(({ name }) => name));
      ({ more } = page);
    }
    expect(seen).toHaveLength(FILES);
    expect(tree.machine.cachedBytes).toBe(before);
  });

  it('are remembered when somebody asks for them by name', async () => {
    const { tree, store } = await coldTree();
    await tree.machine.stat(nameOf(5));
    const { reads } = store;
    await tree.machine.stat(nameOf(5));
    expect(store.reads).toBe(reads);
  });
});
