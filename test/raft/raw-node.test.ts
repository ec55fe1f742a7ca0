import { describe, expect, it } from 'vitest';
import { isRaftError } from '../../raft/errors.ts';
import { message } from '../../raft/messages.ts';
import type { ConfChange, ConfChangeSingle } from '../../raft/types.ts';
import { ELECTION_TICKS, TestCluster, TestNode, bytes, entry } from './cluster.ts';

function change(...changes: ConfChangeSingle[]): ConfChange {
  return { transition: 'ConfChangeTransitionAuto', changes, context: bytes('') };
}

function dropReason(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!isRaftError(error, 'RAFT_PROPOSAL_DROPPED')) throw error;
    return error.reason;
  }
}

describe('proposals', () => {
  it('reach the leader from any follower', () => {
    const cluster = TestCluster.of(3);
    cluster.elect(1);
    cluster.node(2).raw.propose(bytes('x'));
    cluster.settle();
    expect(cluster.node(3).applied.map((e) => new TextDecoder().decode(e.data))).toEqual(['', 'x']);
  });

  it('are refused with a reason: no leader, forwarding off, transfer under way, too much uncommitted', () => {
    const cluster = TestCluster.of(3, { disableProposalForwarding: true, maxUncommittedSizeBytes: 4 });
    expect(dropReason(() => cluster.node(1).raw.propose(bytes('x')))).toBe('no-leader');
    const leader = cluster.elect(1);
    expect(dropReason(() => cluster.node(2).raw.propose(bytes('x')))).toBe('forwarding-disabled');
    cluster.drops = () => true;
    leader.raw.propose(bytes('more than 4 bytes'));
    expect(dropReason(() => leader.raw.propose(bytes('y')))).toBe('too-much-uncommitted');
    leader.raw.transferLeader(2);
    expect(dropReason(() => leader.raw.propose(bytes('z')))).toBe('transfer-in-progress');
  });

  it('flow again once the uncommitted are applied', () => {
    const cluster = TestCluster.of(3, { maxUncommittedSizeBytes: 4 });
    const leader = cluster.elect(1);
    for (let i = 0; i < 10; i++) {
      leader.raw.propose(bytes('four'));
      cluster.settle();
    }
    expect(leader.applied).toHaveLength(11);
  });
});

describe('elections', () => {
  it('pre-vote leaves the term of a partitioned node alone, so that it does not disturb when it is back', () => {
    const cluster = TestCluster.of(3, { preVote: true, checkQuorum: true });
    cluster.elect(1);
    cluster.node(3).tick(5 * ELECTION_TICKS);
    expect(cluster.node(3).raw.status()).toMatchObject({ term: 1, raftState: 'StatePreCandidate' });
    cluster.node(1).raw.tick();
    cluster.settle();
    expect(cluster.node(3).raw.status()).toMatchObject({ lead: 1, raftState: 'StateFollower' });
    expect(cluster.node(1).raw.status()).toMatchObject({ term: 1, raftState: 'StateLeader' });
  });

  it('a leader that hears of no quorum for an election time-out steps down', () => {
    const cluster = TestCluster.of(3, { checkQuorum: true });
    const leader = cluster.elect(1);
    leader.tick(2 * ELECTION_TICKS);
    expect(leader.raw.status()).toMatchObject({ raftState: 'StateFollower', lead: 0, vote: 1 });
  });

  it('with check-quorum a vote is refused while a leader is heard of, unless it handed over', () => {
    const cluster = TestCluster.of(3, { checkQuorum: true });
    cluster.elect(1);
    const request = { type: 'MsgVote', from: 3, to: 2, term: 5, logTerm: 1, index: 1 } as const;
    expect(cluster.node(2).receive(request)).toEqual([]);
    expect(cluster.node(2).raw.status().term).toBe(1);
    const [answer] = cluster.node(2).receive({ ...request, context: bytes('CampaignTransfer') });
    expect(answer).toMatchObject({ type: 'MsgVoteResp', term: 5 });
  });

  it('a leader cut off with a lower term is told so, and the stuck node gets back in (etcd#8501)', () => {
    const cluster = TestCluster.of(3, { checkQuorum: true, preVote: true });
    const leader = cluster.elect(1);
    cluster.node(3).receive({ type: 'MsgApp', from: 2, to: 3, term: 9 });
    leader.raw.tick();
    cluster.settle();
    expect(leader.raw.status()).toMatchObject({ term: 9, raftState: 'StateFollower' });
  });

  it('a learner votes, but does not campaign', () => {
    const learner = new TestNode({ id: 3, voters: [1, 2], learners: [3] });
    learner.raw.campaign();
    expect(learner.tick(3 * ELECTION_TICKS)).toEqual([]);
    const [answer] = learner.receive({ type: 'MsgVote', from: 1, to: 3, term: 1 });
    expect(answer?.reject).toBeUndefined();
  });

  it('does not campaign over a committed membership change that is not applied', () => {
    const log = [{ ...entry(1, 1), type: 'EntryConfChangeV2' as const }];
    const node = new TestNode({ id: 1, voters: [1, 2, 3], log, hardState: { term: 1, vote: 0, commit: 1 } });
    node.raw.campaign();
    expect(node.raw.status().raftState).toBe('StateFollower');
  });
});

describe('leadership transfer', () => {
  it('makes a caught-up voter leader at once', () => {
    const cluster = TestCluster.of(3, { preVote: true, checkQuorum: true });
    cluster.elect(1);
    cluster.node(1).raw.transferLeader(3);
    cluster.settle();
    expect(cluster.node(3).raw.status()).toMatchObject({ raftState: 'StateLeader', term: 2 });
  });

  it('brings the target up to date first', () => {
    const cluster = TestCluster.of(3);
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
    const cluster = TestCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.to === 3;
    leader.raw.transferLeader(3);
    cluster.settle();
    expect(leader.raw.status().leadTransferee).toBe(3);
    leader.tick(ELECTION_TICKS);
    expect(leader.raw.status().leadTransferee).toBe(0);
    leader.raw.propose(bytes('x'));
  });
});

describe('reads', () => {
  it('are answered on leader and follower after a quorum has confirmed the leader', () => {
    const cluster = TestCluster.of(3);
    cluster.elect(1);
    for (const id of [1, 2]) {
      cluster.node(id).raw.readIndex(bytes(`read ${id}`));
      cluster.settle();
      expect(cluster.node(id).reads).toEqual([{ index: 1, requestCtx: bytes(`read ${id}`) }]);
    }
  });

  it('are not answered by a leader that is cut off', () => {
    const cluster = TestCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = () => true;
    leader.raw.readIndex(bytes('r'));
    cluster.settle();
    expect(leader.reads).toEqual([]);
  });

  it('wait until the leader has committed in its term (etcd#7331)', () => {
    const cluster = TestCluster.of(3);
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
    const node = new TestNode({ id: 1, voters: [1], log, hardState: { term: 1, vote: 1, commit: 1 } });
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
    const cluster = TestCluster.of(3);
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
    const cluster = TestCluster.of(2);
    const leader = cluster.elect(1);
    leader.raw.proposeConfChange(change({ type: 'ConfChangeAddLearnerNode', nodeId: 1 }));
    cluster.settle();
    cluster.drops = () => true;
    leader.raw.readIndex(bytes('r'));
    cluster.settle();
    expect(leader.raw.status().confState).toMatchObject({ voters: [2], learners: [1] });
    expect(leader.reads).toEqual([]);
  });
});

describe('membership', () => {
  it('grows from one to three in one joint change, leaving it by itself', () => {
    const cluster = new TestCluster([
      { id: 1, voters: [1] },
      { id: 2, voters: [] },
      { id: 3, voters: [] },
    ]);
    const leader = cluster.elect(1);
    // A snapshot names the first configuration to those who join.
    leader.storage.createSnapshot(1, leader.raw.status().confState, bytes(''));
    leader.storage.compact(1);
    leader.raw.proposeConfChange(
      change({ type: 'ConfChangeAddNode', nodeId: 2 }, { type: 'ConfChangeAddNode', nodeId: 3 }),
    );
    for (let i = 0; i < 5; i++) {
      leader.raw.tick();
      cluster.settle();
      for (const id of [2, 3]) leader.raw.reportSnapshot(id, true);
    }
    for (const node of cluster.nodes.values())
      expect(node.raw.status().confState).toMatchObject({ voters: [1, 2, 3], votersOutgoing: [] });
  });

  it('allows one change at a time: a second becomes an empty entry', () => {
    const cluster = TestCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = () => true;
    leader.raw.proposeConfChange(change({ type: 'ConfChangeRemoveNode', nodeId: 3 }));
    leader.raw.proposeConfChange(change({ type: 'ConfChangeRemoveNode', nodeId: 2 }));
    leader.flush();
    expect(leader.storage.entries(2, 4, Infinity).map((e) => e.type)).toEqual([
      'EntryConfChangeV2',
      'EntryNormal',
    ]);
  });

  it('allows none before the leader has committed in its term', () => {
    const cluster = TestCluster.of(3);
    cluster.drops = (m) => m.type === 'MsgAppResp';
    const leader = cluster.elect(1);
    leader.raw.proposeConfChange(change({ type: 'ConfChangeRemoveNode', nodeId: 3 }));
    leader.flush();
    expect(leader.storage.entries(2, 3, Infinity)[0]?.type).toBe('EntryNormal');
  });

  it('a removed leader steps down when configured so, and the others elect (etcd#12359, simulation seed 130)', () => {
    const cluster = TestCluster.of(2, { stepDownOnRemoval: true });
    const leader = cluster.elect(1);
    leader.raw.proposeConfChange(change({ type: 'ConfChangeRemoveNode', nodeId: 1 }));
    leader.raw.propose(bytes('makes its log longer than any other'));
    cluster.drops = (m) => m.commit > 1 || m.index > 1;
    cluster.settle();
    expect(cluster.node(2).raw.status().commit).toBe(1);
    leader.receive({ type: 'MsgAppResp', from: 2, to: 1, term: 1, index: 2 });
    expect(leader.raw.status().raftState).toBe('StateFollower');
    cluster.drops = () => false;
    for (let i = 0; i < 3 * ELECTION_TICKS; i++) {
      cluster.node(2).raw.tick();
      cluster.settle();
    }
    expect(cluster.node(2).raw.status()).toMatchObject({
      raftState: 'StateLeader',
      confState: { voters: [2] },
    });
  });

  it('a new member takes a snapshot from before it was added', () => {
    const node = new TestNode({ id: 4, voters: [] });
    const confState = { ...node.raw.status().confState, voters: [1, 2, 3] };
    const snapshot = { metadata: { index: 9, term: 1, confState }, data: bytes('') };
    const [answer] = node.receive({ type: 'MsgSnap', from: 1, to: 4, term: 1, snapshot });
    expect(answer).toMatchObject({ type: 'MsgAppResp', index: 9 });
    expect(node.raw.status().confState.voters).toEqual([1, 2, 3]);
  });

  it('a snapshot that arrives while entries are applied waits for its turn (simulation seed 132)', () => {
    const node = new TestNode({ id: 3, voters: [1, 2, 3], log: [entry(1, 1)] });
    node.raw.step(message({ type: 'MsgApp', from: 1, to: 3, term: 1, index: 1, logTerm: 1, commit: 1 }));
    const ready = node.raw.ready();
    expect(ready.committedEntries).toHaveLength(1);
    const confState = { ...node.raw.status().confState, voters: [1, 3] };
    const snapshot = { metadata: { index: 9, term: 1, confState }, data: bytes('') };
    node.raw.step(message({ type: 'MsgSnap', from: 1, to: 3, term: 1, snapshot }));
    expect(node.raw.status().confState.voters).toEqual([1, 2, 3]);
    node.persist(ready);
    node.raw.advance();
    expect(node.raw.status().confState.voters).toEqual([1, 3]);
    node.flush();
    expect(node.storage.snapshot().metadata.index).toBe(9);
  });
});

describe('a node that lost acknowledged entries', () => {
  it('does not crash on a commit beyond its log, does not vote, and is brought back', () => {
    const cluster = TestCluster.of(3);
    const leader = cluster.elect(1);
    leader.raw.propose(bytes('x'));
    cluster.settle();
    const wiped = new TestNode({ id: 3, voters: [1, 2, 3], hardState: { term: 1, vote: 1, commit: 0 } });
    cluster.nodes.set(3, wiped);
    const [answer] = wiped.receive({ type: 'MsgHeartbeat', from: 1, to: 3, term: 1, commit: 2 });
    expect(answer).toMatchObject({ type: 'MsgHeartbeatResp', reject: true, rejectHint: 0 });
    const preVote = { type: 'MsgPreVote', from: 2, to: 3, term: 2, logTerm: 1, index: 2 } as const;
    expect(wiped.receive(preVote)[0]?.reject).toBe(true);
    expect(wiped.tick(3 * ELECTION_TICKS)).toEqual([]);
    if (answer !== undefined) leader.raw.step(answer);
    cluster.settle();
    expect(wiped.log()).toEqual(leader.log());
    expect(wiped.receive(preVote)[0]?.reject).toBeUndefined();
  });
});

describe('the door', () => {
  it('refuses local messages and answers of strangers off the network', () => {
    const node = TestCluster.of(3).node(1);
    expect(() => node.receive({ type: 'MsgHup', from: 2, to: 1 })).toThrow(
      expect.objectContaining({ code: 'RAFT_STEP_LOCAL_MESSAGE' }),
    );
    expect(() => node.receive({ type: 'MsgAppResp', from: 9, to: 1, term: 5 })).toThrow(
      expect.objectContaining({ code: 'RAFT_STEP_PEER_NOT_FOUND' }),
    );
  });

  it('refuses a second ready() before advance(), and a log that lost what was applied', () => {
    const node = TestCluster.of(3).node(1);
    node.raw.campaign();
    node.raw.ready();
    expect(() => node.raw.ready()).toThrow(expect.objectContaining({ code: 'RAFT_INVARIANT' }));
    expect(() => new TestNode({ id: 1, voters: [1], config: { applied: 7 } })).toThrow(
      expect.objectContaining({ code: 'RAFT_INVALID_CONFIG' }),
    );
  });

  it('hands out committed entries in pages of the configured size', () => {
    const log = Array.from({ length: 50 }, (_, i) => entry(1, i + 1, 'x'.repeat(100)));
    const node = new TestNode({
      id: 1,
      voters: [1],
      log,
      hardState: { term: 1, vote: 0, commit: 50 },
      config: { maxCommittedSizePerReadyBytes: 1000 },
    });
    const first = node.raw.ready();
    expect(first.committedEntries.length).toBeLessThan(11);
    node.raw.advance();
    node.flush();
    expect(node.raw.status().applied).toBe(50);
  });
});
