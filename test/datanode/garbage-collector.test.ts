/** @module Garbage collection in a whole cluster: what files refer to stays, everything else goes, slowly. */
import { afterEach, describe, expect, it } from 'vitest';
import { fromHex, KIB } from '../../src/common/bytes.ts';
import { call } from '../../src/network/method.ts';
import type { ConfigureCollectionRequest, ConfigureCollectionResponse } from '../../src/protocol/messages.ts';
import {
  CONFIGURE_COLLECTION,
  COPIES,
  DATA_WORKER_CONTROL,
  DROP_SURPLUS,
  REPORT_BAD_BLOCK,
} from '../../src/protocol/methods.ts';
import { contents, gather, hashOf } from '../client/bytes.ts';
import { FileCluster, type RunningDataNode } from '../client/file-cluster.ts';

const SOON = { eraMs: 200, graceMs: 200 };

describe('garbage collection', () => {
  let cluster: FileCluster;
  afterEach(() => cluster.stop());
  const configure = async (
    settings: Partial<ConfigureCollectionRequest>,
  ): Promise<ConfigureCollectionResponse> => {
    const network = await cluster.metadata.client();
    const request = { undo: false, eraMs: 0, graceMs: 0, ...settings };
    const answer = await call(network, cluster.metadata.any().peer, CONFIGURE_COLLECTION, request);
    for (const { peer } of cluster.datanodes)
      await call(network, peer, DATA_WORKER_CONTROL, { name: 'garbage-collection', action: 'run' });
    return answer;
  };
  const quarantined = (hash: string): RunningDataNode[] =>
    cluster.datanodes.filter(({ blocks }) => blocks.quarantineOf(hash) !== undefined);

  it('deletes the blocks of removed files and of files that were never closed, and no others', async () => {
    cluster = await FileCluster.start(1, 2);
    const client = await cluster.client();
    const [kept, gone, abandoned] = ['kept', 'gone', 'abandoned'].map((name) => contents(100 * KIB, name));
    await client.put('/kept', kept as Uint8Array, { replication: 2 });
    await client.put('/gone', gone as Uint8Array, { replication: 2 });
    await client.put('/copied', gone as Uint8Array, { replication: 2, ifAbsent: true });
    const closing = client.put('/kept', abandoned as Uint8Array, { ifAbsent: true });
    await expect(closing).rejects.toMatchObject({ code: 'NAMESPACE_EXISTS' });
    await client.unlink('/gone');
    // Not before: eras as short as these overtake a writer on a busy machine.
    await configure(SOON);
    await cluster.metadata.until('what was never closed is deleted', () =>
      cluster.datanodes.every(
        ({ blocks }) =>
          !blocks.has(hashOf(abandoned as Uint8Array)) && blocks.quarantined(undefined, 9).length === 0,
      ),
    );
    for (const bytes of [kept, gone]) expect(cluster.holdersOf(hashOf(bytes as Uint8Array))).toHaveLength(2);
    await client.unlink('/copied');
    await cluster.metadata.until(
      'what nobody refers to any more is deleted',
      () =>
        cluster.holdersOf(hashOf(gone as Uint8Array)).length === 0 &&
        quarantined(hashOf(gone as Uint8Array)).length === 0,
    );
    expect(hashOf(await gather((await client.get('/kept')).bytes))).toBe(hashOf(kept as Uint8Array));
  });

  it('brings back what was taken out of service, and takes out nothing more, when told to undo', async () => {
    cluster = await FileCluster.start(1, 1);
    const client = await cluster.client();
    const bytes = contents(100 * KIB, 'undo');
    await client.put('/f', bytes, { replication: 1 });
    await client.unlink('/f');
    await configure({ ...SOON, graceMs: 3_600_000 });
    await cluster.metadata.until('it is quarantined', () => quarantined(hashOf(bytes)).length === 1);
    const network = await cluster.metadata.client();
    const [{ peer }] = cluster.datanodes as [RunningDataNode];
    const { copies } = await call(network, peer, COPIES, { hashes: [fromHex(hashOf(bytes))], verify: true });
    expect(copies).toMatchObject([{ state: 'garbage', sizeBytes: bytes.byteLength }]);
    expect((await configure({ undo: true })).collection).toMatchObject({ paused: true });
    await cluster.metadata.until('it is back', () => cluster.holdersOf(hashOf(bytes)).length === 1);
    await configure({ paused: false });
    await cluster.metadata.until('it is quarantined again', () => quarantined(hashOf(bytes)).length === 1);
  });

  it('lets a writer that takes longer than two eras finish', async () => {
    cluster = await FileCluster.start(1, 2);
    await configure({ eraMs: 200, graceMs: 3_600_000 });
    const client = await cluster.client();
    const bytes = contents(200 * KIB, 'slow');
    const first = hashOf(bytes.subarray(0, 64 * KIB));
    async function* slowly(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 100 * KIB);
      // Its first block is out of service when the rest comes: nobody refers to it yet.
      await cluster.metadata.until('the first block is quarantined', () => quarantined(first).length === 2);
      // From here on eras are long again, as they are in earnest: on a busy machine short ones overtake the writer for ever.
      await configure({ eraMs: 3_600_000 });
      yield bytes.subarray(100 * KIB);
    }
    await client.put('/slow', slowly(), { blockSizeBytes: 64 * KIB, replication: 2 });
    expect(cluster.holdersOf(first)).toHaveLength(2);
    expect(hashOf(await gather((await client.get('/slow')).bytes))).toBe(hashOf(bytes));
  });

  it('drops a copy too many only when the others say that they have theirs', async () => {
    cluster = await FileCluster.start(1, 3);
    const client = await cluster.client();
    const bytes = contents(100 * KIB, 'surplus');
    const hash = hashOf(bytes);
    await client.put('/f', bytes, { replication: 3 });
    const drop = async ({ peer }: RunningDataNode): Promise<boolean | undefined> => {
      const request = { hashes: [fromHex(hash)] };
      return (await call(cluster.metadata.any().network, peer, DROP_SURPLUS, request)).dropped[0];
    };
    const [one, two, three] = cluster.datanodes as [RunningDataNode, RunningDataNode, RunningDataNode];
    expect(await drop(one)).toBe(false);
    await client.setReplication('/f', 2);
    // The index still names it, but it has lost its copy.
    await two.blocks.remove(hash);
    expect(await drop(one)).toBe(false);
    await client.setReplication('/f', 1);
    expect(await Promise.all([drop(one), drop(three)])).not.toEqual([true, true]);
    expect(cluster.holdersOf(hash).length).toBeGreaterThan(0);
    const stranger = await cluster.metadata.client();
    await expect(call(stranger, one.peer, DROP_SURPLUS, { hashes: [] })).rejects.toMatchObject({
      code: 'DATANODE_NOT_ALLOWED',
    });
  });

  it('takes a copy that somebody calls bad out of service if it is bad', async () => {
    cluster = await FileCluster.start(1, 2);
    const client = await cluster.client();
    const [one] = cluster.datanodes as [RunningDataNode];
    const [good, bad] = [contents(100 * KIB, 'good'), contents(100 * KIB, 'bad')];
    for (const [path, bytes] of [
      ['/good', good],
      ['/bad', bad],
    ] as const)
      await client.put(path, bytes);
    one.blocks.corrupt(hashOf(bad), 5);
    const network = await cluster.metadata.client();
    for (const [bytes, { number: node }] of [
      [good, one],
      [bad, one],
    ] as const)
      await call(network, cluster.metadata.any().peer, REPORT_BAD_BLOCK, {
        hash: fromHex(hashOf(bytes)),
        node,
        reason: 'a reader says so',
        found: '',
      });
    await cluster.metadata.until(
      'the bad copy is in quarantine',
      () => quarantined(hashOf(bad)).length === 1,
    );
    expect(one.blocks.quarantineOf(hashOf(bad))?.reason).toBe('corrupt');
    expect(one.blocks.has(hashOf(good))).toBe(true);
  });
});
