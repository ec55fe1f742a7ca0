/** @module put, get and cat: what goes where, what fails how, what is left behind. */
import { execFileSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
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
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadFile } from '../../cli/download-file.ts';
import { HoldfastError } from '../../src/common/errors.ts';
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

  it('goes on when a directory vanishes, or cannot be made, and tells of it once', async () => {
    for (const name of ['a', 'gone', 'refused', 'z']) {
      await mkdir(join(root, 't', name), { recursive: true });
      await writeFile(join(root, 't', name, 'f'), name);
    }
    const mkdirThere = client.mkdir.bind(client);
    client.mkdir = async (path, options) => {
      if (path === '/t/gone') await rm(join(root, 't', 'gone'), { recursive: true });
      if (path === '/t/refused')
        throw new HoldfastError({
          code: 'NAMESPACE_NOT_A_DIRECTORY',
          kind: 'refused',
          message: `No: ${path}`,
        });
      await mkdirThere(path, options);
    };
    const { status, stderr } = await run(['put', '-r', join(root, 't'), '/'], { client });
    expect(status).toBe(11);
    expect([...client.files.keys()]).toEqual(['/t/a/f', '/t/z/f']);
    expect(stderr).toContain(`${join(root, 't', 'gone')}:\n`);
    expect(stderr).toContain('CLI_LOCAL_NOT_FOUND');
    expect(stderr).toContain('No: /t/refused [NAMESPACE_NOT_A_DIRECTORY]');
    expect(stderr).toContain('2 of 4 failed');
  });

  it('goes on with the others when one of several is a directory and -r is not given', async () => {
    await mkdir(join(root, 'd'));
    await writeFile(join(root, 'f'), 'F');
    const { status, stderr } = await run(['put', join(root, 'd'), join(root, 'f'), '/'], { client });
    expect([status, [...client.files.keys()]]).toEqual([11, ['/f']]);
    expect(stderr).toContain('CLI_NEEDS_RECURSIVE');
  });

  it('refuses two sources that would become one, before it does anything', async () => {
    for (const name of ['a', 'b']) {
      await mkdir(join(root, name));
      await writeFile(join(root, name, 'x'), name);
    }
    const { status, stderr } = await run(['put', join(root, 'a', 'x'), join(root, 'b', 'x'), '/'], {
      client,
    });
    expect([status, client.files.size]).toEqual([2, 0]);
    expect(stderr).toContain('would both become /x');
  });

  it('says that standard input could not be read, and why', async () => {
    const stdin = new Readable({
      read() {
        this.destroy(Object.assign(new Error('EISDIR'), { code: 'EISDIR' }));
      },
    });
    const { status, stderr } = await run(['put', '-', '/x'], { client, stdin });
    expect([status, client.files.size]).toEqual([1, 0]);
    expect(stderr).toContain('Cannot read standard input on this machine (EISDIR)');
  });

  it('takes a directory as standard input for a mistake, and not for an empty file', async () => {
    await using directory = await open(root);
    const stdin = Object.assign(Readable.from([]), { fd: directory.fd });
    const { status, stderr } = await run(['put', '-', '/x'], { client, stdin });
    expect([status, client.files.size]).toEqual([1, 0]);
    expect(stderr).toContain('EISDIR');
  });

  it('keeps the time 0, and the times of directories when a file fails', async () => {
    await mkdir(join(root, 't'));
    for (const name of ['bad', 'old']) {
      await writeFile(join(root, 't', name), name);
      await utimes(join(root, 't', name), 0, 0);
    }
    await utimes(join(root, 't'), 5, 5);
    client.failing.add('/t/bad');
    expect((await run(['put', '-r', '-p', join(root, 't'), '/'], { client })).status).toBe(11);
    expect(client.attributes.get('/t/old')?.mtimeMs).toBe(0);
    expect(client.attributes.get('/t')?.mtimeMs).toBe(5_000);
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

    // Two trees of one name, one after the other: the first brings a link to elsewhere, the second a directory with a file in its place.
    client.directories.add('/evil').add('/evil/t').add('/evil/t/l');
    client.files.set('/evil/t/l/planted', Buffer.from('P'));
    await mkdir(join(root, 'both'));
    client.files.set('/evil/t/z', Buffer.from('Z'));
    await run(['get', '-r', '/t', join(root, 'both')], { client });
    const { status, stderr } = await run(['get', '-r', '/evil/t', join(root, 'both')], { client });
    expect(status).toBe(11);
    expect(stderr).toContain('CLI_LOCAL_EXISTS');
    expect(await readdir(outside)).toEqual([]);
    // One thing failed, not all that was to go into it; the rest is there.
    expect(stderr).toContain('1 of 2 failed');
    expect(await readFile(join(root, 'both', 't', 'z'), 'utf8')).toBe('Z');
  });

  it('refuses two sources that would become one, before it does anything', async () => {
    client.files.set('/a/x', Buffer.from('a')).set('/b/x', Buffer.from('b'));
    const { status, stderr } = await run(['get', '/a/x', '/b/x', root], { client });
    expect([status, await readdir(root)]).toEqual([2, []]);
    expect(stderr).toContain(`would both become ${join(root, 'x')}`);
  });

  it('replaces what a link leads to that is named, and not the link: /dev/stdout is one', async () => {
    client.files.set('/a', Buffer.from('new'));
    await writeFile(join(root, 'file'), 'old');
    await symlink('file', join(root, 'link'));
    expect((await run(['get', '-p', '/a', join(root, 'link')], { client })).status).toBe(0);
    expect(await readlink(join(root, 'link'))).toBe('file');
    expect(await readFile(join(root, 'file'), 'utf8')).toBe('new');
    // Not so inside of a directory that is named: who fills it does not choose where its links lead.
    await mkdir(join(root, 'd'));
    await symlink('../file', join(root, 'd', 'a'));
    expect((await run(['get', '/a', join(root, 'd')], { client })).status).toBe(0);
    expect((await lstat(join(root, 'd', 'a'))).isFile()).toBe(true);
  });

  it('writes into a pipe or device that is named, and puts no file in its place', async () => {
    client.files.set('/a', Buffer.from('content'));
    const pipe = join(root, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reading = readFile(pipe, 'utf8');
    expect((await run(['get', '-p', '/a', pipe], { client })).status).toBe(0);
    expect(await reading).toBe('content');
    expect((await stat(pipe)).isFIFO()).toBe(true);
    expect(await readdir(root)).toEqual(['pipe']);
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
    for (const words of [
      ['cat', '/a', '/gone', '/b'],
      ['get', '/a', '/gone', '/b', '-'],
    ])
      expect(await run(words, { client })).toMatchObject({
        status: 11,
        stdout: 'onetwo',
        stderr: expect.stringContaining('No: /gone') as string,
      });
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
