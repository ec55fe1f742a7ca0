import { beforeEach, describe, expect, it } from 'vitest';
import { FoundedMachine, grantOf, member, memberOf, outcome } from './founded-machine.ts';

let tree: FoundedMachine;
beforeEach(async () => {
  tree = await FoundedMachine.create();
});
const admit = async (peer: string, ...roles: string[]) =>
  memberOf(await tree.do('addMember', { member: member(peer, ...roles) }));

describe('the settings of a cluster', () => {
  it('change one at a time, and what is not named stays', async () => {
    await tree.do('configureCluster', { voters: 5 });
    await tree.do('configureCluster', { voterReplacementMs: 60_000 });
    expect(tree.machine.cluster()).toMatchObject({ id: 'c1', voters: 5, voterReplacementMs: 60_000 });
  });

  it('refuse numbers of voters that bear no more losses than a smaller one, and times nobody can mean', async () => {
    for (const voters of [1, 2, 4, 7])
      expect(outcome(await tree.do('configureCluster', { voters }))).toBe('NAMESPACE_INVALID_ARGUMENT');
    for (const voterReplacementMs of [10, 1e12])
      expect(outcome(await tree.do('configureCluster', { voterReplacementMs }))).toBe(
        'NAMESPACE_INVALID_ARGUMENT',
      );
    expect(tree.machine.cluster()).toMatchObject({ voters: 0, voterReplacementMs: 0 });
  });
});

describe('the recovery of a cluster', () => {
  it('leaves the survivor as the only metadata node, and every datanode and client as it was', async () => {
    const both = await admit('both', 'meta', 'data');
    const meta = await admit('meta', 'meta');
    const data = await admit('data', 'data');
    const client = await admit('client', 'client');
    const { membersVersion } = tree.machine.counters();
    expect(outcome(await tree.do('recoverCluster', { epoch: 2, survivor: meta.number }))).toBe('done');

    expect(tree.machine.cluster()).toMatchObject({ id: 'c1', epoch: 2 });
    expect(tree.machine.memberByNumber(meta.number)).toEqual(meta);
    expect(tree.machine.memberByNumber(both.number)).toEqual({ ...both, roles: ['data'] });
    expect(tree.machine.memberByNumber(1)).toMatchObject({ state: 'active', roles: ['data'] });
    expect(tree.machine.memberByNumber(data.number)).toEqual(data);
    expect(tree.machine.memberByNumber(client.number)).toEqual(client);
    expect(tree.machine.counters().membersVersion).toBeGreaterThan(membersVersion);
    const { number } = await admit('late', 'meta');
    await tree.do('recoverCluster', { epoch: 3, survivor: number });
    expect(tree.machine.memberByNumber(meta.number)).toEqual({ ...meta, state: 'left' });
  });

  it('takes the survivor back that was told to leave', async () => {
    const { number } = await admit('meta', 'meta');
    await tree.do('removeMember', { number });
    await tree.do('recoverCluster', { epoch: 2, survivor: number });
    expect(tree.machine.memberByNumber(number)).toMatchObject({ state: 'active', roles: ['meta'] });
  });

  it('gives no number out that entries which were lost may have given out', async () => {
    const before = await admit('before', 'data');
    const old = grantOf(await tree.do('createFile', { path: '/old', leaseMs: 60_000 }));
    await tree.do('recoverCluster', { epoch: 2, survivor: 1 });
    const next = grantOf(await tree.do('createFile', { path: '/new', leaseMs: 60_000 }));
    expect(next.inode - old.inode).toBeGreaterThan(2 ** 20);
    expect((await admit('after', 'data')).number - before.number).toBeGreaterThan(50);
  });

  it('happens once for each epoch, and needs a survivor that is a member', async () => {
    await admit('two', 'meta');
    await tree.do('recoverCluster', { epoch: 2, survivor: 1 });
    const members = tree.machine.members();
    await tree.do('recoverCluster', { epoch: 2, survivor: 2 });
    await tree.do('recoverCluster', { epoch: 1, survivor: 2 });
    expect(tree.machine.members()).toEqual(members);
    expect(outcome(await tree.do('recoverCluster', { epoch: 3, survivor: 99 }))).toBe(
      'NAMESPACE_NO_SUCH_MEMBER',
    );
  });
});
