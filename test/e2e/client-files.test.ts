/** @module Files and names as a person types them, against a real cluster. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, LocalCluster } from '../../cli/demo/local-cluster.ts';
import { EXIT } from '../../cli/exit-codes.ts';

const KIB = 1024;
const BLOCK = 64 * KIB;

describe('files and names', () => {
  let cluster: LocalCluster;
  let local: string;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ metadataNodes: 1, dataNodes: 2, replication: 2 });
    local = await mkdtemp(join(tmpdir(), 'holdfast-files-'));
  });
  afterAll(async () => {
    await cluster?.stop();
    await rm(local, { recursive: true, force: true });
  });

  const run = (...words: string[]): Promise<CommandResult> => cluster.run(words);

  /** Standard output of a command that must succeed. */
  async function out(...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await run(...words);
    expect(stderr).toBe('');
    expect(status).toBe(EXIT.ok);
    return stdout;
  }

  async function json<T>(...words: string[]): Promise<T> {
    return JSON.parse(await out(...words, '--json')) as T;
  }

  /** Status and code of a command that must fail. */
  async function failure(...words: string[]): Promise<{ status: number; code: string }> {
    const { status, stderr } = await run(...words, '--json');
    const { error } = JSON.parse(stderr) as { error: { code: string } };
    return { status, code: error.code };
  }

  async function localFile(name: string, content: Uint8Array | string): Promise<string> {
    const path = join(local, name);
    await writeFile(path, content);
    return path;
  }

  it.each([
    ['nothing', 0, 0],
    ['one byte', 1, 1],
    ['exactly one block', BLOCK, 1],
    ['a block and a byte', BLOCK + 1, 2],
    ['many blocks', 9 * BLOCK + 7, 10],
  ])('keeps a file of %s byte for byte', async (name, sizeBytes, blockCount) => {
    const content = Buffer.alloc(sizeBytes, name);
    const source = await localFile('source', content);
    await out('put', '--block-size', '64KiB', source, `/${name}`);
    expect(await json('stat', `/${name}`)).toMatchObject({ sizeBytes, blockCount });
    const target = join(local, 'target');
    await out('get', `/${name}`, target);
    expect(Buffer.compare(await readFile(target), content)).toBe(0);
  });

  it('takes standard input and gives standard output', async () => {
    const put = await cluster.run(['put', '-', '/piped'], 'through a pipe');
    expect(put.status).toBe(EXIT.ok);
    expect(await out('get', '/piped', '-')).toBe('through a pipe');
    expect(await out('cat', '/piped', '/piped')).toBe('through a pipethrough a pipe');
  });

  it('keeps a tree: nested and empty directories, empty files, and every name', async () => {
    const tree = join(local, 'tree');
    const names = ['with space', 'ünïcødé', '日本語', '🐘', 'e\u0301', '-dash', 'x'.repeat(255), '#%&$"\'\\'];
    await mkdir(join(tree, 'deep', 'er'), { recursive: true });
    await mkdir(join(tree, 'empty'));
    for (const name of names) await writeFile(join(tree, 'deep', name), `content of ${name}`);
    await writeFile(join(tree, 'deep', 'er', 'nothing'), '');
    await out('put', '-r', tree, '/');
    await out('get', '-r', '/tree', join(local, 'back'));
    expect((await readdir(join(local, 'back', 'deep'))).toSorted()).toEqual([...names, 'er'].toSorted());
    expect(await readdir(join(local, 'back', 'empty'))).toEqual([]);
    for (const name of names)
      expect(await readFile(join(local, 'back', 'deep', name), 'utf8')).toBe(`content of ${name}`);
    expect((await readFile(join(local, 'back', 'deep', 'er', 'nothing'))).length).toBe(0);
    expect(await json('du', '/tree')).toMatchObject({ files: names.length + 1 });
  });

  it('puts into a directory, and refuses what is not there or is of another kind', async () => {
    const source = await localFile('letter', 'dear all');
    await out('mkdir', '-p', '/post/box');
    await out('put', source, '/post/box');
    expect(await out('cat', '/post/box/letter')).toBe('dear all');
    expect(await failure('put', join(local, 'no such'), '/')).toMatchObject({ status: EXIT.notFound });
    expect(await failure('get', '/no such')).toEqual({ status: EXIT.notFound, code: 'NAMESPACE_NOT_FOUND' });
    expect(await failure('put', source, '/post/box/letter/below')).toMatchObject({ status: EXIT.invalid });
    expect(await failure('put', source, '/not/there/yet')).toMatchObject({ status: EXIT.notFound });
    await out('put', '--parents', source, '/not/there/yet');
    expect(await out('cat', '/not/there/yet')).toBe('dear all');
  });

  it('replaces only on the condition that was asked for', async () => {
    const first = await localFile('first', 'one');
    const second = await localFile('second', 'two');
    await out('put', first, '/conditional');
    expect(await failure('put', '--if-absent', second, '/conditional')).toEqual({
      status: EXIT.conflict,
      code: 'NAMESPACE_EXISTS',
    });
    const { version } = await json<{ version: number }>('stat', '/conditional');
    expect(await failure('put', '--if-version', String(version + 1), second, '/conditional')).toEqual({
      status: EXIT.conflict,
      code: 'NAMESPACE_VERSION_MISMATCH',
    });
    expect(await out('cat', '/conditional')).toBe('one');
    await out('put', '--if-version', String(version), second, '/conditional');
    expect(await out('cat', '/conditional')).toBe('two');
  });

  it('leaves no half file where a get failed', async () => {
    const empty = join(local, 'nothing here');
    await mkdir(empty);
    expect((await run('get', '/no such', join(empty, 'file'))).status).toBe(EXIT.notFound);
    expect(await readdir(empty)).toEqual([]);
  });

  it.each([
    ['a name over 255 bytes', `/${'é'.repeat(128)}`],
    ['a path over 4096 bytes', `/${'d/'.repeat(2100)}f`],
    ['the name ..', '/a/../b'],
  ])('refuses %s', async (_, path) => {
    expect(await failure('touch', path)).toEqual({ status: EXIT.invalid, code: 'NAMESPACE_INVALID_NAME' });
  });

  it('moves, copies by reference and removes, each whole or not at all', async () => {
    const source = await localFile('moving', Buffer.alloc(3 * BLOCK, 'm'));
    await out('mkdir', '-p', '/from/inner', '/to');
    await out('put', '--block-size', '64KiB', source, '/from/inner/file');
    await out('mv', '/from', '/to');
    expect(await failure('stat', '/from')).toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    expect(await failure('mv', '/to', '/to/from/inner')).toMatchObject({ code: 'NAMESPACE_INTO_ITSELF' });
    await out('cp', '/to/from/inner/file', '/copy');
    type Located = { blocks: { hash: unknown }[] };
    const [of, copy] = [
      await json<Located>('locate', '/to/from/inner/file'),
      await json<Located>('locate', '/copy'),
    ];
    expect(copy.blocks.map(({ hash }) => hash)).toEqual(of.blocks.map(({ hash }) => hash));
    await out('touch', '/other');
    expect(await failure('mv', '--no-clobber', '/copy', '/other')).toMatchObject({
      code: 'NAMESPACE_EXISTS',
    });
    expect(await failure('rmdir', '/to')).toEqual({ status: EXIT.conflict, code: 'NAMESPACE_NOT_EMPTY' });
    await out('rm', '-r', '/to');
    expect(await failure('ls', '/to')).toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    await out('get', '/copy', join(local, 'copy'));
    expect(Buffer.compare(await readFile(join(local, 'copy')), await readFile(source))).toBe(0);
  });

  it('lists a directory larger than a page once, whole and in order', async () => {
    const count = 2_500;
    await using client = await cluster.connect();
    await client.mkdir('/many');
    const name = (at: number): string => `n${String(at).padStart(5, '0')}`;
    await Promise.all(Array.from({ length: count }, async (_, at) => client.touch(`/many/${name(at)}`)));
    const listed = (await out('ls', '/many', '--json')).trim().split('\n');
    expect(listed.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual(
      Array.from({ length: count }, (_, at) => name(at)),
    );
    expect((await out('ls', '-l', '-R', '/many')).split('\n').length).toBeGreaterThan(count);
  });

  it('says where blocks are, what a node holds, and takes another replication', async () => {
    const source = await localFile('located', Buffer.alloc(2 * BLOCK + 5, 'l'));
    await out('put', '--block-size', '64KiB', source, '/located');
    const { blocks } = await json<{ blocks: { nodes: number[] }[] }>('locate', '/located');
    expect(blocks.map(({ nodes }) => nodes.length)).toEqual([2, 2, 2]);
    expect(await out('lshere', '--dir', cluster.nodeDirectory('d1'))).toContain('/located');
    await out('setrep', '1', '/located');
    expect(await json('stat', '/located')).toMatchObject({ replication: 1 });
    expect(await out('df')).not.toBe('');
  });
});
