/** @module Datanodes and the metadata nodes they report to. */
import { afterEach, describe, expect, it } from 'vitest';
import { fromHex, KIB } from '../../src/common/bytes.ts';
import { call } from '../../src/network/method.ts';
import { BLOCKS_HERE, REPLICATE } from '../../src/protocol/methods.ts';
import { contents, gather, hashOf } from '../client/bytes.ts';
import { FileCluster, type RunningDataNode } from '../client/file-cluster.ts';

describe('a datanode', () => {
  let cluster: FileCluster;
  afterEach(() => cluster.stop());

  it('registers and announces everything again when all metadata nodes were restarted', async () => {
    cluster = await FileCluster.start(1, 2);
    const bytes = contents(300 * KIB, 'restart');
    const before = await cluster.client();
    await before.put('/restart', bytes, { blockSizeBytes: 64 * KIB });
    await cluster.metadata.kill(1);
    await cluster.metadata.restart(1);
    await cluster.untilRegistered(2);
    const client = await cluster.client();
    expect(hashOf(await gather((await client.get('/restart')).bytes))).toBe(hashOf(bytes));
  });

  it('registers with a metadata node that joined after it', async () => {
    cluster = await FileCluster.start(1, 1);
    await cluster.metadata.addNode();
    await cluster.untilRegistered(1);
  });

  it('stops when it was removed, by itself and for good; the others go on', async () => {
    cluster = await FileCluster.start(3, 2);
    const [gone, kept] = cluster.datanodes as [RunningDataNode, RunningDataNode];
    const client = await cluster.client();
    await client.removeMember(gone.number);
    await cluster.metadata.until('it has heard', () => cluster.fatal.length > 0);
    expect(cluster.fatal).toMatchObject([{ code: 'DATANODE_REMOVED', facts: { number: gone.number } }]);
    await cluster.metadata.until('only the other one is known', () =>
      [...cluster.metadata.nodes.values()].every(
        ({ machine }) => machine.memberByNumber(gone.number)?.state === 'left',
      ),
    );
    expect(cluster.metadata.any().machine.memberByNumber(kept.number)?.state).toBe('active');
    expect(cluster.fatal).toHaveLength(1);
  });

  it('stops when it finds at its start that it was removed while it was down', async () => {
    cluster = await FileCluster.start(1, 1);
    const [gone] = cluster.datanodes as [RunningDataNode];
    await cluster.killDataNode(gone);
    await (await cluster.client()).removeMember(gone.number, { force: true });
    await cluster.restartDataNode(gone);
    await cluster.metadata.until('it has heard', () => cluster.fatal.length > 0);
    expect(cluster.fatal).toMatchObject([{ code: 'DATANODE_REMOVED' }]);
  });

  it('lets no stranger in, and a newcomer as soon as it has joined', async () => {
    cluster = await FileCluster.start(1, 1);
    const [{ peer }] = cluster.datanodes as [RunningDataNode];
    const newcomer = await cluster.metadata.newPeer();
    const ask = () => call(newcomer, peer, BLOCKS_HERE, { after: '', limit: 1, quarantined: false });
    await expect(ask()).rejects.toMatchObject({ code: 'NETWORK_NOT_A_MEMBER' });
    await cluster.metadata.join(newcomer, ['client']);
    let isAdmitted = false;
    let isAsking = false;
    await cluster.metadata.until('the newcomer is admitted', () => {
      if (isAsking) return isAdmitted;
      isAsking = true;
      ask().then(
        () => (isAdmitted = true),
        () => (isAsking = false),
      );
      return isAdmitted;
    });
  });

  it('copies a block to another datanode when asked to, and says when it cannot', async () => {
    cluster = await FileCluster.start(1, 3);
    const bytes = contents(100 * KIB, 'replicate');
    const client = await cluster.client();
    await client.put('/replicate', bytes, { replication: 2 });
    const [source] = cluster.holdersOf(hashOf(bytes)) as [RunningDataNode];
    const target = cluster.datanodes.find(({ blocks }) => !blocks.has(hashOf(bytes))) as RunningDataNode;
    const network = await cluster.metadata.client();
    const holder = { node: target.number, peer: target.peer, addresses: [], name: '', host: '', alive: true };
    const request = { hash: fromHex(hashOf(bytes)), sizeBytes: bytes.byteLength, target: holder };
    expect(await call(network, source.peer, REPLICATE, request)).toEqual({ node: target.number });
    expect(cluster.holdersOf(hashOf(bytes))).toHaveLength(3);
    const unknown = { ...request, hash: fromHex(hashOf(contents(1, 'unknown'))) };
    await expect(call(network, source.peer, REPLICATE, unknown)).rejects.toMatchObject({
      code: 'DATANODE_REPLICATION_FAILED',
    });
  });

  it('looks at a copy that its checksums call good and whoever was sent it does not', async () => {
    cluster = await FileCluster.start(1, 2);
    const bytes = contents(100 * KIB, 'not what its name says');
    const hash = hashOf(bytes);
    await (await cluster.client()).put('/one', bytes, { replication: 1 });
    const [source] = cluster.holdersOf(hash) as [RunningDataNode];
    const target = cluster.datanodes.find(({ blocks }) => !blocks.has(hash)) as RunningDataNode;
    source.blocks.corrupt(hash, 7);
    const wrong = Buffer.from(bytes);
    wrong[7] = (wrong[7] ?? 0) ^ 1;
    source.blocks.read = async function* () {
      yield wrong;
    };
    const holder = { node: target.number, peer: target.peer, addresses: [], name: '', host: '', alive: true };
    const request = { hash: fromHex(hash), sizeBytes: bytes.byteLength, target: holder };
    const network = await cluster.metadata.client();
    await expect(call(network, source.peer, REPLICATE, request)).rejects.toMatchObject({
      code: 'DATANODE_REPLICATION_FAILED',
    });
    expect(cluster.holdersOf(hash)).toEqual([]);
    expect(source.blocks.quarantineOf(hash)).toMatchObject({ reason: 'corrupt' });
  });
});
