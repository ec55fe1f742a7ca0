import { afterEach, describe, expect, it } from 'vitest';
import type { RemoveMemberResponse } from '../../src/protocol/messages.ts';
import type { Network } from '../../src/network/network.ts';
import { call } from '../../src/network/method.ts';
import {
  CONFIGURE,
  MEMBERS,
  REMOVE_MEMBER,
  STAT,
  STATUS,
  TRANSFER_LEADER,
} from '../../src/protocol/methods.ts';
import { TestCluster } from './cluster.ts';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  expect(cluster?.fatal ?? []).toEqual([]);
  cluster = undefined;
});

/** Nodes that stopped because they were removed; taken off the list of what went wrong. */
function retired(of: TestCluster): unknown[] {
  return of.fatal.splice(0).map((error) => (error as { code?: string }).code);
}

function remove(
  client: Network,
  via: string,
  number: number,
  how: { force?: boolean; dryRun?: boolean } = {},
): Promise<RemoveMemberResponse> {
  return call(client, via, REMOVE_MEMBER, { number, force: false, dryRun: false, ...how });
}

function mkdir(
  to: TestCluster,
  client: Network,
  via: string,
  path: string,
): ReturnType<TestCluster['mutate']> {
  return to.mutate(client, via, { $case: 'makeDirectory', value: { path, parents: false } });
}

describe('membership', () => {
  it('lets a node that was away follow a leader that joined meanwhile, and that it has never heard of', async () => {
    cluster = await TestCluster.start(3, { voters: 3, voterReplacementMs: 400 });
    const home = cluster;
    const client = await cluster.client();
    const away = await cluster.follower();
    await cluster.kill(away.number);
    const { number: newcomer, peer } = await cluster.addNode();
    await cluster.until('the newcomer votes', () => home.voters().includes(newcomer));
    const old = await cluster.leader();
    if (old.number !== newcomer) await call(client, old.peer, TRANSFER_LEADER, { to: newcomer });
    await mkdir(cluster, client, peer, '/meanwhile');
    const back = await cluster.restart(away.number);
    await cluster.until('it follows', () => back.node.leader === newcomer);
    await cluster.until('it caught up', () => back.machine.counters().directories >= 2);
  });

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

describe('a metadata node that leaves', () => {
  it('is out of the configuration, and stops when it hears of it', async () => {
    cluster = await TestCluster.start(3);
    const home = cluster;
    const client = await cluster.client();
    const { number } = await cluster.follower();
    const { peer } = await cluster.leader();
    expect(await remove(client, peer, number)).toMatchObject({ removed: true, concerns: [] });
    await cluster.until('it does not vote', () => home.voters().length === 2);
    await cluster.until('it stopped', () => home.fatal.length > 0);
    expect(retired(cluster)).toEqual(['METADATA_REMOVED']);
    await mkdir(cluster, client, peer, '/after');
  });

  it('may be the leader: another one leads first', async () => {
    cluster = await TestCluster.start(3);
    const home = cluster;
    const client = await cluster.client();
    const { number } = await cluster.leader();
    // Asked of a follower, which passes it on.
    await remove(client, (await cluster.follower()).peer, number);
    await cluster.until('it stopped', () => home.fatal.length > 0);
    expect(retired(cluster)).toEqual(['METADATA_REMOVED']);
    await cluster.kill(number);
    const { peer } = await cluster.leader();
    expect(cluster.voters()).not.toContain(number);
    await mkdir(cluster, client, peer, '/after');
  });

  it('may be the only voter: who has only learned so far votes first, and leads then', async () => {
    cluster = await TestCluster.start(2, { voters: 1 });
    const home = cluster;
    const client = await cluster.client();
    const { number, peer } = await cluster.leader();
    await expect.poll(() => remove(client, peer, number).catch(String)).toMatchObject({ removed: true });
    await cluster.until('it stopped', () => home.fatal.length > 0);
    expect(retired(cluster)).toEqual(['METADATA_REMOVED']);
    await cluster.kill(number);
    await mkdir(cluster, client, (await cluster.leader()).peer, '/after');
    expect(cluster.voters()).not.toContain(number);
  });

  it('acknowledges until its removal is committed, so that of two one may go', async () => {
    cluster = await TestCluster.start(2);
    const home = cluster;
    const client = await cluster.client();
    const { number } = await cluster.follower();
    const { peer } = await cluster.leader();
    await remove(client, peer, number);
    await cluster.until('one votes', () => home.voters().length === 1);
    await cluster.until('the other stopped', () => home.fatal.length > 0);
    expect(retired(cluster)).toEqual(['METADATA_REMOVED']);
    await mkdir(cluster, client, peer, '/alone');
    await expect(remove(client, peer, (await cluster.leader()).number)).rejects.toMatchObject({
      code: 'METADATA_LAST_METADATA_NODE',
    });
  });

  it('cannot disturb those who stay while it does not know (S07)', async () => {
    cluster = await TestCluster.start(3);
    const home = cluster;
    const client = await cluster.client();
    const gone = await cluster.follower();
    const leader = await cluster.leader();
    const others = [...cluster.nodes.values()].filter(({ number }) => number !== gone.number);
    for (const { peer } of others) cluster.switch.cut(gone.peer, peer);
    await remove(client, leader.peer, gone.number);
    await cluster.until('it does not vote', () => home.voters().length === 2);
    const { term } = leader.node.status();
    await cluster.until('it campaigns', () => gone.node.status().raftState === 'StatePreCandidate');
    for (const { peer } of others) cluster.switch.heal(gone.peer, peer);
    await cluster.until('it stopped', () => home.fatal.length > 0);
    await mkdir(cluster, client, leader.peer, '/undisturbed');
    expect({ term: leader.node.status().term, isLeader: leader.node.isLeader }).toEqual({
      term,
      isLeader: true,
    });
    expect(retired(cluster)).toEqual(['METADATA_REMOVED']);
  });

  it('is not let go without force while its vote is needed, and a dry run says why', async () => {
    cluster = await TestCluster.start(3);
    const home = cluster;
    const client = await cluster.client();
    const dead = await cluster.follower();
    await cluster.kill(dead.number);
    const leader = await cluster.leader();
    const needed = await cluster.follower();
    await expect
      .poll(() => remove(client, leader.peer, needed.number, { dryRun: true }), { timeout: 6_000 })
      .toMatchObject({ removed: false, concerns: [expect.stringContaining(`${dead.number} does not`)] });
    await expect(remove(client, leader.peer, needed.number)).rejects.toMatchObject({
      code: 'METADATA_REMOVAL_UNSAFE',
    });
    // Forced, it still votes until those who stay can do without.
    await remove(client, leader.peer, needed.number, { force: true });
    await mkdir(cluster, client, leader.peer, '/still-writable');
    expect(home.voters()).toContain(needed.number);
    await remove(client, leader.peer, dead.number, { force: true });
    await cluster.until('the leader is alone', () => home.voters().length === 1);
    await cluster.until('the other stopped', () => home.fatal.length > 0);
    expect(retired(cluster)).toEqual(['METADATA_REMOVED']);
    await mkdir(cluster, client, leader.peer, '/alone');
  });
});

describe('a voter that is dead', () => {
  it('gives its place to a waiting learner after the configured time, and gets none back by returning', async () => {
    cluster = await TestCluster.start(4, { voters: 3, voterReplacementMs: 1_500 });
    const home = cluster;
    const client = await cluster.client();
    const voters = cluster.voters();
    const { number: spare } = await cluster.until('one waits', () =>
      [...home.nodes.values()].find(({ number }) => !voters.includes(number)),
    );
    const dead = await cluster.until('a voter follows', () =>
      [...home.nodes.values()].find(({ number, node }) => !node.isLeader && number !== spare),
    );
    await cluster.kill(dead.number);
    await cluster.until('the learner votes', () => home.voters().includes(spare));
    expect(cluster.voters()).toHaveLength(3);
    expect(cluster.voters()).not.toContain(dead.number);

    await mkdir(cluster, client, (await cluster.leader()).peer, '/meanwhile');
    const back = await cluster.restart(dead.number);
    await cluster.until(
      'it has caught up',
      () => back.machine.appliedIndex >= home.node(spare).machine.appliedIndex,
    );
    expect(cluster.voters()).not.toContain(dead.number);
  });
});

describe('an administrator', () => {
  it('moves leadership to a voter of choice, or to the best one, and to nobody else', async () => {
    cluster = await TestCluster.start(4, { voters: 3 });
    const home = cluster;
    const client = await cluster.client();
    const learner = await cluster.until('one waits', () =>
      [...home.nodes.keys()].find((number) => !home.voters().includes(number)),
    );
    const leader = await cluster.leader();
    const to = cluster.voters().find((number) => number !== leader.number) ?? 0;
    const via = cluster.node(learner).peer;
    expect(await call(client, via, TRANSFER_LEADER, { to })).toEqual({ leader: to });
    await cluster.until('it leads', () => home.node(to).node.isLeader);
    await expect(call(client, via, TRANSFER_LEADER, { to: learner })).rejects.toMatchObject({
      code: 'METADATA_NOT_A_VOTER',
    });
    await cluster.until('the one that is asked knows it', () => home.node(learner).node.leader === to);
    expect((await call(client, via, TRANSFER_LEADER, { to: 0 })).leader).not.toBe(to);
  });

  it('lets more of them vote, and fewer again', async () => {
    cluster = await TestCluster.start(5, { voters: 3 });
    const home = cluster;
    const client = await cluster.client();
    const { peer } = await cluster.leader();
    const { cluster: settings } = await call(client, peer, CONFIGURE, { voters: 5, voterReplacementMs: 0 });
    expect(settings).toMatchObject({ voters: 5 });
    await cluster.until('five vote', () => home.voters().length === 5);
    await call(client, peer, CONFIGURE, { voters: 3, voterReplacementMs: 0 });
    await cluster.until('three vote', () => home.voters().length === 3);
    // Those who vote now are known before the change is over.
    await expect
      .poll(async () => (await call(client, peer, STATUS, { stale: false })).membership)
      .toMatchObject({ wantedVoters: 3, isChanging: false, silent: [], learners: { length: 2 } });
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
