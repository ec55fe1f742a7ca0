/** @module Rules that only the thesis states (sections are its own): transfer, reads, parallel writes. */
import { describe, expect, it } from 'vitest';
import { message } from '../../raft/messages.ts';
import type { ConfChange, ConfChangeSingle } from '../../raft/types.ts';
import { ELECTION_TICKS, ManualCluster, ManualNode, bytes, entry } from '../../simulations/manual-raft.ts';

function change(...changes: ConfChangeSingle[]): ConfChange {
  return { transition: 'ConfChangeTransitionAuto', changes, context: bytes('') };
}

describe('§3.10 leadership transfer', () => {
  it('makes a caught-up voter leader at once', () => {
    const cluster = ManualCluster.of(3, { preVote: true, checkQuorum: true });
    cluster.elect(1);
    cluster.node(1).raw.transferLeader(3);
    cluster.settle();
    expect(cluster.node(3).raw.status()).toMatchObject({ raftState: 'StateLeader', term: 2 });
  });

  it('brings the target up to date first', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.to === 3;
    leader.raw.propose(bytes('x'));
    cluster.settle();
    cluster.drops = () => false;
    cluster.node(2).raw.transferLeader(3);
    cluster.settle();
    leader.raw.tick();
    cluster.settle();
    expect(cluster.node(3).raw.status()).toMatchObject({ raftState: 'StateLeader', commit: 3 });
  });

  it('is given up after an election time-out', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.to === 3;
    leader.raw.transferLeader(3);
    cluster.settle();
    expect(leader.raw.status().leadTransferee).toBe(3);
    leader.tick(ELECTION_TICKS);
    expect(leader.raw.status().leadTransferee).toBe(0);
    leader.raw.propose(bytes('x'));
  });

  it('takes no proposals meanwhile, and all of them again when the target does not take over', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.type === 'MsgTimeoutNow';
    leader.raw.transferLeader(2);
    expect(() => leader.raw.propose(bytes('x'))).toThrow(
      expect.objectContaining({ code: 'RAFT_PROPOSAL_DROPPED' }),
    );
    cluster.settle();
    leader.tick(ELECTION_TICKS);
    cluster.settle();
    leader.raw.propose(bytes('x'));
    cluster.settle();
    expect(leader.raw.status().commit).toBe(2);
  });

  it('the target does not wait for its election time-out, asks no pre-vote and is not held up by stickiness', () => {
    const cluster = ManualCluster.of(3, { preVote: true, checkQuorum: true });
    cluster.elect(1);
    const [request] = cluster.node(3).receive({ type: 'MsgTimeoutNow', from: 1, to: 3, term: 1 });
    expect(request).toMatchObject({ type: 'MsgVote', term: 2, context: bytes('CampaignTransfer') });
  });

  it('goes to no learner, and to nobody who is no member', () => {
    const leader = new ManualCluster([{ id: 1, voters: [1], learners: [2] }]).elect(1);
    for (const target of [2, 7]) leader.raw.transferLeader(target);
    expect(leader.raw.status().leadTransferee).toBe(0);
    expect(leader.flush().filter(({ type }) => type === 'MsgTimeoutNow')).toEqual([]);
  });

  it('another target replaces the first, and the leader itself as target takes the transfer back', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = () => true;
    leader.raw.transferLeader(2);
    leader.raw.transferLeader(3);
    expect(leader.raw.status().leadTransferee).toBe(3);
    leader.raw.transferLeader(1);
    expect(leader.raw.status().leadTransferee).toBe(0);
  });

  it('is over when the target is removed from the voters', () => {
    const leader = ManualCluster.of(3).elect(1);
    leader.raw.transferLeader(3);
    leader.raw.applyConfChange(change({ type: 'ConfChangeRemoveNode', nodeId: 3 }));
    expect(leader.raw.status().leadTransferee).toBe(0);
  });
});

describe('§6.4 reads', () => {
  it('are answered on leader and follower after a quorum has confirmed the leader', () => {
    const cluster = ManualCluster.of(3);
    cluster.elect(1);
    for (const id of [1, 2]) {
      cluster.node(id).raw.readIndex(bytes(`read ${id}`));
      cluster.settle();
      expect(cluster.node(id).reads).toEqual([{ index: 1, requestCtx: bytes(`read ${id}`) }]);
    }
  });

  it('are not answered by a leader that is cut off', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = () => true;
    leader.raw.readIndex(bytes('r'));
    cluster.settle();
    expect(leader.reads).toEqual([]);
  });

  it('wait until the leader has committed in its term (S03, etcd#7331)', () => {
    const cluster = ManualCluster.of(3);
    cluster.drops = (m) => m.type === 'MsgAppResp';
    const leader = cluster.elect(1);
    leader.raw.readIndex(bytes('r'));
    cluster.settle();
    expect(leader.reads).toEqual([]);
    cluster.drops = () => false;
    leader.raw.tick();
    cluster.settle();
    expect(leader.reads).toEqual([{ index: 1, requestCtx: bytes('r') }]);
  });

  it('wait for that on a lone voter too, whose commit index may be lost in a crash', () => {
    const log = [entry(1, 1), entry(1, 2)];
    const node = new ManualNode({ id: 1, voters: [1], log, hardState: { term: 1, vote: 1, commit: 1 } });
    node.raw.campaign();
    const election = node.raw.ready();
    node.persist(election);
    node.raw.advance();
    expect(node.raw.status()).toMatchObject({ raftState: 'StateLeader', commit: 1 });
    node.raw.readIndex(bytes('r'));
    node.flush();
    expect(node.reads).toEqual([{ index: 3, requestCtx: bytes('r') }]);
  });

  it('one confirmed round answers all that asked before', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.type === 'MsgHeartbeat';
    for (let i = 0; i < 5; i++) leader.raw.readIndex(bytes(`${i}`));
    cluster.settle();
    cluster.drops = () => false;
    leader.raw.tick();
    cluster.settle();
    expect(leader.reads).toHaveLength(5);
  });

  it('a leader that demoted itself in favour of one voter does not answer alone (simulation seed 338)', () => {
    const cluster = ManualCluster.of(2);
    const leader = cluster.elect(1);
    leader.raw.proposeConfChange(change({ type: 'ConfChangeAddLearnerNode', nodeId: 1 }));
    cluster.settle();
    cluster.drops = () => true;
    leader.raw.readIndex(bytes('r'));
    cluster.settle();
    expect(leader.raw.status().confState).toMatchObject({ voters: [2], learners: [1] });
    expect(leader.reads).toEqual([]);
  });

  it('are held against the commit index at the time they came, not a later one', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.type === 'MsgHeartbeat';
    leader.raw.readIndex(bytes('r'));
    leader.raw.propose(bytes('x'));
    cluster.settle();
    cluster.drops = () => false;
    leader.raw.tick();
    cluster.settle();
    expect(leader.raw.status().commit).toBe(2);
    expect(leader.reads).toMatchObject([{ index: 1 }]);
  });

  it('need a majority of the voters, of both halves in a joint configuration', () => {
    const cluster = new ManualCluster([
      { id: 1, voters: [1] },
      { id: 2, voters: [] },
      { id: 3, voters: [] },
    ]);
    const leader = cluster.elect(1);
    leader.raw.applyConfChange({
      transition: 'ConfChangeTransitionJointExplicit',
      changes: [
        { type: 'ConfChangeAddNode', nodeId: 2 },
        { type: 'ConfChangeAddNode', nodeId: 3 },
      ],
      context: bytes(''),
    });
    leader.raw.readIndex(bytes('r'));
    leader.flush();
    expect(leader.reads).toEqual([]);
    leader.receive({ type: 'MsgHeartbeatResp', from: 3, to: 1, term: 1, context: bytes('r') });
    expect(leader.reads).toHaveLength(1);
  });

  it('§6.4.1 with a lease are answered at once; without one never by a leader alone', () => {
    const config = { checkQuorum: true, readOnlyOption: 'ReadOnlyLeaseBased' } as const;
    const leader = ManualCluster.of(3, config).elect(1);
    leader.raw.readIndex(bytes('r'));
    leader.flush();
    expect(leader.reads).toMatchObject([{ index: 1 }]);
    expect(() => ManualCluster.of(3, { ...config, checkQuorum: false })).toThrow(
      expect.objectContaining({ code: 'RAFT_INVALID_CONFIG' }),
    );
  });
});

describe('§10.2.1 writing to disk in parallel', () => {
  it('a leader sends entries before its own disk has them, and may commit them without its disk', () => {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], config: { asyncStorageWrites: true } });
    node.raw.campaign();
    node.raw.ready();
    for (const from of [2, 3]) node.raw.step(message({ type: 'MsgVoteResp', from, to: 1, term: 1 }));
    const sent = node.raw.ready().messages.filter(({ type }) => type === 'MsgApp');
    expect(sent.map(({ to }) => to)).toEqual([2, 3]);
    for (const from of [2, 3]) node.raw.step(message({ type: 'MsgAppResp', from, to: 1, term: 1, index: 1 }));
    expect(node.raw.status().commit).toBe(1);
    // Committed by the others; applied here only once it is in the own log.
    expect(node.raw.ready().committedEntries).toEqual([]);
  });
});
