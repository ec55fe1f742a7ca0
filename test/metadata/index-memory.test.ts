/** @module The location index takes no more memory than it was given. */
import { expect, it } from 'vitest';
import { packHashes } from '../../dht/packed-hashes.ts';
import { call } from '../../src/network/method.ts';
import { ANNOUNCE } from '../../src/protocol/methods.ts';
import { hashOf } from '../dht/index-world.ts';
import { TestCluster } from './cluster.ts';

it('takes as many copies of blocks as fit, and says of the others that it has not', async () => {
  const cluster = await TestCluster.start(1, { indexMemoryBytes: 8 * 80 });
  try {
    const datanode = await cluster.newPeer();
    const node = (await cluster.join(datanode, ['data'])).member?.number ?? 0;
    const added = packHashes(Array.from({ length: 20 }, (_, at) => hashOf(`${at}`)));
    const removed = new Uint8Array(0);
    const batch = { node, generation: 1, sequence: 1, added, removed, whole: [], epoch: 0 };
    const { taken } = await call(datanode, cluster.any().peer, ANNOUNCE, batch);
    // One datanode alone gets half of the room.
    expect(taken).toBe(4);
  } finally {
    await cluster.stop();
  }
});
