/** @module The manifests of a node between two starts. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { signManifest } from '../../dht/manifest.ts';
import { ManifestBook } from '../../dht/manifest-book.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { isUnprovenSignature, unprovenSignature } from '../../src/network/peer-signature.ts';
import { ManifestFile } from '../../src/node/manifest-file.ts';

const SIGNATURES = {
  localPeer: 'a',
  sign: (bytes: Uint8Array) => unprovenSignature('a', bytes),
  verify: isUnprovenSignature,
};

function bookOf(cluster = 'c'): ManifestBook {
  const known = { epoch: 0, peers: ['a'] };
  return new ManifestBook({ signatures: SIGNATURES, logger: silentLogger }, { cluster, known: () => known });
}

function sign(book: ManifestBook, epoch: number): void {
  const nodes = [{ number: 1, peer: 'a', addresses: [`/at/${epoch}`] }];
  book.add(signManifest(SIGNATURES, { cluster: 'c', epoch, nodes }));
}

describe('the file of manifests', () => {
  let directory: string;
  let file: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-manifests-'));
    file = join(directory, 'manifests');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('brings back the newest, so that an older one is known for a replay', async () => {
    const book = bookOf();
    sign(book, 7);
    await new ManifestFile(file, book).work();
    const next = bookOf();
    await new ManifestFile(file, next).load(silentLogger);
    expect(next.current).toEqual(book.current);
    const older = bookOf();
    sign(older, 6);
    expect(() => next.take(older.chain())).toThrow(expect.objectContaining({ code: 'DHT_STALE_MANIFEST' }));
  });

  it('is written when something changed, and only then', async () => {
    const book = bookOf();
    const kept = new ManifestFile(file, book);
    await kept.work();
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    sign(book, 1);
    await kept.work();
    const { ino } = await stat(file);
    await kept.work();
    expect((await stat(file)).ino).toBe(ino);
    sign(book, 2);
    await kept.work();
    expect((await stat(file)).ino).not.toBe(ino);
  });

  it.each(['not hex', 'ff00ff', ''])('is as good as none when it is damaged: %j', async (text) => {
    await writeFile(file, text);
    const warn = vi.fn();
    const book = bookOf();
    await new ManifestFile(file, book).load({ ...silentLogger, warn });
    expect(book.current).toBeUndefined();
    sign(book, 1);
    await new ManifestFile(file, book).work();
    expect((await readFile(file, 'utf8')).length).toBeGreaterThan(text.length);
  });

  it('of another cluster, put into this directory by mistake, is not believed', async () => {
    const book = bookOf();
    sign(book, 7);
    await new ManifestFile(file, book).work();
    const other = bookOf('another');
    await new ManifestFile(file, other).load(silentLogger);
    expect(other.current).toBeUndefined();
  });
});
