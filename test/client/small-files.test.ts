import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { KIB } from '../../src/common/bytes.ts';
import { noSuchMethod } from '../../src/network/errors.ts';
import type { Network } from '../../src/network/network.ts';
import {
  BLOCK_READ_CHANNEL,
  BLOCK_WRITE_CHANNEL,
  MUTATE,
  MUTATE_MANY,
  READ_BLOCKS,
  READ_PLAN,
  READ_PLANS,
  STAT,
  STAT_MANY,
  WRITE_BLOCKS,
} from '../../src/protocol/methods.ts';
import { contents, gather, hashOf } from './bytes.ts';
import { FileCluster, type RunningDataNode } from './file-cluster.ts';

const FILES = 40;

/** Counts what this peer asks of others, by method. */
function counting(network: Network): Map<string, number> {
  const counts = new Map<string, number>();
  const note = (method: string): void => void counts.set(method, (counts.get(method) ?? 0) + 1);
  const request = network.request.bind(network);
  const open = network.open.bind(network);
  network.request = (peer, trafficClass, method, ...rest) => {
    note(method);
    return request(peer, trafficClass, method, ...rest);
  };
  network.open = (peer, method, ...rest) => {
    note(method);
    return open(peer, method, ...rest);
  };
  return counts;
}

/** A release that does not know these methods. */
function withoutMethods(network: Network, methods: readonly string[]): void {
  const onRequest = network.onRequest.bind(network);
  network.onRequest = (trafficClass, method, handler) => {
    if (!methods.includes(method)) onRequest(trafficClass, method, handler);
  };
}

async function addOldDataNode(cluster: FileCluster): Promise<void> {
  const newPeer = cluster.metadata.newPeer.bind(cluster.metadata);
  cluster.metadata.newPeer = async () => {
    const network = await newPeer();
    withoutMethods(network, [WRITE_BLOCKS.name, READ_BLOCKS.name]);
    return network;
  };
  await cluster.addDataNode();
  cluster.metadata.newPeer = newPeer;
  await cluster.untilRegistered(cluster.datanodes.length);
}

describe('small files in numbers', () => {
  let cluster: FileCluster;
  let client: Client;
  let counts: Map<string, number>;
  const bytesOf = (name: string): Uint8Array => contents(4 * KIB, name);
  const names = (directory: string): string[] =>
    Array.from({ length: FILES }, (_, file) => `${directory}/f${file}`);
  const count = (...methods: string[]): number =>
    methods.reduce((sum, method) => sum + (counts.get(method) ?? 0), 0);
  const putAll = (paths: readonly string[]): Promise<PromiseSettledResult<unknown>[]> =>
    Promise.allSettled(paths.map((path) => client.put(path, bytesOf(path))));
  const expectAllReadable = async (paths: readonly string[]): Promise<void> => {
    const read = await Promise.all(paths.map(async (path) => gather((await client.get(path)).bytes)));
    expect(read.map(hashOf)).toEqual(paths.map((path) => hashOf(bytesOf(path))));
  };

  beforeAll(async () => {
    cluster = await FileCluster.start(3, 4);
    const open = cluster.metadata.client.bind(cluster.metadata);
    cluster.metadata.client = async () => {
      const network = await open();
      counts = counting(network);
      return network;
    };
    client = await cluster.client();
    cluster.metadata.client = open;
    await client.put('/warm', bytesOf('/warm'));
  });
  afterAll(() => cluster.stop());

  it('travel together, written, looked at, read and removed, with three copies each', async () => {
    await client.mkdir('/together');
    const paths = names('/together');
    counts.clear();
    expect((await putAll(paths)).every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(count(WRITE_BLOCKS.name, MUTATE.name, MUTATE_MANY.name)).toBeLessThan(FILES / 4);
    expect(count(BLOCK_WRITE_CHANNEL)).toBe(0);
    for (const path of paths) expect(cluster.holdersOf(hashOf(bytesOf(path)))).toHaveLength(3);
    counts.clear();
    await expectAllReadable(paths);
    expect(count(READ_PLAN.name, READ_PLANS.name, READ_BLOCKS.name)).toBeLessThan(FILES / 4);
    expect(count(BLOCK_READ_CHANNEL)).toBe(0);
    counts.clear();
    const stats = await Promise.all(paths.map((path) => client.stat(path)));
    expect(stats.map(({ sizeBytes }) => sizeBytes)).toEqual(paths.map(() => 4 * KIB));
    await Promise.all(paths.map((path) => client.unlink(path)));
    expect(count(STAT.name, STAT_MANY.name, MUTATE.name, MUTATE_MANY.name)).toBeLessThan(FILES / 4);
    await expect(client.stat(paths[0] ?? '')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
  });

  it('share no failure: of a missing directory, of a missing file, of one that gives up', async () => {
    await client.mkdir('/shared');
    const paths = names('/shared');
    const written = await putAll([...paths, '/nowhere/f']);
    expect(written.at(-1)).toMatchObject({ reason: { code: 'NAMESPACE_NOT_FOUND' } });
    expect(written.slice(0, -1).every(({ status }) => status === 'fulfilled')).toBe(true);
    const looked = await Promise.allSettled([...paths, '/shared/none'].map((path) => client.stat(path)));
    expect(looked.at(-1)).toMatchObject({ reason: { code: 'NAMESPACE_NOT_FOUND' } });
    expect(looked.slice(0, -1).every(({ status }) => status === 'fulfilled')).toBe(true);
    const reading = await Promise.allSettled(
      [...paths, '/shared/none'].map(async (path) => gather((await client.get(path)).bytes)),
    );
    expect(reading.map(({ status }) => status)).toEqual([...paths.map(() => 'fulfilled'), 'rejected']);
    const giveUp = new AbortController();
    const abandoned = client.put('/shared/abandoned', bytesOf('abandoned'), { signal: giveUp.signal });
    const others = putAll(paths);
    giveUp.abort(new Error('enough'));
    await expect(abandoned).rejects.toThrow('enough');
    expect((await others).every(({ status }) => status === 'fulfilled')).toBe(true);
  });

  it('keep every copy of two that are alike', async () => {
    await client.mkdir('/alike');
    await Promise.all(names('/alike').map((path) => client.put(path, bytesOf('alike'))));
    expect(cluster.holdersOf(hashOf(bytesOf('alike'))).length).toBeGreaterThanOrEqual(3);
    const read = await Promise.all(
      names('/alike').map(async (path) => gather((await client.get(path)).bytes)),
    );
    expect(new Set(read.map(hashOf))).toEqual(new Set([hashOf(bytesOf('alike'))]));
  });

  it('get as many copies as their directory says, and it is asked once for all of them', async () => {
    await client.mkdir('/few');
    await putAll(names('/few'));
    counts.clear();
    expect((await client.put('/few/more', bytesOf('more'))).copies).toBe(3);
    expect(count(STAT.name, STAT_MANY.name)).toBe(0);
    await client.setReplication('/few', 2);
    expect((await client.put('/few/fewer', bytesOf('fewer'))).copies).toBe(2);
  });

  it('are read around rotten copies', async () => {
    await client.mkdir('/rotten');
    const paths = names('/rotten');
    await putAll(paths);
    for (const path of paths) {
      const hash = hashOf(bytesOf(path));
      cluster.holdersOf(hash)[0]?.blocks.corrupt(hash, 5);
    }
    await expectAllReadable(paths);
  });

  it('are served by datanodes of an earlier release, and through them', async () => {
    await client.mkdir('/old');
    await addOldDataNode(cluster);
    for (const round of ['/old/a', '/old/b']) {
      await client.mkdir(round);
      expect((await putAll(names(round))).every(({ status }) => status === 'fulfilled')).toBe(true);
      await expectAllReadable(names(round));
      for (const path of names(round))
        expect(cluster.holdersOf(hashOf(bytesOf(path))).length).toBeGreaterThanOrEqual(3);
    }
  });

  it('are taken one by one by metadata nodes of an earlier release', async () => {
    const open = cluster.metadata.client.bind(cluster.metadata);
    cluster.metadata.client = async () => {
      const network = await open();
      const request = network.request.bind(network);
      const unknown = [MUTATE_MANY.name, STAT_MANY.name, READ_PLANS.name];
      network.request = (peer, trafficClass, method, ...rest) =>
        unknown.includes(method)
          ? Promise.reject(noSuchMethod(peer, method))
          : request(peer, trafficClass, method, ...rest);
      return network;
    };
    const earlier = await cluster.client();
    cluster.metadata.client = open;
    await earlier.mkdir('/earlier');
    const paths = names('/earlier');
    await Promise.all(paths.map((path) => earlier.put(path, bytesOf(path))));
    const stats = await Promise.all(paths.map((path) => earlier.stat(path)));
    expect(stats.map(({ sizeBytes }) => sizeBytes)).toEqual(paths.map(() => 4 * KIB));
    const read = await Promise.all(paths.map(async (path) => gather((await earlier.get(path)).bytes)));
    expect(read.map(hashOf)).toEqual(paths.map((path) => hashOf(bytesOf(path))));
  });

  it('find other datanodes when one dies', async () => {
    await client.mkdir('/death');
    const paths = names('/death');
    const writing = putAll(paths);
    await cluster.killDataNode(cluster.datanodes[1] as RunningDataNode);
    const failed = (await writing).filter(({ status }) => status === 'rejected');
    expect(failed).toEqual([]);
    await expectAllReadable(paths);
  });
});
