/** @module put, get and cat: what goes where, what fails how, what is left behind. */
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadFile } from '../../cli/download-file.ts';
import { FakeClient, run } from './fake-terminal.ts';

let root: string;
let client: FakeClient;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-transfer-'));
  client = new FakeClient();
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('put', () => {
  it('onto a directory means into it, with the name of the source', async () => {
    await writeFile(join(root, 'a'), 'A');
    client.directories.add('/d');
    await run(['put', join(root, 'a'), '/d'], { client });
    await run(['put', join(root, 'a'), '/b'], { client });
    expect([...client.files.keys()]).toEqual(['/d/a', '/b']);
  });

  it('refuses a directory that is not there, unless it is to make it', async () => {
    await writeFile(join(root, 'a'), 'A');
    expect((await run(['put', join(root, 'a'), '/new/'], { client })).status).toBe(5);
    expect((await run(['put', '--parents', join(root, 'a'), '/new/'], { client })).status).toBe(0);
    expect([...client.files.keys()]).toEqual(['/new/a']);
  });

  it('takes standard input as "-", which has no name of its own', async () => {
    expect((await run(['put', '-', '/x'], { client, stdin: 'piped' })).status).toBe(0);
    expect(text('/x')).toBe('piped');
    expect((await run(['put', '-', '/'], { client, stdin: 'piped' })).status).toBe(2);
  });

  it('stores empty files, and says what is not there', async () => {
    await writeFile(join(root, 'empty'), '');
    expect((await run(['put', join(root, 'empty'), '/e'], { client })).status).toBe(0);
    expect(text('/e')).toBe('');
    expect(await run(['put', join(root, 'none'), '/e'], { client })).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('CLI_LOCAL_NOT_FOUND') as string,
    });
  });

  it('stores a tree with -r, empty directories and symbolic links too, and needs the -r', async () => {
    await mkdir(join(root, 't', 'sub', 'none'), { recursive: true });
    await writeFile(join(root, 't', 'one'), '1');
    await writeFile(join(root, 't', 'sub', 'two'), '2');
    await symlink(join(root, 't', 'one'), join(root, 't', 'link'));
    await symlink(root, join(root, 't', 'loop'));
    expect((await run(['put', join(root, 't'), '/'], { client })).stderr).toContain('CLI_NEEDS_RECURSIVE');
    for (const repeated of [false, true]) {
      const { status, stderr } = await run(['put', '-r', join(root, 't'), '/'], { client });
      expect({ status, stderr, repeated }).toEqual({ status: 0, stderr: '', repeated });
      expect([...client.files.keys()].toSorted()).toEqual(['/t/one', '/t/sub/two']);
      expect([...client.directories]).toContain('/t/sub/none');
      expect(Object.fromEntries(client.links)).toEqual({
        '/t/link': join(root, 't', 'one'),
        '/t/loop': root,
      });
    }
  });

  it('replaces what is there by a link, unless it is told not to', async () => {
    await mkdir(join(root, 't'));
    await symlink('elsewhere', join(root, 't', 'l'));
    client.files.set('/t/l', Buffer.from('old'));
    const { status } = await run(['put', '-r', '--if-absent', join(root, 't'), '/'], { client });
    expect(status).toBe(11);
    expect(text('/t/l')).toBe('old');
    expect((await run(['put', '-r', join(root, 't'), '/'], { client })).status).toBe(0);
    expect(Object.fromEntries(client.links)).toEqual({ '/t/l': 'elsewhere' });
  });

  it('keeps mode and time of files and directories with --preserve', async () => {
    await mkdir(join(root, 't', 'd'), { recursive: true });
    await writeFile(join(root, 't', 'd', 'f'), 'F');
    await chmod(join(root, 't', 'd', 'f'), 0o640);
    await chmod(join(root, 't', 'd'), 0o750);
    await utimes(join(root, 't', 'd', 'f'), 1_000, 1_000);
    await utimes(join(root, 't', 'd'), 2_000, 2_000);
    await run(['put', '-r', '-p', join(root, 't'), '/'], { client });
    expect(client.attributes.get('/t/d/f')).toEqual({ mode: 0o640, mtimeMs: 1_000_000 });
    expect(client.attributes.get('/t/d')).toEqual({ mode: 0o750, mtimeMs: 2_000_000 });
    await run(['put', join(root, 't', 'd', 'f'), '/plain'], { client });
    expect(client.attributes.get('/plain')).toEqual({ mode: undefined, mtimeMs: undefined });

    await run(['get', '-r', '-p', '/t', join(root, 'back')], { client });
    const [file, directory] = [await stat(join(root, 'back', 'd', 'f')), await stat(join(root, 'back', 'd'))];
    expect([file.mode & 0o777, file.mtimeMs, directory.mode & 0o777, directory.mtimeMs]).toEqual([
      0o640, 1_000_000, 0o750, 2_000_000,
    ]);
  });

  it('adds to the end with append, or put --append', async () => {
    await writeFile(join(root, 'a'), 'A');
    expect((await run(['append', join(root, 'a'), '/f'], { client })).status).toBe(0);
    await run(['put', '--append', join(root, 'a'), '/f'], { client });
    const { stdout } = await run(['append', '--json', '-', '/f'], { client, stdin: 'B' });
    expect(JSON.parse(stdout)).toMatchObject({ path: '/f', source: '-' });
    expect(text('/f')).toBe('AAB');
  });

  it('goes on with the other files when one fails, tells which, and ends with 11', async () => {
    for (const name of ['a', 'b', 'c']) await writeFile(join(root, name), name);
    client.failing.add('/b');
    const { status, stderr } = await run(['put', ...['a', 'b', 'c'].map((name) => join(root, name)), '/'], {
      client,
    });
    expect(status).toBe(11);
    expect(stderr).toContain(`${join(root, 'b')}:`);
    expect(stderr).toContain('NAMESPACE_LEASE_HELD');
    expect(stderr).toContain('1 of 3 failed');
    expect([...client.files.keys()].toSorted()).toEqual(['/a', '/c']);
  });

  it('prints one JSON object per file', async () => {
    await writeFile(join(root, 'a'), 'AAA');
    const { stdout } = await run(['put', '--json', join(root, 'a'), '/a'], { client });
    expect(JSON.parse(stdout)).toMatchObject({
      path: '/a',
      sizeBytes: 3,
      copies: 1,
      underReplicatedBlocks: 0,
    });
  });
});

describe('get', () => {
  it('makes links as links, and never writes through one', async () => {
    const outside = join(root, 'outside');
    await mkdir(outside);
    client.directories.add('/t').add('/t/d');
    client.files.set('/t/d/f', Buffer.from('F'));
    client.links.set('/t/l', '../outside');
    expect((await run(['get', '-r', '/t', join(root, 'to')], { client })).status).toBe(0);
    expect(await readlink(join(root, 'to', 'l'))).toBe('../outside');

    // Two trees of one name: the first brings a link to elsewhere, the second a directory with a file in its place.
    client.directories.add('/evil').add('/evil/t').add('/evil/t/l');
    client.files.set('/evil/t/l/planted', Buffer.from('P'));
    await mkdir(join(root, 'both'));
    const { status, stderr } = await run(['get', '-r', '/t', '/evil/t', join(root, 'both')], { client });
    expect(status).toBe(4);
    expect(stderr).toContain('CLI_LOCAL_EXISTS');
    expect(await readdir(outside)).toEqual([]);
  });

  it('says what is in the way of a tree: a file of this machine', async () => {
    client.directories.add('/t');
    await writeFile(join(root, 'a'), 'A');
    expect(await run(['get', '-r', '/t', join(root, 'a')], { client })).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('CLI_LOCAL_EXISTS') as string,
    });
  });

  it('writes the file under its name into a directory, or under another name', async () => {
    client.files.set('/d/a', Buffer.from('content'));
    await run(['get', '/d/a', root], { client });
    await run(['get', '/d/a', join(root, 'b')], { client });
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('content');
    expect(await readFile(join(root, 'b'), 'utf8')).toBe('content');
  });

  it('leaves the old file and no temporary one when it fails in the middle', async () => {
    client.files.set('/a', Buffer.from('content'));
    client.failing.add('/a');
    await writeFile(join(root, 'a'), 'old');
    expect((await run(['get', '/a', root], { client })).status).toBe(5);
    expect(await readdir(root)).toEqual(['a']);
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('old');
  });

  it('fetches a tree with -r, and goes on after a failure', async () => {
    client.directories.add('/t').add('/t/empty');
    client.files.set('/t/a', Buffer.from('aaa')).set('/t/b', Buffer.from('bbb'));
    client.failing.add('/t/a');
    expect((await run(['get', '-r', '/t', root], { client })).status).toBe(11);
    expect((await readdir(join(root, 't'))).toSorted()).toEqual(['b', 'empty']);
  });

  it('gives the bytes to standard output with "-", as cat does', async () => {
    client.files.set('/a', Buffer.from('one')).set('/b', Buffer.from('two'));
    expect((await run(['get', '/a', '-'], { client })).stdout).toBe('one');
    expect((await run(['cat', '/a', '/b'], { client })).stdout).toBe('onetwo');
  });
});

describe('a download', () => {
  it('that is interrupted leaves nothing behind', async () => {
    const controller = new AbortController();
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      controller.abort(new Error('ctrl-C'));
      yield Buffer.from('more');
    }
    const target = join(root, 'x'.repeat(255));
    await expect(downloadFile(bytes(), target, { signal: controller.signal })).rejects.toThrow('ctrl-C');
    expect(await readdir(root)).toEqual([]);
  });

  it('tells trouble of this machine from trouble of the cluster', async () => {
    const { signal } = new AbortController();
    await expect(downloadFile(oneByte(), join(root, 'no', 'where'), { signal })).rejects.toMatchObject({
      code: 'CLI_LOCAL_NOT_FOUND',
    });
  });
});

function text(path: string): string {
  return Buffer.from(client.files.get(path) ?? []).toString();
}

async function* oneByte(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('x');
}
