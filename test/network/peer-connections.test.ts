import { peerIdFromString } from '@libp2p/peer-id';
import type { Libp2p } from '@libp2p/interface';
import { expect, it } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { AddressBook } from '../../src/network/address-book.ts';
import { PeerConnections } from '../../src/network/peer-connections.ts';

const PEER = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFsHsEf4RGZBGrSjcsW';

it('dials nobody for a caller who is gone already', async () => {
  const dialled: string[] = [];
  const libp2p = {
    peerId: peerIdFromString(PEER),
    getConnections: () => [],
    dial: (peer: unknown) => {
      dialled.push(String(peer));
      return Promise.reject(new Error('nobody answers'));
    },
  } as unknown as Libp2p;
  const connections = new PeerConnections({
    libp2p,
    dial: () => Promise.reject(new Error('no address is known')),
    meet: () => Promise.reject(new Error('nobody is reached over a relay')),
    punched: new Set(),
    book: new AddressBook(),
    logger: silentLogger,
  });
  const gone = AbortSignal.abort(new Error('gone'));
  await expect(connections.connect(PEER, gone)).rejects.toThrow('gone');
  expect(dialled).toEqual([]);
});
