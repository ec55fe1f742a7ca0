/** @module The layout of a data directory and its small files. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { contentsOf, DataDirectory, markAsLeft, readConfig } from '../../src/node/data-directory.ts';
import type { NodeConfig } from '../../src/node/node-config.ts';

const CONFIG: NodeConfig = {
  format: 1,
  clusterId: 'c1',
  clusterName: 'holdfast',
  epoch: 1,
  number: 3,
  peer: 'peer',
  name: 'n',
  roles: ['meta', 'data'],
  host: 'h',
  listen: ['/ip4/127.0.0.1/tcp/4600'],
  announce: [],
  bootstrap: [{ number: 1, peer: 'p1', addresses: ['/ip4/127.0.0.1/tcp/1/p2p/p1'] }],
};

describe('a data directory', () => {
  let path: string;

  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'holdfast-directory-')), 'node');
  });
  afterEach(() => rm(join(path, '..'), { recursive: true, force: true }));

  it('is made on first claim, readable by its owner only', async () => {
    await using directory = await DataDirectory.claim(path);
    expect((await stat(directory.path)).mode & 0o777).toBe(0o700);
  });

  it('keeps what is written in it to its owner, though it was there before and open to all', async () => {
    const before = process.umask(0o022);
    onTestFinished(() => void process.umask(before));
    await mkdir(path, { mode: 0o755 });
    await using directory = await DataDirectory.claim(path);
    await mkdir(directory.blockDir);
    await writeFile(directory.raftLogFile, '');
    const modes = [directory.blockDir, directory.raftLogFile].map(
      async (made) => (await stat(made)).mode & 0o777,
    );
    expect(await Promise.all(modes)).toEqual([0o700, 0o600]);
  });

  it('counts as empty when only its lock is in it', async () => {
    expect(await contentsOf(path)).toEqual([]);
    await using directory = await DataDirectory.claim(path);
    expect(await directory.contents()).toEqual([]);
    await writeFile(join(path, 'photo.jpg'), '');
    expect(await directory.contents()).toEqual(['photo.jpg']);
  });

  it('gives back the node.json it was given, with mode 0600', async () => {
    await using directory = await DataDirectory.claim(path);
    await directory.saveConfig(CONFIG);
    expect(await directory.config()).toEqual(CONFIG);
    expect((await stat(join(path, 'node.json'))).mode & 0o777).toBe(0o600);
  });

  it('says NODE_NOT_INITIALISED where no node lives', async () => {
    await expect(readConfig(path)).rejects.toMatchObject({ code: 'NODE_NOT_INITIALISED' });
  });

  it.each([
    ['half a file', '{"format":1,"clusterId":'],
    ['another format', JSON.stringify({ ...CONFIG, format: 2 })],
    ['an unknown role', JSON.stringify({ ...CONFIG, roles: ['king'] })],
    ['no number', JSON.stringify({ ...CONFIG, number: 0 })],
  ])('refuses a node.json with %s', async (_, text) => {
    await using directory = await DataDirectory.claim(path);
    await writeFile(join(path, 'node.json'), text);
    await expect(directory.config()).rejects.toMatchObject({ code: 'NODE_CONFIG_DAMAGED' });
  });

  it('counts its starts over restarts, and refuses to count from a damaged counter', async () => {
    {
      await using directory = await DataDirectory.claim(path);
      expect(await directory.nextGeneration()).toBe(1);
      expect(await directory.nextGeneration()).toBe(2);
    }
    await using directory = await DataDirectory.claim(path);
    expect(await directory.nextGeneration()).toBe(3);
    expect(await readFile(join(path, 'generation'), 'utf8')).toBe('3\n');
    await writeFile(join(path, 'generation'), 'x');
    await expect(directory.nextGeneration()).rejects.toMatchObject({ code: 'NODE_CONFIG_DAMAGED' });
  });

  it('remembers that its node has left', async () => {
    {
      await using directory = await DataDirectory.claim(path);
      await directory.saveConfig(CONFIG);
    }
    await markAsLeft(path);
    expect(await readConfig(path)).toEqual({ ...CONFIG, left: true });
  });
});
