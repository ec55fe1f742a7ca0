/** @module Files in and out of a real cluster through the command, as a person uses it. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { Command, jsonLines, type RunningCommand } from './support/command.ts';
import { eventually } from './support/eventually.ts';
import { knownBytes } from './support/known-bytes.ts';

const KIB = 1024;
const BLOCK = 64 * KIB;
const SMALL_FILES = 300;
const HELD = 2;
/** A transfer that takes longer than five seconds says how far it is. */
const NOTHING_BUT_PROGRESS = expect.stringMatching(/^((put|get): [\d.]+ [KMG]?i?B.*\n)*$/);

let cluster: LocalCluster;
let holdfast: Command;
/** A put without an end: it has been under way for a while when its turn comes to be looked at. */
let slowPut: RunningCommand;

beforeAll(async () => {
  cluster = await LocalCluster.start({ metadataNodes: 1, dataNodes: 3, replication: HELD });
  const directory = join(cluster.directory, 'work');
  await mkdir(directory);
  holdfast = new Command(cluster, directory);
  await mkdir(local('directory'));
  await writeFile(local('known'), 'known');
  await holdfast.text('put', 'known', '/');
  slowPut = holdfast.start('put', '--block-size', '64KiB', '-', '/slow');
});
afterAll(() => cluster?.stop());

function local(...names: readonly string[]): string {
  return join(holdfast.directory, ...names);
}

async function contentOf(name: string, sizeBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of knownBytes(name, sizeBytes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function makeFile(name: string, sizeBytes: number): Promise<Buffer> {
  const content = await contentOf(name, sizeBytes);
  await writeFile(local(name), content);
  return content;
}

/** Relative path -> SHA-256 of a file, 'directory' of a directory. */
async function treeOf(directory: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    tree[path.slice(directory.length)] = entry.isDirectory()
      ? 'directory'
      : createHash('sha256')
          .update(await readFile(path))
          .digest('hex');
  }
  return tree;
}

describe('put and get of files', () => {
  it('give back every size around a block boundary byte for byte', async () => {
    const sizes = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 4 * BLOCK, 4 * BLOCK + 1, 11 * BLOCK + 77];
    const names = sizes.map((size) => `size-${size}`);
    const contents = await Promise.all(sizes.map((size) => makeFile(`size-${size}`, size)));
    await holdfast.text('mkdir', '/sizes');
    await holdfast.text('put', '--block-size', '64KiB', ...names, '/sizes');
    await mkdir(local('sizes'));
    const remote = names.map((name) => `/sizes/${name}`);
    await holdfast.text('get', ...remote, 'sizes');
    for (const [at, name] of names.entries())
      expect((await readFile(local('sizes', name))).equals(contents[at] ?? Buffer.of()), name).toBe(true);
    expect(await holdfast.json('stat', ...remote)).toMatchObject(
      sizes.map((sizeBytes) => ({
        sizeBytes,
        blockSizeBytes: BLOCK,
        blockCount: Math.ceil(sizeBytes / BLOCK),
      })),
    );
  });

  it('give back a nested tree with empty directories and hundreds of small files', async () => {
    await mkdir(local('tree', 'deep', 'er', 'and', 'deeper'), { recursive: true });
    await mkdir(local('tree', 'empty', 'too'), { recursive: true });
    await mkdir(local('tree', 'many'));
    await makeFile('tree/deep/er/and/deeper/file', 3 * BLOCK);
    await makeFile('tree/nothing', 0);
    for (let at = 0; at < SMALL_FILES; at += 1) await makeFile(`tree/many/${at}`, at * 13);
    await holdfast.text('put', '-r', 'tree', '/');
    await holdfast.text('get', '-r', '/tree', 'tree-again');
    const tree = await treeOf(local('tree'));
    expect(Object.keys(tree)).toHaveLength(SMALL_FILES + 9);
    expect(await treeOf(local('tree-again'))).toEqual(tree);
  });

  it('take standard input, and give standard output the bytes and nothing else', async () => {
    const first = await contentOf('stdin', 700 * KIB);
    const second = Buffer.from('and then this\n');
    const put = await holdfast.runOn(first, 'put', '-', '/piped');
    expect([put.status, put.stderr]).toEqual([0, NOTHING_BUT_PROGRESS]);
    expect((await holdfast.runOn(second, 'put', '-', '/piped2')).status).toBe(0);
    expect((await holdfast.runOn('', 'put', '-', '/piped-empty')).status).toBe(0);
    const [got, cat] = await Promise.all([
      holdfast.run('get', '/piped', '-'),
      holdfast.run('cat', '/piped', '/piped-empty', '/piped2'),
    ]);
    expect(got.stdout.equals(first)).toBe(true);
    expect(cat.stdout.equals(Buffer.concat([first, second]))).toBe(true);
    expect([got.stderr, cat.stderr]).toEqual([NOTHING_BUT_PROGRESS, NOTHING_BUT_PROGRESS]);
  });

  it('show progress as plain lines where there is no terminal', async () => {
    const chunk = await contentOf('slow', BLOCK);
    await eventually('a line of progress', 40_000, () => {
      slowPut.stdin.write(chunk);
      return slowPut.stderr.includes('\n') ? true : undefined;
    });
    slowPut.stdin.end();
    const { status, stderr } = await slowPut.ended;
    expect(status).toBe(0);
    expect(stderr).toMatch(/^(put: [\d.]+ [KM]iB \| [\d.]+ [KM]?i?B\/s\n)+$/);
  });

  it('keep as many copies as asked for', async () => {
    await makeFile('copies', 3 * BLOCK);
    for (const copies of [1, 3]) {
      await holdfast.text('put', '--replication', `${copies}`, '--block-size', '64KiB', 'copies', '/copies');
      const [found] = await holdfast.json('locate', '/copies');
      const blocks = found?.['blocks'] as { readonly nodes: readonly number[] }[];
      expect(blocks.map(({ nodes }) => new Set(nodes).size)).toEqual([copies, copies, copies]);
    }
  });

  it('say when fewer copies could be made than were asked for', async () => {
    await makeFile('too-many', BLOCK);
    const [put] = await holdfast.json('put', '--replication', '5', 'too-many', '/too-many');
    expect(put).toMatchObject({ copies: 3, replication: 5, underReplicatedBlocks: 1 });
    const { stderr } = await holdfast.run('put', '--replication', '5', 'too-many', '/too-many');
    expect(stderr).toMatch(/1 block with only 3 of 5 copies/);
  });

  it('replace nothing with --if-absent, and only the version named with --if-version', async () => {
    await writeFile(local('one'), 'one');
    await writeFile(local('two'), 'two');
    const [first] = await holdfast.json('put', '--if-absent', 'one', '/guarded');
    expect(await holdfast.failure('put', '--if-absent', 'two', '/guarded')).toEqual([4, 'NAMESPACE_EXISTS']);
    expect(await holdfast.text('cat', '/guarded')).toBe('one');
    const version = String(first?.['version']);
    const [second] = await holdfast.json('put', '--if-version', version, 'two', '/guarded');
    expect(second?.['version']).not.toBe(first?.['version']);
    expect(await holdfast.failure('put', '--if-version', version, 'one', '/guarded')).toEqual([
      4,
      'NAMESPACE_VERSION_MISMATCH',
    ]);
    expect(await holdfast.text('cat', '/guarded')).toBe('two');
  });

  it('go into a directory that is named as the target, and replace a file', async () => {
    await writeFile(local('into'), 'old');
    await mkdir(local('into-here'));
    await holdfast.text('mkdir', '/into-dir');
    await holdfast.text('put', 'into', '/into-dir');
    await writeFile(local('into'), 'new');
    await holdfast.text('put', 'into', '/into-dir/');
    await holdfast.text('get', '/into-dir/into', 'into-here');
    await holdfast.text('put', '--parents', 'into', '/into-new/below/it');
    expect(await holdfast.text('cat', '/into-new/below/it')).toBe('new');
    expect(await readFile(local('into-here', 'into'), 'utf8')).toBe('new');
    await writeFile(local('in-the-way'), 'much longer than what comes');
    await holdfast.text('get', '/into-dir/into', 'in-the-way');
    expect(await readFile(local('in-the-way'), 'utf8')).toBe('new');
    await mkdir(local('into-here', 'kept', 'into'), { recursive: true });
    expect(await holdfast.failure('get', '/into-dir/into', 'into-here/kept')).toEqual([
      4,
      'CLI_LOCAL_EXISTS',
    ]);
  });

  it('go on with the other files when one of several cannot be had', async () => {
    await writeFile(local('there'), 'there');
    await holdfast.text('mkdir', '/several');
    expect(await holdfast.failure('put', 'not-there', 'there', '/several')).toEqual([
      11,
      'CLI_PARTLY_FAILED',
    ]);
    await mkdir(local('several'));
    const got = await holdfast.failure('get', '/several/not-there', '/several/there', 'several');
    expect(got).toEqual([11, 'CLI_PARTLY_FAILED']);
    expect(await treeOf(local('several'))).toEqual({ '/there': expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it.concurrent.each([
    [['put', 'no-such-file', '/x'], 3, 'CLI_LOCAL_NOT_FOUND', 'no-such-file'],
    [['get', '/no-such-file'], 3, 'NAMESPACE_NOT_FOUND', '/no-such-file'],
    [['cat', '/no-such-file'], 3, 'NAMESPACE_NOT_FOUND', '/no-such-file'],
    [['put', 'known', '/no-such-directory/x'], 3, 'NAMESPACE_NOT_FOUND', '--parents'],
    [['put', 'known', '/no-such-directory/'], 5, 'NAMESPACE_NOT_A_DIRECTORY', 'mkdir -p'],
    [['put', 'directory', '/x'], 5, 'CLI_NEEDS_RECURSIVE', 'put -r'],
    [['get', '/'], 5, 'CLI_NEEDS_RECURSIVE', 'get -r'],
    [['cat', '/'], 5, 'NAMESPACE_IS_A_DIRECTORY', '/'],
    [['put', '-', '/'], 2, 'CLI_USAGE', 'no name'],
    [['put', '--replication', '0', 'known', '/x'], 2, 'CLI_USAGE', 'whole number'],
    [['put', '--block-size', '1KiB', 'known', '/x'], 2, 'CLI_USAGE', 'Blocks have'],
    [['get', '/known', 'no-such-directory/x'], 3, 'CLI_LOCAL_NOT_FOUND', 'no directory no-such-directory'],
    [['get', '/known', 'no-such-directory/'], 2, 'CLI_USAGE', 'no-such-directory/'],
  ])('refuse %j with status %i and %s', async (words, status, code, hint) => {
    const { status: got, error } = await holdfast.error(...words);
    expect([got, error.code]).toEqual([status, code]);
    expect(error.message).toContain(hint);
  });
});

describe('--json', () => {
  const number = expect.any(Number);
  const text = expect.any(String);
  const stat = {
    path: text,
    inode: number,
    kind: 'file',
    sizeBytes: 4,
    mtimeMs: number,
    ctimeMs: number,
    version: number,
    replication: HELD,
    blockSizeBytes: number,
    blockCount: 1,
    childCount: 0,
    owner: text,
    group: text,
    mode: 0o644,
    linkTarget: '',
    tailBlocks: 0,
    inheritedReplication: 0,
  };
  const put = {
    source: 'shape',
    path: '/shape/file',
    sizeBytes: 4,
    version: number,
    replication: HELD,
    blockCount: 1,
    mtimeMs: number,
    copies: HELD,
    underReplicatedBlocks: 0,
  };
  const space = { capacityBytes: number, usedBytes: number, freeBytes: number };
  const hash = expect.stringMatching(/^[0-9a-f]{64}$/);

  it('gives one object with the same fields for every result of every command', async () => {
    await writeFile(local('shape'), 'four');
    expect(await holdfast.json('mkdir', '/shape')).toEqual([{ path: '/shape' }]);
    expect(await holdfast.json('put', 'shape', '/shape/file')).toEqual([put]);
    expect(await holdfast.json('get', '/shape/file', 'shape-again')).toEqual([
      { path: '/shape/file', target: 'shape-again', sizeBytes: 4, version: number },
    ]);
    const [stats, listed, used, free, located, here] = await Promise.all([
      holdfast.json('stat', '/shape/file'),
      holdfast.json('ls', '/shape'),
      holdfast.json('du', '/shape'),
      holdfast.json('df'),
      holdfast.json('locate', '/shape/file'),
      holdfast.json('lshere', '--dir', cluster.nodeDirectory('d1')),
    ]);
    expect(stats).toEqual([{ ...stat, path: '/shape/file', realPath: '/shape/file' }]);
    expect(listed).toEqual([{ ...stat, path: '/shape/file', name: 'file' }]);
    expect(used).toEqual([
      { path: '/shape', files: 1, directories: 1, logicalBytes: 4, wantedBytes: 4 * HELD },
    ]);
    expect(free).toEqual([
      {
        ...space,
        logicalBytes: number,
        nodes: Array.from({ length: 3 }, () => ({ ...space, node: number, name: text, liveness: 'alive' })),
      },
    ]);
    expect(located).toEqual([
      {
        path: '/shape/file',
        sizeBytes: 4,
        replication: HELD,
        blocks: [{ position: 0, hash, sizeBytes: 4, nodes: [number, number] }],
        holders: expect.arrayContaining([expect.objectContaining({ node: number, peer: text, alive: true })]),
      },
    ]);
    expect(here[0]).toEqual({ hash, sizeBytes: number, fileId: number, pathHint: text, position: number });
    expect(await holdfast.json('setrep', '3', '/shape/file')).toEqual([
      { path: '/shape/file', kind: 'file', replication: 3 },
    ]);
    expect(await holdfast.json('touch', '/shape/touched')).toEqual([{ path: '/shape/touched' }]);
    expect(await holdfast.json('cp', '/shape/file', '/shape/copy')).toEqual([
      { source: '/shape/file', target: '/shape/copy' },
    ]);
    expect(await holdfast.json('mv', '/shape/copy', '/shape/moved')).toEqual([
      { source: '/shape/copy', target: '/shape/moved' },
    ]);
    expect(await holdfast.json('rm', '/shape/moved')).toEqual([{ path: '/shape/moved', removed: true }]);
    expect(await holdfast.json('rm', '-f', '/shape/moved')).toEqual([
      { path: '/shape/moved', removed: false },
    ]);
    expect(await holdfast.json('rm', '-r', '/shape')).toEqual([{ path: '/shape', removed: true }]);
    await holdfast.json('mkdir', '-p', '/shape/in');
    expect(await holdfast.json('rmdir', '/shape/in')).toEqual([{ path: '/shape/in', removed: true }]);
    const { stdout } = await holdfast.run('cluster', 'status', '--json');
    expect(jsonLines(stdout.toString())).toEqual([
      expect.objectContaining({
        stale: false,
        checks: expect.arrayContaining([{ name: 'leader', health: 'ok', finding: text, advice: '' }]),
        leader: 1,
        term: number,
        metadataNodes: [expect.objectContaining({ raftRole: 'leader', reachable: true })],
        dataNodes: Array.from({ length: 3 }, () => expect.objectContaining({ ...space, liveness: 'alive' })),
        counters: expect.objectContaining({ files: number }),
        bytesUnderReplicated: number,
      }),
    ]);
  });

  it('gives an error as code, kind, message and facts', async () => {
    expect((await holdfast.error('stat', '/none')).error).toEqual({
      code: 'NAMESPACE_NOT_FOUND',
      kind: 'refused',
      message: expect.stringContaining('/none'),
      facts: { path: '/none' },
    });
  });
});

describe('get of a file whose only copies are gone', () => {
  it('fails, and leaves the old file as it was and no temporary one', async () => {
    await makeFile('lost', 3 * BLOCK);
    await holdfast.text('put', '--replication', '1', '--block-size', '64KiB', 'lost', '/lost');
    const [found] = await holdfast.json('locate', '/lost');
    const blocks = found?.['blocks'] as { readonly nodes: readonly number[] }[];
    const last = cluster.byNumber(blocks.at(-1)?.nodes[0] ?? 0);
    await last?.kill('SIGKILL');
    await mkdir(local('getting'));
    await writeFile(local('getting', 'lost'), 'from yesterday');
    expect(await holdfast.failure('get', '/lost', 'getting')).toEqual([7, 'CLIENT_BLOCK_UNAVAILABLE']);
    expect(await readdir(local('getting'))).toEqual(['lost']);
    expect(await readFile(local('getting', 'lost'), 'utf8')).toBe('from yesterday');
    await cluster.startNode(last?.name ?? '');
    await holdfast.text('get', '/lost', 'getting');
    expect((await readFile(local('getting', 'lost'))).equals(await readFile(local('lost')))).toBe(true);
  });
});
