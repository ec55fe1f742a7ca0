/** @module The identity file. */
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadOrCreateIdentity } from '../../src/network/identity.ts';

describe('loadOrCreateIdentity', () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-identity-'));
    file = join(directory, 'identity.json');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('makes an identity once, readable by its owner only, and gives the same ever after', async () => {
    const first = await loadOrCreateIdentity(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const second = await loadOrCreateIdentity(file);
    expect(second.peer).toBe(first.peer);
    expect(second.privateKey.equals(first.privateKey)).toBe(true);
    expect(first.peer).toMatch(/^12D3KooW/);
  });

  it('gives all who come first at once the one that is in the file, and leaves no draft', async () => {
    const identities = await Promise.all(Array.from({ length: 4 }, () => loadOrCreateIdentity(file)));
    const { peer } = await loadOrCreateIdentity(file);
    expect(identities.map((identity) => identity.peer)).toEqual([peer, peer, peer, peer]);
    expect(await readdir(directory)).toEqual(['identity.json']);
  });

  it('refuses a file that others may read, and says how to mend it', async () => {
    await loadOrCreateIdentity(file);
    await chmod(file, 0o640);
    await expect(loadOrCreateIdentity(file)).rejects.toMatchObject({
      code: 'NETWORK_BAD_IDENTITY',
      message: expect.stringContaining(`chmod 600 ${file}`),
    });
  });

  it('refuses broken content and leaves it as it is', async () => {
    const other = await loadOrCreateIdentity(join(directory, 'other.json'));
    const good = JSON.parse(await readFile(join(directory, 'other.json'), 'utf8'));
    const broken = [
      '',
      '{"format":1}',
      '{"format":1,"peer":"x","privateKey":"AAAA"}',
      JSON.stringify({ ...good, peer: `${other.peer.slice(0, -1)}${other.peer.endsWith('x') ? 'y' : 'x'}` }),
      JSON.stringify({ ...good, format: 2 }),
    ];
    for (const text of broken) {
      await writeFile(file, text, { mode: 0o600 });
      await expect(loadOrCreateIdentity(file), text).rejects.toMatchObject({ code: 'NETWORK_BAD_IDENTITY' });
      expect(await readFile(file, 'utf8')).toBe(text);
    }
  });
});
