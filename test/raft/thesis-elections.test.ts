/** @module The thesis on elections that do not disturb (sections are its own): stickiness, check-quorum, pre-vote. */
import { describe, expect, it } from 'vitest';
import { ELECTION_TICKS, ManualCluster, ManualNode, bytes, entry } from '../../simulations/manual-raft.ts';

describe('§4.2.3, §6.2, §9.6 elections that do not disturb', () => {
  it('§9.6 pre-vote leaves the term of a partitioned node alone, so that it does not disturb when it is back', () => {
    const cluster = ManualCluster.of(3, { preVote: true, checkQuorum: true });
    cluster.elect(1);
    cluster.node(3).tick(5 * ELECTION_TICKS);
    expect(cluster.node(3).raw.status()).toMatchObject({ term: 1, raftState: 'StatePreCandidate' });
    cluster.node(1).raw.tick();
    cluster.settle();
    expect(cluster.node(3).raw.status()).toMatchObject({ lead: 1, raftState: 'StateFollower' });
    expect(cluster.node(1).raw.status()).toMatchObject({ term: 1, raftState: 'StateLeader' });
  });

  it('§6.2 a leader that hears of no quorum for an election time-out steps down', () => {
    const cluster = ManualCluster.of(3, { checkQuorum: true });
    const leader = cluster.elect(1);
    leader.tick(2 * ELECTION_TICKS);
    expect(leader.raw.status()).toMatchObject({ raftState: 'StateFollower', lead: 0, vote: 1 });
  });

  it('§4.2.3 a server that hears of a leader takes no part in an election, unless the leader handed over (S07)', () => {
    const cluster = ManualCluster.of(3, { checkQuorum: true });
    cluster.elect(1);
    const request = { type: 'MsgVote', from: 3, to: 2, term: 5, logTerm: 1, index: 1 } as const;
    expect(cluster.node(2).receive(request)).toEqual([]);
    expect(cluster.node(2).raw.status().term).toBe(1);
    const [answer] = cluster.node(2).receive({ ...request, context: bytes('CampaignTransfer') });
    expect(answer).toMatchObject({ type: 'MsgVoteResp', term: 5 });
  });

  it('§9.6 a leader cut off with a lower term is told so, and the stuck node gets back in (S06, etcd#8501)', () => {
    const cluster = ManualCluster.of(3, { checkQuorum: true, preVote: true });
    const leader = cluster.elect(1);
    cluster.node(3).receive({ type: 'MsgApp', from: 2, to: 3, term: 9 });
    leader.raw.tick();
    cluster.settle();
    expect(leader.raw.status()).toMatchObject({ term: 9, raftState: 'StateFollower' });
  });

  it('§4.2.1 a server without a vote does not campaign, but votes for who counts it already (S36)', () => {
    const learner = new ManualNode({ id: 3, voters: [1, 2], learners: [3] });
    learner.raw.campaign();
    expect(learner.tick(3 * ELECTION_TICKS)).toEqual([]);
    const [answer] = learner.receive({ type: 'MsgVote', from: 1, to: 3, term: 1 });
    expect(answer?.reject).toBeUndefined();
  });

  it('§4.1 does not campaign over a committed membership change that is not applied (S28)', () => {
    const log = [{ ...entry(1, 1), type: 'EntryConfChangeV2' as const }];
    const node = new ManualNode({
      id: 1,
      voters: [1, 2, 3],
      log,
      hardState: { term: 1, vote: 0, commit: 1 },
    });
    node.raw.campaign();
    expect(node.raw.status().raftState).toBe('StateFollower');
  });

  it('§9.6 a pre-candidate raises no term and casts no vote, its own neither', () => {
    const node = ManualCluster.of(3, { preVote: true }).node(1);
    node.tick(ELECTION_TICKS);
    expect(node.raw.status()).toMatchObject({ raftState: 'StatePreCandidate', term: 0, vote: 0 });
  });

  it('§9.6 a granted pre-vote changes nothing in the voter, who may grant any number of them', () => {
    const node = ManualCluster.of(3, { preVote: true }).node(1);
    for (const from of [2, 3]) {
      const [answer] = node.receive({ type: 'MsgPreVote', from, to: 1, term: 1 });
      expect(answer).toMatchObject({ type: 'MsgPreVoteResp', term: 1 });
      expect(answer?.reject).toBeUndefined();
    }
    expect(node.raw.status()).toMatchObject({ term: 0, vote: 0 });
  });

  it('§9.6 a pre-vote is granted only to a log that could win, and the election begins with a majority of them', () => {
    const log = [entry(1, 1), entry(1, 2)];
    const voter = new ManualNode({ id: 1, voters: [1, 2, 3], log, config: { preVote: true } });
    const [answer] = voter.receive({ type: 'MsgPreVote', from: 2, to: 1, term: 2, logTerm: 1, index: 1 });
    expect(answer).toMatchObject({ reject: true, term: 1 });
    voter.tick(ELECTION_TICKS);
    voter.receive({ type: 'MsgPreVoteResp', from: 2, to: 1, term: 2 });
    expect(voter.raw.status()).toMatchObject({ raftState: 'StateCandidate', term: 2, vote: 1 });
  });

  it('§6.2 whoever answers counts as heard of, learners do not', () => {
    const cluster = new ManualCluster([
      { id: 1, voters: [1, 2, 3], learners: [4], config: { checkQuorum: true } },
    ]);
    const { raw } = cluster.node(1);
    raw.campaign();
    cluster.node(1).flush();
    cluster.node(1).receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 1 });
    const answer = (from: number): unknown =>
      cluster.node(1).receive({ type: 'MsgHeartbeatResp', from, to: 1, term: 1 });
    answer(2);
    cluster.node(1).tick(ELECTION_TICKS);
    expect(raw.status().raftState).toBe('StateLeader');
    answer(4);
    cluster.node(1).tick(ELECTION_TICKS);
    expect(raw.status().raftState).toBe('StateFollower');
  });

  it('a follower that forgets its leader may vote at once, in the same term (MsgForgetLeader)', () => {
    const cluster = ManualCluster.of(3, { preVote: true, checkQuorum: true });
    cluster.elect(1);
    const request = { type: 'MsgPreVote', from: 3, to: 2, term: 2, logTerm: 1, index: 1 } as const;
    expect(cluster.node(2).receive(request)).toEqual([]);
    cluster.node(2).raw.forgetLeader();
    expect(cluster.node(2).raw.status()).toMatchObject({ lead: 0, term: 1 });
    expect(cluster.node(2).receive(request)[0]).toMatchObject({ type: 'MsgPreVoteResp', term: 2 });
  });
});
