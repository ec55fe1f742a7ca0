/** @module The Raft paper, one test per sentence of its rules: terms, elections, membership, clients. */
import { describe, expect, it } from 'vitest';
import { message } from '../../raft/messages.ts';
import type { Entry, Message } from '../../raft/types.ts';
import { ELECTION_TICKS, ManualCluster, ManualNode, bytes, entry } from '../../simulations/manual-raft.ts';

const VOTERS = [1, 2, 3];

function follower(term: number, log: readonly Entry[] = [], vote = 0): ManualNode {
  return new ManualNode({ id: 1, voters: VOTERS, log, hardState: { term, vote, commit: 0 } });
}

function types(messages: readonly Message[]): string[] {
  return messages.map(({ type, to }) => `${type}->${to}`);
}

describe('§5.1 terms', () => {
  it('updates its term to a larger one it sees, as follower, candidate and leader, and becomes follower', () => {
    for (const prepare of [
      () => {},
      (cluster: ManualCluster) => cluster.node(1).tick(ELECTION_TICKS),
      (cluster: ManualCluster) => cluster.elect(1),
    ]) {
      const cluster = ManualCluster.of(3);
      prepare(cluster);
      cluster.node(1).receive({ type: 'MsgApp', from: 2, to: 1, term: 9 });
      expect(cluster.node(1).raw.status()).toMatchObject({ term: 9, raftState: 'StateFollower', lead: 2 });
    }
  });

  it('rejects a request with a stale term', () => {
    const node = follower(5);
    node.receive({ type: 'MsgApp', from: 2, to: 1, term: 4, entries: [entry(4, 1)] });
    expect(node.log()).toEqual([]);
    expect(node.raw.status().lead).toBe(0);
  });

  it('terms grow only, by one with each election', () => {
    const node = follower(7);
    node.tick(ELECTION_TICKS);
    expect(node.raw.status().term).toBe(8);
    node.receive({ type: 'MsgApp', from: 2, to: 1, term: 3 });
    expect(node.raw.status().term).toBe(8);
  });

  it('servers put their term into what they send', () => {
    const cluster = ManualCluster.of(3);
    const sent = cluster.elect(1).tick(1);
    expect(sent.map(({ term }) => term)).toEqual([1, 1]);
  });

  it('a follower issues no requests of its own, and answers those of leaders and candidates', () => {
    const node = follower(1);
    expect(node.tick(ELECTION_TICKS - 1)).toEqual([]);
    expect(types(node.receive({ type: 'MsgHeartbeat', from: 2, to: 1, term: 1 }))).toEqual([
      'MsgHeartbeatResp->2',
    ]);
  });

  it('a client that asks a follower is sent on to the leader', () => {
    const node = follower(1);
    node.receive({ type: 'MsgHeartbeat', from: 3, to: 1, term: 1 });
    node.raw.propose(bytes('x'));
    expect(types(node.flush())).toEqual(['MsgProp->3']);
  });
});

describe('§5.2 leader election', () => {
  it('starts as follower', () => {
    expect(follower(0).raw.status().raftState).toBe('StateFollower');
  });

  it('a leader sends heartbeats to all followers every heartbeat interval', () => {
    const leader = ManualCluster.of(3).elect(1);
    expect(types(leader.tick(1))).toEqual(['MsgHeartbeat->2', 'MsgHeartbeat->3']);
  });

  it('a follower that hears of no leader for an election time-out votes for itself and asks the others', () => {
    const node = follower(1);
    expect(types(node.tick(ELECTION_TICKS))).toEqual(['MsgVote->2', 'MsgVote->3']);
    expect(node.raw.status()).toMatchObject({ raftState: 'StateCandidate', term: 2, vote: 1 });
  });

  it('a candidate whose election comes to nothing begins another', () => {
    const node = follower(1);
    node.tick(ELECTION_TICKS);
    expect(types(node.tick(ELECTION_TICKS))).toEqual(['MsgVote->2', 'MsgVote->3']);
    expect(node.raw.status().term).toBe(3);
  });

  it('draws its time-out from [T, 2T) anew for every election', () => {
    const draws = [3, 7, 0];
    const node = new ManualNode({ id: 1, voters: VOTERS, config: { rand: (n) => (draws.shift() ?? 0) % n } });
    expect(node.tick(ELECTION_TICKS + 2)).toEqual([]);
    expect(node.tick(1)).toHaveLength(2);
    expect(node.tick(ELECTION_TICKS + 6)).toEqual([]);
    expect(node.tick(1)).toHaveLength(2);
  });

  it('a candidate with the votes of a majority becomes leader', () => {
    for (const [size, granted, expected] of [
      [1, 0, 'StateLeader'],
      [3, 1, 'StateLeader'],
      [5, 1, 'StateCandidate'],
      [5, 2, 'StateLeader'],
      [4, 1, 'StateCandidate'],
    ] as const) {
      const node = ManualCluster.of(size).node(1);
      node.tick(ELECTION_TICKS);
      for (let from = 2; from < 2 + granted; from++)
        node.receive({ type: 'MsgVoteResp', from, to: 1, term: 1 });
      expect(node.raw.status().raftState).toBe(expected);
    }
  });

  it('votes for at most one candidate per term, first come first served', () => {
    const node = follower(0);
    const ask = (from: number): boolean | undefined =>
      node.receive({ type: 'MsgVote', from, to: 1, term: 1 })[0]?.reject === true;
    expect([ask(2), ask(2), ask(3)]).toEqual([false, false, true]);
  });

  it('remembers its vote over a restart', () => {
    expect(follower(1, [], 2).receive({ type: 'MsgVote', from: 3, to: 1, term: 1 })[0]?.reject).toBe(true);
  });

  it('keeps its vote when it steps down within a term (S02)', () => {
    const node = follower(1);
    node.tick(ELECTION_TICKS);
    node.receive({ type: 'MsgHeartbeat', from: 2, to: 1, term: 2 });
    expect(node.raw.status()).toMatchObject({ raftState: 'StateFollower', vote: 1 });
  });

  it('promises nothing before it is durable (S09): vote and acknowledgement leave with the Ready that writes them', () => {
    const node = follower(0);
    node.raw.step({ type: 'MsgVote', from: 2, to: 1, term: 1, logTerm: 0, index: 0, commit: 0, entries: [] });
    const ready = node.raw.ready();
    expect(ready).toMatchObject({ hardState: { term: 1, vote: 2 }, mustSync: true });
    expect(types(ready.messages)).toEqual(['MsgVoteResp->2']);
  });

  it('a vote in the current term must reach the disk like one in a new term; a commit index alone need not', () => {
    const node = follower(1, [entry(1, 1)]);
    node.raw.step(message({ type: 'MsgVote', from: 2, to: 1, term: 1, logTerm: 1, index: 1 }));
    expect(node.raw.ready()).toMatchObject({ hardState: { term: 1, vote: 2 }, mustSync: true });
    node.raw.advance();
    node.raw.step(message({ type: 'MsgApp', from: 2, to: 1, term: 1, logTerm: 1, index: 1, commit: 1 }));
    expect(node.raw.ready()).toMatchObject({ hardState: { commit: 1 }, mustSync: false });
  });

  it('a candidate becomes follower when a leader of its term speaks', () => {
    const node = follower(1);
    node.tick(ELECTION_TICKS);
    node.receive({ type: 'MsgApp', from: 3, to: 1, term: 2 });
    expect(node.raw.status()).toMatchObject({ raftState: 'StateFollower', lead: 3, term: 2 });
  });

  it('a follower stays follower as long as it hears of a leader or grants votes', () => {
    const node = follower(1);
    for (let i = 0; i < 5; i++) {
      expect(node.tick(ELECTION_TICKS - 1)).toEqual([]);
      node.receive({ type: 'MsgHeartbeat', from: 2, to: 1, term: 1 });
    }
    node.tick(ELECTION_TICKS - 1);
    node.receive({ type: 'MsgVote', from: 3, to: 1, term: 2 });
    expect(node.tick(ELECTION_TICKS - 1)).toEqual([]);
  });

  it('a candidate goes on as candidate when the leader it hears of has a smaller term', () => {
    const node = follower(1);
    node.tick(ELECTION_TICKS);
    node.receive({ type: 'MsgApp', from: 3, to: 1, term: 1 });
    expect(node.raw.status()).toMatchObject({ raftState: 'StateCandidate', term: 2 });
  });

  it('a vote counts once, however often it arrives', () => {
    const node = ManualCluster.of(5).node(1);
    node.tick(ELECTION_TICKS);
    for (let i = 0; i < 3; i++) node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 1 });
    expect(node.raw.status().raftState).toBe('StateCandidate');
  });

  it('a candidate that a majority refuses is follower again', () => {
    const node = follower(1);
    node.tick(ELECTION_TICKS);
    for (const from of [2, 3]) node.receive({ type: 'MsgVoteResp', from, to: 1, term: 2, reject: true });
    expect(node.raw.status()).toMatchObject({ raftState: 'StateFollower', term: 2 });
  });
});

describe('§5.5 follower and candidate crashes', () => {
  it('requests are idempotent: one that is repeated changes nothing and gets the same answer', () => {
    const node = follower(1);
    const request = { type: 'MsgApp', from: 2, to: 1, term: 1, entries: [entry(1, 1)], commit: 1 } as const;
    const first = node.receive(request);
    expect(node.receive(request)).toEqual(first);
    expect(node.log()).toEqual(['1/1']);
    const vote = { type: 'MsgVote', from: 3, to: 1, term: 2, logTerm: 1, index: 1 } as const;
    expect(node.receive(vote)).toEqual(node.receive(vote));
  });
});

describe('§6 cluster membership changes', () => {
  it('a server that is not in the latest configuration does not disturb those that hear of a leader (S07)', () => {
    const cluster = ManualCluster.of(3, { checkQuorum: true });
    cluster.elect(1);
    const request = { type: 'MsgVote', from: 9, to: 2, term: 40, logTerm: 9, index: 99 } as const;
    expect(cluster.node(2).receive(request)).toEqual([]);
    expect(cluster.node(2).raw.status()).toMatchObject({ term: 1, lead: 1 });
  });

  it('a removed server gets no vote counted and starts no election of its own', () => {
    const node = new ManualNode({ id: 9, voters: VOTERS });
    expect(node.tick(3 * ELECTION_TICKS)).toEqual([]);
    node.raw.campaign();
    expect(node.raw.status().raftState).toBe('StateFollower');
  });

  it('a new server starts without a log and is brought up to date before it counts (as learner)', () => {
    const cluster = new ManualCluster([
      { id: 1, voters: [1], learners: [2] },
      { id: 2, voters: [1], learners: [2] },
    ]);
    const leader = cluster.elect(1);
    leader.raw.propose(bytes('x'));
    cluster.settle();
    expect(leader.raw.status().progress.find(({ id }) => id === 2)).toMatchObject({
      match: 2,
      isLearner: true,
    });
  });
});

describe('§8 client interaction', () => {
  it('a new leader commits an empty entry of its term', () => {
    const leader = ManualCluster.of(3).elect(1);
    expect(leader.applied).toMatchObject([{ term: 1, index: 1, type: 'EntryNormal' }]);
    expect(leader.applied[0]?.data).toHaveLength(0);
  });
});
