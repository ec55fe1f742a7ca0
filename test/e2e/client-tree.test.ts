/** @module The file tree of a real cluster through the command: listing, moving, copying, removing, and every name. */
import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { type Client, isHoldfastError } from '../../src/index.ts';
import { Command, type Json } from './support/command.ts';
import { knownBytes, sha256Of } from './support/known-bytes.ts';

const BLOCK = 64 * 1024;
/** Three pages of a listing. */
const MANY = 3_000;
const LONGEST_NAME = 'é'.repeat(127) + 'x';

let cluster: LocalCluster;
let client: Client;
let holdfast: Command;

beforeAll(async () => {
  cluster = await LocalCluster.start({ metadataNodes: 1, dataNodes: 2, replication: 2 });
  client = await cluster.connect();
  const directory = join(cluster.directory, 'work');
  await mkdir(directory);
  holdfast = new Command(cluster, directory);
});
afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

async function putFile(path: string, sizeBytes: number): Promise<string> {
  const options = { blockSizeBytes: BLOCK, parents: true };
  await client.put(path, knownBytes(path, sizeBytes), options);
  return sha256Of(knownBytes(path, sizeBytes));
}

async function digest(path: string): Promise<string> {
  return sha256Of((await client.get(path)).bytes);
}

async function blocksOf(path: string): Promise<readonly Json[]> {
  const [found] = await holdfast.json('locate', path);
  return found?.['blocks'] as Json[];
}

function hashes(blocks: readonly Json[]): unknown[] {
  return blocks.map(({ hash }) => hash);
}

/** Paths below a directory, in order. */
async function below(directory: string): Promise<string[]> {
  const paths = [];
  for await (const { path } of client.walk(directory)) paths.push(path);
  return paths.slice(1);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return isHoldfastError(error) ? error.code : String(error);
  }
}

describe('ls', () => {
  it('lists three pages once each, in order, short, long and below', async () => {
    await client.mkdir('/many');
    const names = Array.from({ length: MANY }, (_, at) => `n${String(at).padStart(5, '0')}`);
    await Promise.all(names.map((name) => client.touch(`/many/${name}`)));
    const [short, long, json, usage] = await Promise.all([
      holdfast.text('ls', '/many'),
      holdfast.text('ls', '-l', '-R', '/many'),
      holdfast.json('ls', '/many'),
      holdfast.json('du', '/many'),
    ]);
    expect(short.trimEnd().split('\n')).toEqual(names);
    expect(json.map(({ name }) => name)).toEqual(names);
    expect(usage).toMatchObject([{ files: MANY, directories: 1, logicalBytes: 0 }]);
    const lines = long.trimEnd().split('\n');
    expect(lines[0]).toBe('/many:');
    expect(lines.slice(1).map((line) => line.split('  ').at(-1))).toEqual(names);
    expect(await holdfast.json('rm', '-r', '/many')).toEqual([{ path: '/many', removed: true }]);
    expect(await codeOf(client.stat('/many'))).toBe('NAMESPACE_NOT_FOUND');
  });

  it('shows mode, copies, owner, size and time of each entry, directory by directory', async () => {
    await putFile('/listed/below/file', 1234);
    await holdfast.text('touch', '/listed/empty');
    const shown = await holdfast.text('ls', '-lR', '/listed');
    const owner = `${userInfo().username} \\S+`;
    const time = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d';
    expect(shown).toMatch(
      new RegExp(
        `^/listed:\ndrwxr-xr-x +- ${owner} +1  ${time}  below/\n-rw-r--r-- +2 ${owner} +0  ${time}  empty\n\n` +
          `/listed/below:\n-rw-r--r-- +2 ${owner} +1234  ${time}  file\n\n$`,
      ),
    );
  });
});

describe('the tree', () => {
  it('grows by mkdir and mkdir -p, and shrinks by rmdir only where it is empty', async () => {
    expect(await holdfast.failure('mkdir', '/grow/a/b')).toEqual([3, 'NAMESPACE_NOT_FOUND']);
    await holdfast.text('mkdir', '-p', '/grow/a/b', '/grow/a');
    expect(await holdfast.failure('mkdir', '/grow/a')).toEqual([4, 'NAMESPACE_EXISTS']);
    expect(await holdfast.failure('rmdir', '/grow/a')).toEqual([4, 'NAMESPACE_NOT_EMPTY']);
    await holdfast.text('rmdir', '/grow/a/b', '/grow/a');
    await client.touch('/grow/file');
    expect(await holdfast.failure('rmdir', '/grow/file')).toEqual([5, 'NAMESPACE_NOT_A_DIRECTORY']);
    expect(await holdfast.failure('mkdir', '-p', '/grow/file/x')).toEqual([5, 'NAMESPACE_NOT_A_DIRECTORY']);
    expect(await below('/grow')).toEqual(['/grow/file']);
  });

  it('moves files and whole directories, and replaces a file only without --no-clobber', async () => {
    const [a, b, c] = [
      await putFile('/mv/a', 3 * BLOCK),
      await putFile('/mv/b', 100),
      await putFile('/mv/dir/deep/c', 9),
    ];
    expect(await holdfast.failure('mv', '--no-clobber', '/mv/a', '/mv/b')).toEqual([4, 'NAMESPACE_EXISTS']);
    expect([await digest('/mv/a'), await digest('/mv/b')]).toEqual([a, b]);
    expect(await holdfast.text('mv', '/mv/a', '/mv/b')).toBe('/mv/a -> /mv/b\n');
    await holdfast.text('mv', '/mv/dir', '/mv/elsewhere');
    await holdfast.text('mv', '/mv/b', '/mv/elsewhere');
    expect(await below('/mv')).toEqual([
      '/mv/elsewhere',
      '/mv/elsewhere/b',
      '/mv/elsewhere/deep',
      '/mv/elsewhere/deep/c',
    ]);
    expect([await digest('/mv/elsewhere/b'), await digest('/mv/elsewhere/deep/c')]).toEqual([a, c]);
  });

  it('is not moved or copied into itself, nor removed at its root', async () => {
    await client.mkdir('/self/inner', { parents: true });
    const refused = [
      holdfast.failure('mv', '/self', '/self/inner'),
      holdfast.failure('cp', '-r', '/self', '/self/inner'),
      holdfast.failure('rm', '/self'),
      holdfast.failure('rm', '-r', '/'),
      holdfast.failure('mv', '/', '/self/inner'),
    ];
    expect(await Promise.all(refused)).toEqual([
      [5, 'NAMESPACE_INTO_ITSELF'],
      [2, 'CLI_USAGE'],
      [5, 'CLI_NEEDS_RECURSIVE'],
      [5, 'NAMESPACE_INVALID_ARGUMENT'],
      [5, expect.stringMatching(/^NAMESPACE_/)],
    ]);
    expect(await below('/self')).toEqual(['/self/inner']);
  });

  it('is copied by reference: other names, the same blocks, no further byte on the datanodes', async () => {
    const [a, b] = [await putFile('/cp/a', 4 * BLOCK + 3), await putFile('/cp/dir/b', BLOCK)];
    await client.mkdir('/cp/dir/empty');
    const held = async (): Promise<number> =>
      (await holdfast.json('lshere', '--dir', cluster.nodeDirectory('d1'))).length;
    const heldBefore = await held();
    await holdfast.text('cp', '/cp/a', '/cp/a-again');
    await holdfast.text('cp', '-r', '/cp/dir', '/cp/dir-again');
    expect(hashes(await blocksOf('/cp/a-again'))).toEqual(hashes(await blocksOf('/cp/a')));
    expect(await held()).toBe(heldBefore);
    await holdfast.text('rm', '/cp/a');
    await holdfast.text('rm', '-r', '/cp/dir');
    expect(await below('/cp')).toEqual([
      '/cp/a-again',
      '/cp/dir-again',
      '/cp/dir-again/b',
      '/cp/dir-again/empty',
    ]);
    expect([await digest('/cp/a-again'), await digest('/cp/dir-again/b')]).toEqual([a, b]);
  });

  it('takes touch: a new empty file, or a new time and nothing else', async () => {
    const content = await putFile('/touch/old', 50);
    const before = await client.stat('/touch/old');
    await holdfast.text('touch', '/touch/old', '/touch/new');
    const after = await client.stat('/touch/old');
    expect(after.mtimeMs).toBeGreaterThan(before.mtimeMs);
    expect({ ...after, mtimeMs: 0, ctimeMs: 0 }).toEqual({ ...before, mtimeMs: 0, ctimeMs: 0 });
    expect(await digest('/touch/old')).toBe(content);
    expect((await client.stat('/touch/new')).sizeBytes).toBe(0);
  });
});

describe('links, owners and ends of files', () => {
  it('are made, shown, followed, kept by put -r and get -r, and appended to', async () => {
    const local = join(holdfast.directory, 'album');
    await mkdir(local);
    await writeFile(join(local, 'one.txt'), 'one\n', { mode: 0o640 });
    await symlink('one.txt', join(local, 'latest'));
    await holdfast.text('put', '-r', '--preserve', 'album', '/');
    expect(await holdfast.text('ls', '-l', '/album')).toMatch(
      /^lrwxrwxrwx .* latest -> one\.txt\n-rw-r----- .* one\.txt\n$/,
    );
    expect((await holdfast.runOn('two\n', 'append', '-', '/album/latest')).status).toBe(0);
    expect(await holdfast.text('cat', '/album/one.txt')).toBe('one\ntwo\n');
    const [followed, link] = await Promise.all([
      holdfast.json('stat', '/album/latest'),
      holdfast.json('stat', '-P', '/album/latest'),
    ]);
    expect(followed).toMatchObject([{ kind: 'file', realPath: '/album/one.txt', mode: 0o640 }]);
    expect(link).toMatchObject([{ kind: 'symlink', linkTarget: 'one.txt' }]);
    await holdfast.text('chmod', '600', '/album/latest');
    await holdfast.text('chown', 'ada:staff', '/album/one.txt');
    await holdfast.text('ln', '-s', '/album', '/best');
    await holdfast.text('get', '-r', '--preserve', '/best', 'back');
    expect(await readlink(join(holdfast.directory, 'back', 'latest'))).toBe('one.txt');
    expect((await stat(join(holdfast.directory, 'back', 'one.txt'))).mode & 0o777).toBe(0o600);
    expect(await holdfast.text('ls', '-l', '/best/one.txt')).toMatch(/^-rw------- +2 ada staff +8 /);
    await holdfast.text('mkdir', '/empty');
    await holdfast.text('mv', '-T', '/album', '/empty');
    expect(await holdfast.failure('cat', '/best/one.txt')).toEqual([3, 'NAMESPACE_NOT_FOUND']);
    await holdfast.text('rm', '/best');
    await holdfast.text('ln', '-s', 'round', '/round');
    expect(await holdfast.failure('cat', '/round')).toEqual([5, 'NAMESPACE_TOO_MANY_LINKS']);
  });
});

describe('space and copies', () => {
  it('are told by du, df, locate and lshere, and changed by setrep', async () => {
    await putFile('/space/a', 2 * BLOCK + 5);
    await putFile('/space/below/b', 10);
    const logicalBytes = 2 * BLOCK + 15;
    expect(await holdfast.json('du', '/space')).toMatchObject([
      { files: 2, directories: 2, logicalBytes, wantedBytes: 2 * logicalBytes },
    ]);
    const { dataNodes } = await client.status();
    const numbers = dataNodes.map(({ member }) => member?.number ?? 0).toSorted();
    const blocks = await blocksOf('/space/a');
    expect(blocks.map(({ sizeBytes, nodes }) => [sizeBytes, (nodes as number[]).toSorted()])).toEqual([
      [BLOCK, numbers],
      [BLOCK, numbers],
      [5, numbers],
    ]);
    const here = await holdfast.json('lshere', '--dir', cluster.nodeDirectory('d2'));
    const ofFile = here.filter(({ pathHint }) => pathHint === '/space/a');
    expect(hashes(ofFile).toSorted()).toEqual(hashes(blocks).toSorted());
    expect(await holdfast.failure('setrep', '17', '/space/a')).toEqual([2, 'CLI_USAGE']);
    await holdfast.text('setrep', '1', '/space');
    // By another client: the first one goes by what the directory said for a second.
    await using other = await cluster.connect();
    await other.put('/space/below/new', knownBytes('/space/below/new', 10));
    expect(await client.stat('/space/below/new')).toMatchObject({ replication: 1 });
    expect((await blocksOf('/space/below/new')).map(({ nodes }) => (nodes as number[]).length)).toEqual([1]);
    expect(await holdfast.json('du', '/space')).toMatchObject([{ wantedBytes: 2 * logicalBytes + 10 }]);
    await holdfast.text('rm', '/space/below/new');
    await holdfast.text('setrep', '-r', '1', '/space');
    expect(await holdfast.json('du', '/space')).toMatchObject([{ logicalBytes, wantedBytes: logicalBytes }]);
    expect(await holdfast.text('df')).toMatch(/^NODE +NAME +STATE +CAPACITY +USED +FREE\n/);
  });
});

describe('names', () => {
  const NAMES = [
    'with space',
    ' ',
    'ünïcødé',
    '日本語',
    '🐘👩‍👩‍👧',
    'caf\u00e9',
    'cafe\u0301',
    '-dash',
    '--json',
    '...',
    'tab\tnew\nline\u001b[31m',
    '#%&$"\'\\*?',
    LONGEST_NAME,
  ];

  it('come back byte for byte from the cluster and onto the disk', async () => {
    await mkdir(join(holdfast.directory, 'names'));
    for (const name of NAMES) await writeFile(join(holdfast.directory, 'names', name), `content of ${name}`);
    await holdfast.text('put', '-r', 'names', '/');
    expect((await holdfast.json('ls', '/names')).map(({ name }) => name).toSorted()).toEqual(
      NAMES.toSorted(),
    );
    await holdfast.text('get', '-r', '/names', 'names-again');
    expect((await readdir(join(holdfast.directory, 'names-again'))).toSorted()).toEqual(NAMES.toSorted());
    for (const name of NAMES)
      expect(await readFile(join(holdfast.directory, 'names-again', name), 'utf8')).toBe(
        `content of ${name}`,
      );
  });

  it('cannot harm a terminal, nor be taken for an option after --', async () => {
    const shown = await holdfast.text('ls', '/names');
    // oxlint-disable-next-line no-control-regex
    expect(shown.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f]/);
    expect(shown.trimEnd().split('\n')).toHaveLength(NAMES.length);
    await writeFile(join(holdfast.directory, '--json'), 'no option');
    await holdfast.text('put', '--', '--json', '/dashed');
    expect(await holdfast.text('cat', '--', '/dashed')).toBe('no option');
  });

  it.each([
    ['of 256 bytes', `/${LONGEST_NAME}x`],
    ['that is .', '/names/./x'],
    ['that is ..', '/names/..'],
    ['in a path over 4096 bytes', `/${'d/'.repeat(2100)}f`],
  ])('%s are refused', async (_, path) => {
    await writeFile(join(holdfast.directory, 'any'), 'any');
    const refused = [5, 'NAMESPACE_INVALID_NAME'];
    const all = [
      ['touch', path],
      ['put', 'any', path],
      ['mv', '/names', path],
    ];
    const got = await Promise.all(all.map((words) => holdfast.failure(...words)));
    expect(got).toEqual(all.map(() => refused));
  });

  it('with NUL, half a character, or without a leading / are refused by the SDK', async () => {
    for (const path of ['/nul\0', '/half\ud800', 'relative', ''])
      expect(await codeOf(client.touch(path)), JSON.stringify(path)).toBe('NAMESPACE_INVALID_NAME');
    expect((await client.stat('/names')).childCount).toBe(NAMES.length);
  });

  it('may have doubled and trailing slashes, and start at / when relative', async () => {
    await holdfast.text('mkdir', '-p', 'slashes//inner/');
    expect(await below('/slashes')).toEqual(['/slashes/inner']);
    expect(await holdfast.json('ls', '//slashes/')).toMatchObject([
      { name: 'inner', path: '/slashes/inner' },
    ]);
  });
});
