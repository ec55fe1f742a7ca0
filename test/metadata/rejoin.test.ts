/** @module A metadata node that has lost its log gets a new number, and nobody loses anything by it. */
import { afterEach, describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/common/clock.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import { call } from '../../src/network/method.ts';
import { REJOIN } from '../../src/protocol/methods.ts';
import { TestCluster } from './cluster.ts';

/** A voter that was killed counts as alive for no longer (contact-times.ts). */
const UNTIL_SILENT_MS = 3_500;

describe('a metadata node that has lost its log', () => {
  let cluster: TestCluster;

  afterEach(() => cluster.stop());

  it('comes back under a new number as a voter, and its old number is gone', async () => {
    cluster = await TestCluster.start(3);
    const client = await cluster.client();
    const leader = await cluster.leader();
    await cluster.mutate(client, leader.peer, directory('/before'));
    const [lost] = [1, 2, 3].filter((number) => number !== leader.number) as [number];
    await cluster.kill(lost);

    const back = await cluster.rejoin(lost, leader.peer);
    // 4 is the client.
    expect(back.number).toBeGreaterThan(4);
    await cluster.until('it votes', () => cluster.voters().includes(back.number));
    expect(cluster.voters()).not.toContain(lost);
    expect(back.machine.memberByNumber(lost)?.state).toBe('left');
    expect(back.machine.memberByPeer(back.peer)?.number).toBe(back.number);
    expect(await back.machine.stat('/before')).toMatchObject({ kind: 'directory' });
    await cluster.mutate(client, back.peer, directory('/after'));
  });

  it('is refused while the others have no majority without it', async () => {
    cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    const others = [1, 2, 3].filter((number) => number !== leader.number) as [number, number];
    for (const number of others) await cluster.kill(number);
    await expect(cluster.rejoin(others[0], leader.peer)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(leader.machine.memberByNumber(others[0])?.state).toBe('active');
  });

  it('is refused, if it still runs as one of the last two voters, rather than leave one that cannot commit', async () => {
    cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    const [dead, asking] = [1, 2, 3].filter((number) => number !== leader.number) as [number, number];
    await cluster.kill(dead);
    await sleep(systemClock, UNTIL_SILENT_MS);
    const { network } = cluster.node(asking);
    await expect(
      call(network, leader.peer, REJOIN, {
        number: asking,
        reason: '',
        featureLevel: SUPPORTED_FEATURE_LEVEL,
      }),
    ).rejects.toMatchObject({
      code: 'METADATA_REJOIN_UNSAFE',
      facts: { number: asking },
    });
  });

  it('keeps its roles and its key under the new number, as a datanode, too', async () => {
    cluster = await TestCluster.start(3);
    const network = await cluster.newPeer();
    const { member: before } = await cluster.join(network, ['meta', 'data'], 'h');
    const { peer } = await cluster.leader();
    const { member } = await call(network, peer, REJOIN, {
      number: before?.number ?? 0,
      reason: '',
      featureLevel: SUPPORTED_FEATURE_LEVEL,
    });
    expect(member).toMatchObject({ peer: network.localPeer, roles: ['meta', 'data'], state: 'active' });
    expect(member?.number).toBeGreaterThan(before?.number ?? 0);
  });

  it('is refused when it runs a release that is too old for the cluster, and keeps its number', async () => {
    cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    const { number, network } = await cluster.follower();
    const request = { number, reason: '', featureLevel: SUPPORTED_FEATURE_LEVEL - 1 };
    for (const asked of [request, { ...request, featureLevel: undefined }])
      await expect(call(network, leader.peer, REJOIN, asked)).rejects.toMatchObject({
        code: 'NAMESPACE_FEATURE_LEVEL_TOO_LOW',
      });
    expect(leader.machine.memberByNumber(number)?.state).toBe('active');
  });

  it('does not let a datanode or a client have a new number', async () => {
    cluster = await TestCluster.start(1);
    const client = await cluster.client();
    const { peer } = await cluster.leader();
    await expect(call(client, peer, REJOIN, { number: 1, reason: '' })).rejects.toMatchObject({
      code: 'METADATA_NOT_ALLOWED',
    });
  });
});

function directory(path: string) {
  return { $case: 'makeDirectory', value: { path, parents: false } } as const;
}
