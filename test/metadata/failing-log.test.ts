/** @module A metadata node whose disk fails stops itself, and the others go on. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { storageFailed } from '../../src/storage/errors.ts';
import { TestCluster, type RunningNode } from './cluster.ts';

describe('a metadata node whose log cannot be written', () => {
  let cluster: TestCluster;

  afterEach(() => cluster.stop());

  it.each([
    ['the leader', () => cluster.leader()],
    ['a follower', () => cluster.follower()],
  ])('stops with METADATA_FAILED when it is %s, and the cluster goes on without it', async (_, choose) => {
    cluster = await TestCluster.start(3);
    const client = await cluster.client();
    const change = async (path: string, via: RunningNode): Promise<void> => {
      const value = { path, parents: false };
      await cluster.mutate(client, via.peer, { $case: 'makeDirectory', value });
    };
    await change('/before', await cluster.leader());
    const failing: RunningNode = await choose();
    const write = vi.spyOn(failing.log, 'append');
    const cause = new Error('ENOSPC: no space left on device');
    write.mockRejectedValue(storageFailed('write the Raft log', 'raft.db', cause));

    const others = [...cluster.nodes.values()].filter((node) => node !== failing);
    await change('/during', others[0] as RunningNode);
    await cluster.until('it has stopped', () => cluster.fatal.length > 0);
    expect(cluster.fatal[0]).toMatchObject({ code: 'METADATA_FAILED', kind: 'broken' });
    expect(cluster.fatal[0]?.message).toContain('ENOSPC');
    expect(failing.node.leader).toBe(0);
    // It is not asked to write again, whatever the disk would say.
    const writes = write.mock.calls.length;
    await change('/after', others[1] as RunningNode);
    expect(write.mock.calls.length).toBe(writes);
    for (const { machine } of others)
      await cluster.until('all is there', () => machine.counters().directories >= 3);
  });

  it('stops when its rows cannot be written behind', async () => {
    cluster = await TestCluster.start(3);
    const client = await cluster.client();
    const failing = await cluster.follower();
    const leader = await cluster.leader();
    vi.spyOn(failing.machine, 'flush').mockRejectedValue(
      storageFailed('write 3 rows', 'x', new Error('EIO')),
    );
    const value = { path: '/a', parents: false };
    await cluster.mutate(client, leader.peer, { $case: 'makeDirectory', value });
    await cluster.until('it has stopped', () => cluster.fatal.length > 0);
    expect(cluster.fatal[0]).toMatchObject({ code: 'METADATA_FAILED' });
    vi.restoreAllMocks();
  });
});
