/** @module `holdfast dht`: what it shows of holders, shards and a lookup, and as JSON. */
import { describe, expect, it } from 'vitest';
import { membershipEpoch } from '../../dht/membership-ring.ts';
import { SHARD_COUNT } from '../../dht/shard.ts';
import { ShardSet } from '../../dht/shard-set.ts';
import type { IndexLookupResponse, IndexOverviewResponse } from '../../src/protocol/index-view.ts';
import { FakeClient, run } from './fake-terminal.ts';

const EPOCH = membershipEpoch(2, 77);
const HASH = 'ab'.repeat(32);

class IndexClient extends FakeClient {
  async locationIndex({ holders = false }: { holders?: boolean }): Promise<IndexOverviewResponse> {
    const bitmap = new ShardSet([0]).encode();
    const nodes = [
      { node: 9, records: 5, generation: 3, sequence: 12, confirmed: 4, digest: Uint8Array.of(1, 2) },
    ];
    const figures = {
      boot: 'b',
      records: 5,
      shards: 2,
      owned: 4,
      recordsOnDisk: 3,
      bytesOnDisk: 8192,
      complete: 3,
      leaving: 1,
      bytes: 2048,
      pulled: 0,
    };
    const onDisk = { bytesOnDisk: 8192, recordsOnDisk: 3, shardsOnDisk: 1, diskFailure: 'full' };
    const status = {
      ...figures,
      ...onDisk,
      epoch: EPOCH,
      nodes,
      ownedBitmap: bitmap,
      completeBitmap: bitmap,
    };
    return {
      answeredBy: 1,
      epoch: EPOCH,
      nodes: [
        { number: 1, name: 'm1', away: false, milliseconds: 0.5, status, failure: '' },
        { number: 2, name: 'm2', away: true, milliseconds: 2000, status: undefined, failure: 'no answer' },
      ],
      holders: holders ? Array.from({ length: 2 * SHARD_COUNT }, (_, at) => 1 + (at % 2)) : [],
      perShard: 2,
    };
  }

  async explainLookup(): Promise<IndexLookupResponse> {
    const steps = [
      { asked: 2, found: 0, milliseconds: 3, failure: 'no answer', complete: false },
      { asked: 1, found: 1, milliseconds: 1, failure: '', complete: true },
    ];
    return {
      answeredBy: 1,
      shard: 0xaba,
      epoch: EPOCH,
      holders: [2, 1],
      nodes: [9],
      steps,
      milliseconds: 4,
      failure: '',
    };
  }
}

const client = new IndexClient();

describe('holdfast dht', () => {
  it('shows what each holder has of its shards, and what it knows of each datanode', async () => {
    const { stdout, status } = await run(['dht', 'status'], { client });
    expect(status).toBe(0);
    expect(stdout).toMatch(/Epoch 2\.77/);
    expect(stdout).toMatch(
      /1 +m1 +2\.77 +3 of 4 +1 +5 +2\.0 KiB +3 +8\.0 KiB +0\.5 +cannot write to disk: full/,
    );
    expect(stdout).toMatch(/2 +m2 .*no answer/);
    expect(stdout).toMatch(/9 +1 +5 +3\.12 +4 +0102/);
    const json = JSON.parse((await run(['dht', 'status', '--json'], { client })).stdout);
    expect(json.nodes[0]).toMatchObject({
      number: 1,
      epoch: '2.77',
      owned: 4,
      recordsOnDisk: 3,
      bytesOnDisk: 8192,
      datanodes: [{ node: 9, digest: '0102' }],
    });
  });

  it('shows every hop of a lookup, with how long it took', async () => {
    const { stdout } = await run(['dht', 'lookup', HASH.toUpperCase()], { client });
    expect(stdout).toMatch(/shard aba, held by metadata nodes 2, 1/);
    expect(stdout).toMatch(/1 +2 +3\.00 +no answer\n +2 +1 +1\.00 +found/);
    expect(stdout).toMatch(/Held by 9\. Looked up by node 1 in 4\.00 ms/);
    expect((await run(['dht', 'lookup', 'abc'], { client })).status).toBe(2);
  });

  it('lists every shard with its holders and who has all of it', async () => {
    const json = JSON.parse((await run(['dht', 'shards', '--json'], { client })).stdout);
    expect(json.shards).toHaveLength(SHARD_COUNT);
    expect(json.shards[0]).toEqual({ shard: '000', holders: [1, 2], complete: [1] });
    expect(json.shards[0xfff]).toEqual({ shard: 'fff', holders: [1, 2], complete: [] });
  });
});
