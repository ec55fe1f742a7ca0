/** @module What a node remembers of the metadata nodes between two starts. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { Member } from '../../src/namespace/schema.ts';
import { loadPeers, PeerBook } from '../../src/node/peer-book.ts';

describe('the peer book', () => {
  let directory: string;
  let file: string;
  const metadataNode = (number: number, fields: Partial<Member> = {}): Member =>
    Member.fromPartial({
      number,
      peer: `p${number}`,
      addresses: ['/a'],
      roles: ['meta'],
      state: 'active',
      ...fields,
    });
  const peersIn = async () => (await loadPeers(file, silentLogger))?.map(({ peer }) => peer);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-peers-'));
    file = join(directory, 'peers.json');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('holds the metadata nodes of now before those of earlier, and the datanodes last', async () => {
    const earlier = [
      { number: 9, peer: 'p9', addresses: ['/old'] },
      { number: 1, peer: 'p1', addresses: ['/old'] },
    ];
    const members = [
      metadataNode(1),
      metadataNode(2, { state: 'left' }),
      metadataNode(3, { roles: ['data'] }),
    ];
    await new PeerBook(file, { members: () => members, earlier }).work();
    expect(await loadPeers(file, silentLogger)).toEqual([
      { number: 1, peer: 'p1', addresses: ['/a'] },
      { number: 9, peer: 'p9', addresses: ['/old'] },
      { number: 3, peer: 'p3', addresses: ['/a'], isDatanode: true },
    ]);
  });

  it('is written when something changed, and only then; never emptied', async () => {
    let members = [metadataNode(1)];
    const book = new PeerBook(file, { members: () => members, earlier: [] });
    await book.work();
    const { ino } = await stat(file);
    await book.work();
    expect((await stat(file)).ino).toBe(ino);
    members = [];
    await book.work();
    expect(await peersIn()).toEqual(['p1']);
    members = [metadataNode(1), metadataNode(2)];
    await book.work();
    expect(await peersIn()).toEqual(['p1', 'p2']);
  });

  it('is as good as none when it is damaged or not there', async () => {
    expect(await peersIn()).toBeUndefined();
    await writeFile(file, '[{"number":1,');
    expect(await peersIn()).toBeUndefined();
  });
});
