/** @module `node namespace-point.ts FILES`: what operations cost in a namespace of so many files. Prints one line of JSON. */
import { mkdtemp, rm, stat as fileStat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIB } from '../../../src/common/bytes.ts';
import { MAX_SCAN_BLOCKS } from '../../../src/namespace/limits.ts';
import { StateMachine } from '../../../src/namespace/state-machine.ts';
import { openRowStore } from '../../../src/storage/sqlite-row-store.ts';
import { block, command, FoundedMachine, type Request } from '../../namespace/founded-machine.ts';
import { BIG_DIRECTORY, TreeRows } from '../tree-rows.ts';
import { writeTree } from '../tree-writer.ts';
import { cost } from './child-point.ts';

const files = Number(process.argv[2]);
/** Operations of each kind that count; as many before them are for the compiler. */
const OPERATIONS = 4_096;
const PAGES = 64;
/** Commands of one log entry, and reads at a time. */
const TOGETHER = 64;
const CACHED_FILES = Math.min(files, 8_192);

const directory = await mkdtemp(join(tmpdir(), 'holdfast-scale-'));
const path = join(directory, 'namespace.db');
const rows = new TreeRows({
  files,
  directories: Math.max(1, Math.ceil(files / 1_000)),
  biggestDirectory: Math.ceil(files / 2),
  blocksPerFile: 1,
  timeMs: 1_700_000_000_000,
});
try {
  await fill();
  console.log(JSON.stringify(await measure()));
} finally {
  await rm(directory, { recursive: true });
}

async function fill(): Promise<void> {
  const store = await openRowStore(path);
  const founded = await FoundedMachine.create(store);
  await founded.machine.close();
  await writeTree(store, rows, founded.machine.counters());
  await store.close();
}

async function measure(): Promise<Record<string, number>> {
  const started = await cost(async () => {
    const store = await openRowStore(path);
    const machine = await StateMachine.open({ store });
    await machine.stat(rows.pathOf(0));
    return { store, machine };
  });
  const { store } = started.result;
  const founded = FoundedMachine.opened(started.result.machine, store);
  const { machine } = founded;
  const figures: Record<string, number> = { restart: started.ms };
  const each = async (name: string, work: (at: number) => Promise<void>): Promise<void> => {
    for (const round of [0, 1]) {
      const { cpuMicroseconds } = await cost(async () => {
        for (let at = 0; at < OPERATIONS; at += TOGETHER) await work(round * OPERATIONS + at);
        await machine.flush();
      });
      figures[name] = cpuMicroseconds / OPERATIONS;
    }
  };
  const batch = (from: number, of: (at: number) => Request): Promise<unknown> =>
    founded.batch(Array.from({ length: TOGETHER }, (_, offset) => of(from + offset)));
  const read = (from: number, of: (at: number) => string): Promise<unknown> =>
    Promise.all(Array.from({ length: TOGETHER }, (_, offset) => machine.stat(of(from + offset))));

  await each('stat', async (from) => void (await read(from, (at) => rows.pathOf(scattered(at)))));
  const heapBefore = heapBytes();
  const cachedBefore = machine.cachedBytes;
  for (let at = 0; at < CACHED_FILES; at += TOGETHER) await read(at, (next) => rows.pathOf(next % files));
  if (machine.cachedBytes - cachedBefore > MIB)
    figures['heapPerFile'] = (heapBytes() - heapBefore) / CACHED_FILES;
  await each('cachedStat', async (from) => void (await read(from, (at) => rows.pathOf(at % CACHED_FILES))));
  await each(
    'create',
    async (from) =>
      void (await batch(from, (at) =>
        request('createFile', { path: nameOf(at), complete: true, blocks: [block(`${at}`)] }),
      )),
  );
  await each(
    'rename',
    async (from) =>
      void (await batch(from, (at) => request('rename', { from: nameOf(at), to: `${nameOf(at)}-moved` }))),
  );
  await each('remove', async (from) => {
    await batch(from, (at) => request('unlink', { path: `${nameOf(at)}-moved` }));
    await founded.clean();
  });
  const listed = await cost(async () => {
    for (let page = 0; page < PAGES; page++)
      await machine.list(BIG_DIRECTORY, `file-${String(scattered(page) >> 1).padStart(8, '0')}`, 250);
  });
  figures['list'] = listed.cpuMicroseconds / PAGES;
  figures['walk'] = (await cost(walk)).cpuMicroseconds / 1_000;
  const copied = join(directory, 'snapshot.db');
  const snapshot = await cost(async () => {
    const pinned = await machine.pin();
    await using pinnedRows = pinned.rows;
    await pinnedRows.copyTo(copied);
  });
  figures['snapshotCpu'] = snapshot.cpuMicroseconds / 1_000;
  figures['snapshotMib'] = (await fileStat(copied)).size / MIB;
  figures['rssMib'] = process.memoryUsage().rss / MIB;
  await store.close();
  return figures;

  /** What the survey of a keeper of all shards reads of the namespace. */
  async function walk(): Promise<void> {
    for (let after = ''; ; ) {
      const page = await machine.scanBlocks(after, MAX_SCAN_BLOCKS);
      const last = page.at(-1);
      if (page.length < MAX_SCAN_BLOCKS || last === undefined) return;
      after = last.hash;
    }
  }
}

/** New files, in a directory that grows with them. */
function nameOf(at: number): string {
  return `${BIG_DIRECTORY}/new-${String(at).padStart(8, '0')}`;
}

function request(kind: Parameters<typeof command>[0], fields: object): Request {
  return { session: '', sequence: 0, ackedBelow: 0, command: command(kind, fields) };
}

/** Numbers below `files` that look drawn at random, the same in every run. */
function scattered(at: number): number {
  return (Math.imul(at + 1, 0x9e3779b1) >>> 0) % files;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
