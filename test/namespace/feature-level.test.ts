/** @module Old rows and old logs under this code, this code's rows under older code, and the gate between them. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import { CommandBatch, type Result } from '../../src/namespace/schema.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import { NEWEST_ROW_FORMAT } from '../../src/storage/row-store.ts';
import { SqliteConnection } from '../../src/storage/sqlite.ts';
import { openRowStore } from '../../src/storage/sqlite-row-store.ts';
import { temporaryDirectory } from '../storage/temporary-directory.ts';
import { block, command, FoundedMachine, grantOf, outcome, statOf } from './founded-machine.ts';

/** What code of an earlier level left. */
interface OldLog {
  readonly term: number;
  readonly openInode: number;
  readonly openToken: number;
  readonly timeMs: number;
  readonly index: number;
  readonly namespaceHash: string;
  /** CommandBatch in base64; `conf:` before a configuration. */
  readonly entries: readonly string[];
}

const fixture = (name: string): URL => new URL(`fixtures/${name}`, import.meta.url);
const logOf = (level: number): OldLog =>
  JSON.parse(readFileSync(fixture(`level-${level}.json`), 'utf8')) as OldLog;
const levelOne = logOf(1);

/** The rows that code of this level left, in a fresh file. */
async function rowsOf(level: number): Promise<string> {
  const path = join(await temporaryDirectory(), 'rows.db');
  await writeFile(path, gunzipSync(readFileSync(fixture(`level-${level}.sqlite.gz`))));
  return path;
}

async function formatOf(path: string): Promise<number> {
  const connection = await SqliteConnection.openReader(path);
  const [row] = await connection.all('PRAGMA user_version');
  await connection.close();
  return Number(row?.['user_version']);
}

async function replay(machine: StateMachine, { entries, term }: OldLog): Promise<void> {
  for (const [position, entry] of entries.entries()) {
    const index = position + 1;
    if (entry.startsWith('conf:'))
      await machine.applyConfState(index, term, Buffer.from(entry.slice(5), 'base64'));
    else await machine.apply([{ index, term, data: Buffer.from(entry, 'base64') }]);
  }
}

const raise = command('raiseFeatureLevel', { level: 2 });
const symlink = command('makeSymlink', { path: '/link', target: 'a' });
const anonymous = (next: typeof raise) => ({ session: '', sequence: 0, ackedBelow: 0, command: next });

function batch(format: number, ...commands: (typeof raise)[]): Uint8Array {
  return CommandBatch.encode({ format, timeMs: 1, commands: commands.map(anonymous) }).finish();
}

describe('what feature level 1 has left', () => {
  it('is replayed to the very same rows, so that old and new nodes are equal while the gate is shut', async () => {
    const machine = await StateMachine.open({ store: new MemoryRowStore() });
    await replay(machine, levelOne);
    expect(await machine.namespaceHash()).toEqual({ index: levelOne.index, hash: levelOne.namespaceHash });
  });

  it('is opened as rows, goes on at level 1, and takes level 2 once it is raised', async () => {
    const path = await rowsOf(1);
    const store = await openRowStore(path);
    const machine = await StateMachine.open({ store });
    expect((await machine.namespaceHash()).hash).toBe(levelOne.namespaceHash);
    expect(machine.featureLevel).toBe(1);

    const from = levelOne.index;
    const close = command('closeFile', { inode: levelOne.openInode, fencingToken: levelOne.openToken });
    const [shut] = await machine.apply([{ index: from + 1, term: 1, data: batch(1, symlink, close) }]);
    expect(shut?.map(outcome)).toEqual(['NAMESPACE_FEATURE_NOT_ACTIVE', 'stat']);
    await machine.flush();
    expect(await formatOf(path)).toBe(1);

    const [open] = await machine.apply([{ index: from + 2, term: 1, data: batch(2, raise, symlink) }]);
    expect(open?.map(outcome)).toEqual(['done', 'stat']);
    expect((await machine.stat('/a/b/large')).blockCount).toBe(90);
    expect((await machine.stat('/link')).path).toBe('/a');
    await machine.close();
    await store.close();
    expect(await formatOf(path)).toBe(2);
  });

  it('is taken as a snapshot', async () => {
    const directory = await temporaryDirectory();
    const store = await openRowStore(join(directory, 'rows.db'));
    const machine = await StateMachine.open({ store });
    const snapshot = await rowsOf(1);
    await machine.verify(snapshot);
    await machine.restoreFrom(snapshot);
    expect((await machine.namespaceHash()).hash).toBe(levelOne.namespaceHash);
    await machine.close();
    await store.close();
  });
});

describe('what feature level 2 has left', () => {
  const levelTwo = logOf(2);

  it('is replayed to the very same rows, so that old and new nodes are equal while the gate is shut', async () => {
    const machine = await StateMachine.open({ store: new MemoryRowStore() });
    await replay(machine, levelTwo);
    expect(await machine.namespaceHash()).toEqual({ index: levelTwo.index, hash: levelTwo.namespaceHash });
  });

  it('is opened as rows, goes on at level 2, and takes level 3 once it is raised', async () => {
    const path = await rowsOf(2);
    const store = await openRowStore(path);
    const machine = await StateMachine.open({ store });
    expect((await machine.namespaceHash()).hash).toBe(levelTwo.namespaceHash);
    expect(machine.featureLevel).toBe(2);
    const { inode: from, blockCount } = await machine.stat('/a/b/large');
    const lease = { inode: levelTwo.openInode, fencingToken: levelTwo.openToken };
    const part = command('copyBlocks', { ...lease, firstBlock: 70, from });
    const next = (index: number, ...commands: (typeof raise)[]) =>
      machine.apply([{ index: levelTwo.index + index, term: 3, data: batch(2 + index - 1, ...commands) }]);
    const [shut] = await next(1, part);
    expect(shut?.map(outcome)).toEqual(['NAMESPACE_FEATURE_NOT_ACTIVE']);
    await machine.flush();
    expect(await formatOf(path)).toBe(2);
    const [open] = await next(2, command('raiseFeatureLevel', { level: 3 }), part);
    expect(open?.map(outcome)).toEqual(['done', 'grant']);
    expect(grantOf(open?.[1] as Result).blockCount).toBe(blockCount);
    await machine.close();
    await store.close();
    expect(await formatOf(path)).toBe(3);
  });
});

it('names the format of rows by the feature level that they need', () => {
  expect(NEWEST_ROW_FORMAT).toBe(SUPPORTED_FEATURE_LEVEL);
});

describe('a machine that supports level 1 only', () => {
  const old = { supportedFeatureLevel: 1 };

  it('stops at a log entry of level 2 rather than skip it', async () => {
    const machine = await StateMachine.open({ store: new MemoryRowStore() }, old);
    await replay(machine, levelOne);
    await expect(
      machine.apply([{ index: levelOne.index + 1, term: 1, data: batch(2, raise) }]),
    ).rejects.toMatchObject({ code: 'NAMESPACE_FEATURE_LEVEL_TOO_LOW', facts: { supported: 1, active: 2 } });
    expect(machine.appliedIndex).toBe(levelOne.index);
    await expect(machine.apply([])).rejects.toMatchObject({ code: 'NAMESPACE_FEATURE_LEVEL_TOO_LOW' });
  });

  it('does not open the rows of level 2', async () => {
    const store = new MemoryRowStore();
    const tree = await FoundedMachine.create(store);
    await tree.machine.close();
    await expect(StateMachine.open({ store }, old)).rejects.toMatchObject({
      code: 'NAMESPACE_FEATURE_LEVEL_TOO_LOW',
    });
  });
});

it('marks rows of its level, and copies of them, so that code of level 1 refuses the files', async () => {
  const directory = await temporaryDirectory();
  const [path, copy] = [join(directory, 'rows.db'), join(directory, 'copy.db')];
  const store = await openRowStore(path);
  const tree = await FoundedMachine.create(store);
  {
    await using pinned = (await tree.machine.pin()).rows;
    await pinned.copyTo(copy);
  }
  await tree.machine.close();
  await store.close();
  for (const file of [path, copy]) {
    expect(await formatOf(file)).toBe(SUPPORTED_FEATURE_LEVEL);
    await expect(SqliteConnection.open(file, { format: 1, schema: [] })).rejects.toMatchObject({
      code: 'STORAGE_WRONG_FORMAT',
      facts: { wanted: 1, got: SUPPORTED_FEATURE_LEVEL },
    });
  }
});

it('stops at a command that it does not know', async () => {
  const tree = await FoundedMachine.create();
  const unknown = { session: '', sequence: 0, ackedBelow: 0, command: { kind: undefined } };
  const data = CommandBatch.encode({ format: 2, timeMs: 1, commands: [unknown] }).finish();
  await expect(tree.machine.apply([{ index: tree.index + 1, term: 1, data }])).rejects.toMatchObject({
    code: 'ASSERTION',
  });
});

it('never lowers the level', async () => {
  const tree = await FoundedMachine.create();
  await tree.do('raiseFeatureLevel', { level: 1 });
  expect(tree.machine.featureLevel).toBe(SUPPORTED_FEATURE_LEVEL);
});

it('leaves out of the rows, below level 2, what older nodes would leave out', async () => {
  const tree = await FoundedMachine.create(undefined, {}, 1);
  const attributes = { owner: 'ada', group: 'users', mode: 0o600 };
  const made = statOf(await tree.do('makeDirectory', { path: '/d', parents: false, attributes }));
  const put = await tree.do('createFile', { path: '/d/f', complete: true, blocks: [block('x')], attributes });
  for (const stat of [made, statOf(put)])
    expect(stat).toMatchObject({ owner: '', group: '', mode: undefined });
  await tree.do('makeDirectory', { path: '/e' });
  expect(outcome(await tree.do('rename', { from: '/d', to: '/e' }))).toBe('NAMESPACE_IS_A_DIRECTORY');
  expect(outcome(await tree.do('setReplication', { path: '/d', replication: 2 }))).toBe(
    'NAMESPACE_IS_A_DIRECTORY',
  );
});
