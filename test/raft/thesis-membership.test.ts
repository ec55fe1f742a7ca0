/** @module Chapter 4 of the thesis: membership changes, one sentence of its rules each. */
import { describe, expect, it } from 'vitest';
import { message } from '../../raft/messages.ts';
import type { ConfChange, ConfChangeSingle } from '../../raft/types.ts';
import { ELECTION_TICKS, ManualCluster, ManualNode, bytes, entry } from '../../simulations/manual-raft.ts';

function change(...changes: ConfChangeSingle[]): ConfChange {
  return { transition: 'ConfChangeTransitionAuto', changes, context: bytes('') };
}

describe('§4 membership', () => {
  it('§4.3 grows from one to three in one joint change, leaving it by itself', () => {
    const cluster = new ManualCluster([
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

  it('§4.1 allows one change at a time: a second becomes an empty entry', () => {
    const cluster = ManualCluster.of(3);
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

  it('§4.1 allows none before the leader has committed in its term (S27)', () => {
    const cluster = ManualCluster.of(3);
    cluster.drops = (m) => m.type === 'MsgAppResp';
    const leader = cluster.elect(1);
    leader.raw.proposeConfChange(change({ type: 'ConfChangeRemoveNode', nodeId: 3 }));
    leader.flush();
    expect(leader.storage.entries(2, 3, Infinity)[0]?.type).toBe('EntryNormal');
  });

  it('§4.2.2 a removed leader steps down when configured so, and the others elect (S26, simulation seed 130)', () => {
    const cluster = ManualCluster.of(2, { stepDownOnRemoval: true });
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

  it('§4.2.1 a new member takes a snapshot from before it was added', () => {
    const node = new ManualNode({ id: 4, voters: [] });
    const confState = { ...node.raw.status().confState, voters: [1, 2, 3] };
    const snapshot = { metadata: { index: 9, term: 1, confState }, data: bytes('') };
    const [answer] = node.receive({ type: 'MsgSnap', from: 1, to: 4, term: 1, snapshot });
    expect(answer).toMatchObject({ type: 'MsgAppResp', index: 9 });
    expect(node.raw.status().confState.voters).toEqual([1, 2, 3]);
  });

  it('§4.1 a snapshot that arrives while entries are applied waits for its turn (simulation seed 132)', () => {
    const node = new ManualNode({ id: 3, voters: [1, 2, 3], log: [entry(1, 1)] });
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

  it('§4.1 servers use a configuration from when they apply it; the leader counts by it from then on', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    leader.raw.proposeConfChange(change({ type: 'ConfChangeRemoveNode', nodeId: 3 }));
    cluster.settle();
    cluster.drops = (m) => m.to === 3;
    leader.raw.propose(bytes('x'));
    cluster.settle();
    expect(leader.raw.status()).toMatchObject({ commit: 3, confState: { voters: [1, 2] } });
  });

  it('§4.1 refuses a step by more than one voter outside of a joint configuration', () => {
    const { raw } = ManualCluster.of(3).node(1);
    raw.applyConfChange(change({ type: 'ConfChangeAddNode', nodeId: 4 }));
    expect(raw.status().confState).toMatchObject({ voters: [1, 2, 3, 4], votersOutgoing: [] });
    raw.applyConfChange(
      change({ type: 'ConfChangeAddNode', nodeId: 5 }, { type: 'ConfChangeRemoveNode', nodeId: 1 }),
    );
    expect(raw.status().confState).toMatchObject({ voters: [2, 3, 4, 5], votersOutgoing: [1, 2, 3, 4] });
  });

  it('§4.2.1 a learner gets the log and counts in no quorum', () => {
    const cluster = new ManualCluster([
      { id: 1, voters: [1, 2], learners: [3] },
      { id: 2, voters: [1, 2], learners: [3] },
      { id: 3, voters: [1, 2], learners: [3] },
    ]);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.to === 2;
    leader.raw.propose(bytes('x'));
    cluster.settle();
    expect(cluster.node(3).log()).toEqual(['1/1', '1/2']);
    expect(leader.raw.status().commit).toBe(1);
  });

  it('§4.2.2 a leader that removes itself goes on until that is committed, and does not count itself', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    leader.raw.proposeConfChange(change({ type: 'ConfChangeRemoveNode', nodeId: 1 }));
    cluster.settle();
    expect(leader.raw.status()).toMatchObject({ raftState: 'StateLeader', confState: { voters: [2, 3] } });
    expect(() => leader.raw.propose(bytes('x'))).toThrow(
      expect.objectContaining({ reason: 'leader-removed' }),
    );
    for (const id of [2, 3]) expect(cluster.node(id).raw.status().confState.voters).toEqual([2, 3]);
  });

  it('§4.3 in a joint configuration an entry needs a majority of the old voters and one of the new (S30)', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    leader.raw.applyConfChange({
      ...change({ type: 'ConfChangeAddNode', nodeId: 4 }, { type: 'ConfChangeAddNode', nodeId: 5 }),
      transition: 'ConfChangeTransitionJointExplicit',
    });
    leader.raw.propose(bytes('x'));
    leader.flush();
    const acknowledge = (from: number): void => {
      leader.receive({ type: 'MsgAppResp', from, to: 1, term: 1, index: 2 });
    };
    acknowledge(4);
    acknowledge(5);
    expect(leader.raw.status().commit).toBe(1);
    acknowledge(2);
    expect(leader.raw.status().commit).toBe(2);
  });

  it('§4.3 an election in a joint configuration needs both majorities, too', () => {
    const node = ManualCluster.of(3).node(1);
    node.raw.applyConfChange({
      ...change({ type: 'ConfChangeAddNode', nodeId: 4 }, { type: 'ConfChangeAddNode', nodeId: 5 }),
      transition: 'ConfChangeTransitionJointExplicit',
    });
    const asked = node.tick(ELECTION_TICKS).map(({ to }) => to);
    expect(asked).toEqual([2, 3, 4, 5]);
    for (const from of [4, 5]) node.receive({ type: 'MsgVoteResp', from, to: 1, term: 1 });
    expect(node.raw.status().raftState).toBe('StateCandidate');
    node.receive({ type: 'MsgVoteResp', from: 3, to: 1, term: 1 });
    expect(node.raw.status().raftState).toBe('StateLeader');
  });

  it('§4.3 a new leader ends a joint phase that asked to be left by itself', () => {
    const cluster = ManualCluster.of(3);
    cluster.elect(1);
    const enter = {
      ...change({ type: 'ConfChangeRemoveNode', nodeId: 3 }),
      transition: 'ConfChangeTransitionJointImplicit',
    } as const;
    cluster.node(1).raw.proposeConfChange(enter);
    // The old leader proposes nothing while it hands over, not even the end of the joint phase.
    cluster.node(1).raw.transferLeader(2);
    cluster.drops = ({ type }) => type === 'MsgTimeoutNow';
    cluster.settle();
    expect(cluster.node(2).raw.status().confState.votersOutgoing).toEqual([1, 2, 3]);
    cluster.node(2).raw.step(message({ type: 'MsgTimeoutNow', from: 1, to: 2, term: 1 }));
    cluster.settle();
    expect(cluster.node(2).raw.status().raftState).toBe('StateLeader');
    for (const id of [1, 2]) expect(cluster.node(id).raw.status().confState.votersOutgoing).toEqual([]);
  });

  it('§4.3 a demoted voter becomes a learner when the joint phase ends, not before', () => {
    const { raw } = ManualCluster.of(3).node(1);
    raw.applyConfChange({
      ...change({ type: 'ConfChangeAddLearnerNode', nodeId: 3 }),
      transition: 'ConfChangeTransitionJointExplicit',
    });
    expect(raw.status().confState).toMatchObject({ learners: [], learnersNext: [3] });
    raw.applyConfChange(change());
    expect(raw.status().confState).toMatchObject({ voters: [1, 2], learners: [3], learnersNext: [] });
  });

  it('with disableConfChangeValidation a change that looks wrong now is appended all the same', () => {
    const leader = ManualCluster.of(3, { disableConfChangeValidation: true }).elect(1);
    leader.raw.proposeConfChange(change({ type: 'ConfChangeRemoveNode', nodeId: 3 }));
    leader.raw.proposeConfChange(change());
    leader.flush();
    expect(leader.storage.entries(2, 4, Infinity).map(({ type }) => type)).toEqual([
      'EntryConfChangeV2',
      'EntryConfChangeV2',
    ]);
  });
});
