/** @module Who speaks the protocol of the location index without being entitled to it gets nowhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packHashes } from '../../dht/packed-hashes.ts';
import type { AnnounceRequest } from '../../dht/messages.ts';
import { AnnounceLimits, BATCHES_PER_SECOND } from '../../src/metadata/announce-limits.ts';
import { call } from '../../src/network/method.ts';
import type { Network } from '../../src/network/network.ts';
import { ANNOUNCE, COMPARE, HEARTBEAT, HOLDINGS, LOOKUP, PULL } from '../../src/protocol/methods.ts';
import { hashOf } from '../dht/index-world.ts';
import { ManualClock } from '../manual-clock.ts';
import { TestCluster } from './cluster.ts';

const A = packHashes([hashOf('a')]);
const NONE = new Uint8Array(0);

let cluster: TestCluster;
let datanode: Network;
let other: Network;
let client: Network;
let node: number;
let to: string;
let sequence = 0;

beforeAll(async () => {
  cluster = await TestCluster.start(1);
  to = cluster.any().peer;
  [datanode, other] = [await cluster.newPeer(), await cluster.newPeer()];
  node = (await cluster.join(datanode, ['data'])).member?.number ?? 0;
  await cluster.join(other, ['data']);
  client = await cluster.client();
});

afterAll(() => cluster.stop());

function batch(fields: Partial<AnnounceRequest>): AnnounceRequest {
  const empty = { added: NONE, removed: NONE, whole: [], epoch: 0 };
  return { node, generation: 1, sequence: (sequence += 1), ...empty, ...fields };
}

async function holders(hash: Uint8Array): Promise<readonly number[]> {
  return (await call(client, to, LOOKUP, { hashes: hash, epoch: 0 })).nodes;
}

describe('the location index', () => {
  it('does not answer a stranger, whatever it asks', async () => {
    const stranger = await cluster.newPeer();
    const compared = { node, generation: 9, sequence: 1, epoch: 0, shards: NONE, digests: NONE };
    const refused = { code: 'NETWORK_NOT_A_MEMBER' };
    await expect(call(stranger, to, ANNOUNCE, batch({ added: A }))).rejects.toMatchObject(refused);
    await expect(call(stranger, to, LOOKUP, { hashes: A, epoch: 0 })).rejects.toMatchObject(refused);
    await expect(call(stranger, to, COMPARE, compared)).rejects.toMatchObject(refused);
    await expect(call(stranger, to, PULL, { epoch: 0, prefixes: ['abc'] })).rejects.toMatchObject(refused);
    expect(await holders(A)).toEqual([]);
  });

  it('lets only datanodes announce, each for itself, and only metadata nodes take over shards', async () => {
    const notAllowed = { code: 'METADATA_NOT_ALLOWED' };
    await expect(call(client, to, ANNOUNCE, batch({ added: A }))).rejects.toMatchObject(notAllowed);
    await expect(call(other, to, ANNOUNCE, batch({ added: A }))).rejects.toMatchObject({
      code: 'DHT_NOT_YOUR_NODE',
    });
    for (const caller of [client, datanode]) {
      await expect(call(caller, to, PULL, { epoch: 0, prefixes: [] })).rejects.toMatchObject(notAllowed);
      await expect(call(caller, to, HOLDINGS, { epoch: 0 })).rejects.toMatchObject(notAllowed);
    }
    expect(await holders(A)).toEqual([]);
  });

  it('does not let a heartbeat speak for what another datanode holds', async () => {
    const load = undefined;
    const forged = { node, generation: 1, load, membersVersion: 0, epoch: 1, silentNeighbours: [] };
    const root = { indexEpoch: 1, indexSequence: 0, indexRoot: new Uint8Array(8) };
    await expect(call(other, to, HEARTBEAT, { ...forged, ...root })).rejects.toMatchObject({
      code: 'METADATA_NOT_ALLOWED',
    });
  });

  it('does not believe an old announcement that is replayed', async () => {
    const announced = batch({ added: A });
    await call(datanode, to, ANNOUNCE, announced);
    expect(await holders(A)).toEqual([node]);
    await call(datanode, to, ANNOUNCE, batch({ removed: A }));
    expect((await call(datanode, to, ANNOUNCE, announced)).taken).toBe(0);
    expect(await holders(A)).toEqual([]);
    await call(datanode, to, ANNOUNCE, batch({ generation: 2, removed: A }));
    await expect(call(datanode, to, ANNOUNCE, batch({ added: A }))).rejects.toMatchObject({
      code: 'DHT_STALE_GENERATION',
    });
    expect(await holders(A)).toEqual([]);
  });

  it('refuses the batches of one that floods it, until it slows down, and of nobody else', async () => {
    const clock = new ManualClock();
    const limits = new AnnounceLimits({ clock });
    const taken = (from: number, batches: number): number => {
      for (let count = 0; count < batches; count += 1)
        try {
          limits.check(from);
        } catch (error) {
          expect(error).toMatchObject({ code: 'DHT_TOO_OFTEN', facts: { node: from } });
          return count;
        }
      return batches;
    };
    expect(taken(1, 10 * BATCHES_PER_SECOND)).toBeLessThan(3 * BATCHES_PER_SECOND);
    expect(taken(2, BATCHES_PER_SECOND)).toBe(BATCHES_PER_SECOND);
    await clock.advance(500);
    expect(taken(1, BATCHES_PER_SECOND)).toBe(BATCHES_PER_SECOND / 2);
  });
});
