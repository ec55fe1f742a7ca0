import { afterEach, describe, expect, it } from 'vitest';
import type { Network } from '../../src/network/network.ts';
import { call } from '../../src/network/method.ts';
import { MEMBERS, STAT, STATUS } from '../../src/protocol/methods.ts';
import { TestCluster } from './cluster.ts';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  expect(cluster?.fatal ?? []).toEqual([]);
  cluster = undefined;
});

function mkdir(
  to: TestCluster,
  client: Network,
  via: string,
  path: string,
): ReturnType<TestCluster['mutate']> {
  return to.mutate(client, via, { $case: 'makeDirectory', value: { path, parents: false } });
}

describe('membership', () => {
  it('promotes joined metadata nodes to voters, up to five', async () => {
    cluster = await TestCluster.start(5);
    const sixth = await cluster.addNode();
    const client = await cluster.client();
    const home = cluster;
    const { peer } = await cluster.leader();
    await cluster.until(
      'the sixth has caught up',
      () => sixth.machine.appliedIndex > 5 && sixth.node.leader !== 0,
    );
    await mkdir(cluster, client, sixth.peer, '/by-a-learner');
    const status = await call(client, peer, STATUS, { stale: false });
    expect(status.metadataNodes.map(({ raftRole }) => raftRole).toSorted()).toEqual([
      'leader',
      'learner',
      'voter',
      'voter',
      'voter',
      'voter',
    ]);
    expect(home.voters()).toHaveLength(5);
  });

  it('is the same on all nodes', async () => {
    cluster = await TestCluster.start(3);
    const client = await cluster.client();
    for (const { peer } of cluster.nodes.values()) {
      const { members } = await call(client, peer, MEMBERS, { stale: false });
      expect(members.map(({ number, roles }) => `${number} ${roles.join()}`)).toEqual([
        '1 meta',
        '2 meta',
        '3 meta',
        '4 client',
      ]);
    }
  });
});

describe('snapshots', () => {
  it('bound the log and bring a new node up to date', async () => {
    cluster = await TestCluster.start(1, { maxLogEntries: 50, trailingEntries: 5 });
    const client = await cluster.client();
    const founder = cluster.any();
    for (let count = 0; count < 80; count += 1) await mkdir(cluster, client, founder.peer, `/d${count}`);
    await cluster.until('the log is compacted', () => founder.log.firstIndex() > 1);
    const newcomer = await cluster.addNode();
    const { stat } = await call(client, newcomer.peer, STAT, { path: '/d79', stale: false });
    expect(stat?.path).toBe('/d79');
    expect(newcomer.log.firstIndex()).toBeGreaterThan(1);
    const home = cluster;
    await cluster.until('the newcomer votes', () => home.voters().length === 2);
    await cluster.kill(newcomer.number);
    const back = await cluster.restart(newcomer.number);
    await mkdir(cluster, client, back.peer, '/again');
    expect(await back.machine.namespaceHash().then(({ hash }) => hash)).toHaveLength(64);
  });
});
