/** @module How links, owner and mode are shown and changed. */
import { beforeEach, describe, expect, it } from 'vitest';
import { formatMode, octalMode, parseMode } from '../../cli/mode.ts';
import { FakeClient, run } from './fake-terminal.ts';

let client: FakeClient;
beforeEach(() => {
  client = new FakeClient();
  client.files.set('/f', Buffer.from('four'));
  client.directories.add('/d');
  client.links.set('/l', 'd/on\n');
});

describe('modes', () => {
  it('are read as octal digits and shown as ls does', () => {
    expect([parseMode('640'), parseMode('0755'), parseMode('4755')]).toEqual([0o640, 0o755, 0o4755]);
    for (const text of ['64', '888', 'u+t', '', '00640', 'u+x,', 'rw', 'x+r'])
      expect(() => parseMode(text)).toThrow();
    expect(formatMode({ kind: 'file', mode: 0o640 })).toBe('-rw-r-----');
    expect(formatMode({ kind: 'file', mode: 0 })).toBe('----------');
    expect(octalMode(0o40)).toBe('0040');
  });

  it.each([
    ['u+x', 0o644, 0o744],
    ['go-w', 0o666, 0o644],
    ['a=r', 0o755, 0o444],
    ['+x', 0o640, 0o751],
    ['u=rw,g=r,o=', 0o777, 0o640],
    ['ug+w,o-rwx', 0o755, 0o770],
    ['a+X', 0o644, 0o644],
    ['a+X', 0o744, 0o755],
    ['u-r', 0o4755, 0o4355],
  ])('%s makes of %i what chmod makes of it: %i', (text, before, after) => {
    const change = parseMode(text);
    expect(typeof change === 'function' && octalMode(change(before, false))).toBe(octalMode(after));
  });

  it('have an X for directories', () => {
    const change = parseMode('go=rX');
    expect(typeof change === 'function' && change(0o700, true)).toBe(0o755);
  });

  it('are changed by symbols from what each path has', async () => {
    await run(['chmod', '600', '/f'], { client });
    await run(['chmod', 'g+r,a+X', '/f', '/d'], { client });
    expect(client.attributes.get('/f')).toMatchObject({ mode: 0o640 });
    expect(client.attributes.get('/d')).toMatchObject({ mode: 0o755 });
  });

  it('have a default for each kind', () => {
    expect(['file', 'directory', 'symlink'].map((kind) => formatMode({ kind }))).toEqual([
      '-rw-r--r--',
      'drwxr-xr-x',
      'lrwxrwxrwx',
    ]);
  });
});

describe('stat', () => {
  it('of a link shows where it leads', async () => {
    const { stdout } = await run(['stat', '-P', '/l'], { client });
    expect(stdout).toMatch(/^link target +d\/on/m);
    expect(stdout).toMatch(/^mode +0777$/m);
    const json = JSON.parse((await run(['stat', '--json', '/f'], { client })).stdout) as object;
    expect(json).toMatchObject({ path: '/f', realPath: '/f', mode: 0o644 });
  });
});

describe('ls -l', () => {
  it('shows a link that is named with its target, on one line', async () => {
    const { stdout } = await run(['ls', '-l', '/l'], { client });
    expect(stdout).toMatch(/^lrwxrwxrwx +- - - .* \/l -> d\/on\\x0a\n$/);
  });
});

describe('chmod and chown', () => {
  it('change what they name, or all below it but links', async () => {
    await run(['chmod', '600', '/f'], { client });
    expect(client.attributes.get('/f')).toEqual({ mode: 0o600 });
    await run(['chown', 'ada:staff', '/f'], { client });
    expect(client.attributes.get('/f')).toEqual({ owner: 'ada', group: 'staff' });
    const { stdout } = await run(['chown', '-R', ':users', '/'], { client });
    expect(stdout.trim().split('\n').toSorted()).toEqual(['/', '/d', '/f']);
    expect(client.attributes.get('/d')).toEqual({ owner: '', group: 'users' });
    expect(client.attributes.has('/l')).toBe(false);
  });
});

describe('ln -s', () => {
  it('makes a link, in a directory under the name of its target', async () => {
    const { stdout } = await run(['ln', '-s', '../f', '/d/g'], { client });
    expect(stdout).toBe('/d/g -> ../f\n');
    await run(['ln', '-s', '/some/where/', '/d'], { client });
    expect(client.links.get('/d/where')).toBe('/some/where/');
    expect((await run(['ln', '-s', 'x', '/f'], { client })).status).toBe(4);
  });
});
