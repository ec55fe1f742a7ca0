/** @module What datanodes and clients are told of the members: what changed, or everything. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_HISTORY, MemberChanges } from '../../src/metadata/member-changes.ts';
import { FoundedMachine, member } from '../namespace/founded-machine.ts';

describe('the members told to somebody who knows a version', () => {
  let tree: FoundedMachine;
  let changes: MemberChanges;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
    for (const peer of ['a', 'b', 'c']) await tree.do('addMember', { member: member(peer, 'data') });
    changes = new MemberChanges({ machine: tree.machine });
  });
  const version = (): number => tree.machine.counters().membersVersion;
  const kill = (number: number) => tree.do('setLiveness', { changes: [{ number, liveness: 'dead' }] });

  it('are those that changed since, whatever happened in between', async () => {
    const before = changes.all().version;
    expect(changes.since(before)).toMatchObject({ members: [], isChange: true });
    await kill(2);
    changes.since(before);
    const between = version();
    await kill(4);
    expect(changes.since(before).members.map(({ number }) => number)).toEqual([2, 4]);
    expect(changes.since(between)).toMatchObject({ isChange: true, version: version() });
    expect(changes.since(between).members.map(({ number }) => number)).toEqual([4]);
  });

  it('are all of them for a version that is unknown, of the future or forgotten', async () => {
    const first = changes.all().version;
    for (const known of [0, first - 1, first + 100]) expect(changes.since(known).isChange).toBe(false);
    for (let count = 0; count <= MAX_HISTORY; count += 1) {
      await tree.do('setLiveness', {
        changes: [{ number: 2, liveness: count % 2 === 0 ? 'dead' : 'alive' }],
      });
      changes.all();
    }
    expect(changes.since(first)).toMatchObject({ isChange: false });
    expect(changes.since(first).members).toHaveLength(4);
  });

  it('do not change when nothing does: a liveness that is known, of one who left, or the same drain', async () => {
    await kill(2);
    await tree.do('removeMember', { number: 3 });
    const before = version();
    await kill(2);
    await kill(3);
    await tree.do('setDrain', { number: 4, drain: '' });
    await tree.do('setDrain', { number: 4, drain: 'drained', from: 'draining' });
    expect(version()).toBe(before);
    await tree.do('setDrain', { number: 4, drain: 'draining' });
    expect(tree.machine.memberByNumber(4)).toMatchObject({ drain: 'draining' });
    await tree.do('replaceMember', { number: 2 });
    expect(tree.machine.memberByNumber(5)?.peer).toBe('a');
    expect(tree.machine.memberByNumber(5)?.liveness).toBeUndefined();
  });
});
