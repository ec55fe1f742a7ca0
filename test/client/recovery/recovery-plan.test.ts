/** @module What comes back at which path: the newest that is whole, and a backup where it knows better. */
import { expect, it } from 'vitest';
import { encodeBackup, type BackupKind } from '../../../src/namespace/backup-records.ts';
import { Inode } from '../../../src/namespace/schema.ts';
import { BackupEntries } from '../../../src/client/recovery/backup-entries.ts';
import { BlockChains } from '../../../src/client/recovery/block-chain.ts';
import { RecoveryPlan } from '../../../src/client/recovery/recovery-plan.ts';
import { CLOCK_MARGIN_MS } from '../../../src/client/recovery/version-choice.ts';
import type { FoundBlocks } from '../../../src/client/recovery/found-blocks.ts';
import { BLOCK_BYTES, hashOf, WrittenBlocks } from './written-blocks.ts';

const BACKUP_MS = 10 * CLOCK_MARGIN_MS;
const BEFORE_MS = BACKUP_MS - 2 * CLOCK_MARGIN_MS;
const AFTER_MS = BACKUP_MS + 2 * CLOCK_MARGIN_MS;

interface Saved {
  readonly path: string;
  readonly kind?: 'file' | 'directory' | 'symlink';
  readonly names?: readonly string[];
  readonly ctimeMs?: number;
  readonly id?: number;
}

/** A backup of these entries, all right below `/`. */
async function* backupOf(entries: readonly Saved[]): AsyncGenerator<BackupKind> {
  yield { $case: 'header', value: { format: 1, cluster: 'c', index: 9, timeMs: BACKUP_MS } };
  yield { $case: 'entry', value: { inode: Inode.fromPartial({ id: 1, kind: 'directory' }) } };
  for (const [
    at,
    { path, kind = 'file', names = [], ctimeMs = BEFORE_MS, id = at + 2 },
  ] of entries.entries()) {
    const sizeBytes = names.length * BLOCK_BYTES;
    const inode = { id, parent: 1, name: path.slice(1), kind, ctimeMs, blockCount: names.length, sizeBytes };
    yield { $case: 'entry', value: { inode: Inode.fromPartial(inode) } };
    const blocks = names.map((name) => ({ hash: hashOf(name), sizeBytes: BLOCK_BYTES }));
    if (blocks.length > 0) yield { $case: 'blocks', value: { blocks } };
  }
}

/** 'path from' of what comes back, 'path reason' of what does not. */
async function planOf(
  found: FoundBlocks,
  saved?: readonly Saved[],
  open: readonly number[] = [],
): Promise<string[]> {
  const backup =
    saved === undefined
      ? await BackupEntries.empty(found.database)
      : await BackupEntries.load(
          found.database,
          encodeBackup(backupOf(saved), () => open),
        );
  const chains = new BlockChains(found);
  const plan = await RecoveryPlan.make(
    { found, chains, backup, sizes: (hashes) => found.sizes(hashes) },
    { signal: AbortSignal.timeout(10_000) },
  );
  const lines: string[] = [];
  for await (const { path, from, loss, sizeBytes, kind } of plan.entries())
    if (path !== '/')
      lines.push(
        [path, from ?? 'lost', ...(loss ? [loss.reason] : []), ...(kind === 'file' ? [sizeBytes] : [])].join(
          ' ',
        ),
      );
  return lines;
}

it('brings the newest whole version back, and says when a newer one is not whole', async () => {
  const written = new WrittenBlocks();
  written.write('/a', ['old1', 'old2']);
  written.write('/a', ['new']);
  written.write('/b', ['whole']);
  written.write('/b', ['x', 'gone', 'y']);
  written.write('/c', ['p', 'gone']);
  expect(await planOf(await written.found({ blocks: ['gone'] }))).toEqual([
    '/a blocks 1000',
    '/b blocks block-missing 1000',
    '/c lost unfinished 0',
  ]);
});

it('names what only bad copies tell of, and makes nothing of what they say', async () => {
  const written = new WrittenBlocks();
  written.write('/a', ['old']);
  written.write('/a', ['rotten']);
  written.write('/b', ['rotten2']);
  written.write('/c', ['first', 'rotten3']);
  written.write('/d', ['alike', 'last']);
  written.write('/e', ['last', 'alike']);
  expect(await planOf(await written.found({ rotten: ['rotten', 'rotten2', 'rotten3', 'alike'] }))).toEqual([
    '/a blocks block-missing 1000',
    '/b lost block-missing 1000',
    '/c lost block-missing 2000',
    '/d lost block-missing 2000',
    '/e lost block-missing 2000',
  ]);
});

it('puts what has no place of its own into lost+found: the older of a file and a directory, a path that is cut', async () => {
  const written = new WrittenBlocks();
  written.write('/a', ['file']);
  written.write('/a/b', ['inside']);
  written.write('/c/d', ['inside2']);
  written.write('/c', ['later']);
  written.write('ng/tail', ['cut']);
  expect(await planOf(await written.found())).toEqual([
    '/a/b blocks 1000',
    '/c blocks 1000',
    expect.stringMatching(/^\/lost\+found\/a~\w{8} blocks 1000$/),
    expect.stringMatching(/^\/lost\+found\/c\/d~\w{8} blocks 1000$/),
    '/lost+found/ng/tail blocks 1000',
  ]);
});

it('keeps an older version beside a conditional write, which may have been refused', async () => {
  const written = new WrittenBlocks();
  written.write('/a', ['old1', 'old2']);
  written.write('/a', ['new'], { conditional: true });
  expect(await planOf(await written.found())).toEqual([
    '/a blocks 1000',
    expect.stringMatching(/^\/lost\+found\/a~\w{8} blocks 2000$/),
  ]);
});

it('takes a backup for exact: renames, removals, empty files, directories and links', async () => {
  const written = new WrittenBlocks();
  written.write('/was', ['moved'], { atMs: BEFORE_MS });
  written.write('/removed', ['removed'], { atMs: BEFORE_MS });
  const saved: Saved[] = [
    { path: '/is', names: ['moved'] },
    { path: '/empty' },
    { path: '/dir', kind: 'directory' },
    { path: '/link', kind: 'symlink' },
  ];
  expect(await planOf(await written.found(), saved)).toEqual([
    '/dir backup',
    '/empty backup 0',
    '/is backup 1000',
    '/link backup',
  ]);
});

it('adds to a backup what blocks show to be newer, and what was being written then', async () => {
  const written = new WrittenBlocks();
  written.write('/a', ['a1'], { atMs: BEFORE_MS });
  written.write('/a', ['a2', 'a3'], { atMs: AFTER_MS });
  written.write('/new', ['n'], { atMs: AFTER_MS });
  written.write('/long', ['l'], { atMs: BEFORE_MS, fileId: 50 });
  const saved: Saved[] = [{ path: '/a', names: ['a1'] }];
  expect(await planOf(await written.found(), saved, [50])).toEqual([
    '/a blocks 2000',
    '/long blocks 1000',
    '/new blocks 1000',
  ]);
});

it('around the time of a backup takes what the backup does not have, unless it stands there under another name', async () => {
  const written = new WrittenBlocks();
  written.write('/late', ['l'], { atMs: BACKUP_MS - 1_000 });
  written.write('/was', ['moved'], { atMs: BACKUP_MS - 1_000 });
  written.write('/over', ['o1', 'o2'], { atMs: BACKUP_MS - 2_000 });
  written.write('/over', ['o3'], { atMs: BACKUP_MS - 1_500 });
  const saved: Saved[] = [
    { path: '/is', names: ['moved'] },
    { path: '/over', names: ['o3'], ctimeMs: BACKUP_MS - 1_400 },
  ];
  expect(await planOf(await written.found(), saved)).toEqual([
    '/is backup 1000',
    '/late blocks 1000',
    '/over backup 1000',
  ]);
});

it('says which file of a backup lacks a block, and falls back to an older version that is whole', async () => {
  const written = new WrittenBlocks();
  written.write('/a', ['a1'], { atMs: BEFORE_MS });
  written.write('/a', ['gone', 'x'], { atMs: BEFORE_MS + 1 });
  written.write('/b', ['gone', 'y'], { atMs: BEFORE_MS });
  const saved: Saved[] = [
    { path: '/a', names: ['gone', 'x'] },
    { path: '/b', names: ['gone', 'y'] },
  ];
  expect(await planOf(await written.found({ blocks: ['gone'] }), saved)).toEqual([
    '/a blocks block-missing 1000',
    '/b lost block-missing 2000',
  ]);
});

it('copies by reference come back from a backup alone', async () => {
  const written = new WrittenBlocks();
  written.write('/a', ['a'], { atMs: BEFORE_MS });
  const saved: Saved[] = [
    { path: '/a', names: ['a'] },
    { path: '/copy', names: ['a'] },
  ];
  expect(await planOf(await written.found(), saved)).toEqual(['/a backup 1000', '/copy backup 1000']);
  expect(await planOf(await written.found())).toEqual(['/a blocks 1000']);
});

it('takes nothing of a backup that is damaged anywhere', async () => {
  const found = await new WrittenBlocks().found();
  const whole: Uint8Array[] = [];
  for await (const chunk of encodeBackup(backupOf([{ path: '/a', names: ['a'] }]), () => []))
    whole.push(chunk);
  const bytes = Buffer.concat(whole);
  const load = (damaged: Uint8Array): Promise<BackupEntries> =>
    BackupEntries.load(
      found.database,
      (async function* () {
        yield damaged;
      })(),
    );
  for (const at of [5, 40, bytes.length - 20]) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    await expect(load(flipped)).rejects.toMatchObject({ code: 'NAMESPACE_BACKUP_DAMAGED' });
  }
  await expect(load(bytes.subarray(0, -1))).rejects.toMatchObject({ code: 'NAMESPACE_BACKUP_DAMAGED' });
  await expect(load(Buffer.concat([bytes, bytes]))).rejects.toMatchObject({
    code: 'NAMESPACE_BACKUP_DAMAGED',
  });
  expect(await (await load(bytes)).at('/a')).toMatchObject({ path: '/a' });
});
