/** @module A client of a cluster that has lost the majority of its metadata nodes. */
import { afterEach, describe, expect, it } from 'vitest';
import { contents, gather, hashOf } from './bytes.ts';
import { FileCluster } from './file-cluster.ts';

describe('a client without a quorum', () => {
  let cluster: FileCluster;
  afterEach(() => cluster.stop());

  it('gives up within ten seconds without a majority, and still reads stale', async () => {
    cluster = await FileCluster.start(3, 2);
    const client = await cluster.client();
    await client.put('/safe', contents(100, 'safe'));
    const survivor = (await cluster.metadata.follower()).number;
    await cluster.metadata.until('the survivor has applied everything', () => {
      const applied = [...cluster.metadata.nodes.values()].map(({ node }) => node.appliedIndex);
      return new Set(applied).size === 1;
    });
    for (const number of cluster.metadata.nodes.keys())
      if (number !== survivor) await cluster.metadata.kill(number);
    const startMs = performance.now();
    await expect(client.mkdir('/refused')).rejects.toMatchObject({
      kind: expect.stringMatching(/unavailable|unknown/),
      message: expect.stringMatching(/no majority/),
    });
    expect(performance.now() - startMs).toBeLessThan(10_500);
    const { bytes } = await client.get('/safe', { stale: true });
    expect(hashOf(await gather(bytes))).toBe(hashOf(contents(100, 'safe')));
  });

  it('gives up as soon on blocks whose datanodes find no metadata node at all', async () => {
    cluster = await FileCluster.start(3, 2);
    const client = await cluster.client();
    // What a small put asks of metadata nodes first is known for a moment from those before, and where its block may go.
    for (const name of ['a', 'b']) await client.put(`/${name}`, contents(100, name));
    await Promise.all([...cluster.metadata.nodes.keys()].map((number) => cluster.metadata.kill(number)));
    const startMs = performance.now();
    await expect(client.put('/refused', contents(100, 'refused'))).rejects.toMatchObject({
      code: 'CLIENT_NO_METADATA',
      kind: 'unavailable',
    });
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});
