import { describe, expect, it } from 'vitest';
import type { Entry, Message } from '../../raft/types.ts';
import { ELECTION_TICKS, TestCluster, TestNode, bytes, entry } from './cluster.ts';

const VOTERS = [1, 2, 3];

function follower(term: number, log: readonly Entry[] = [], vote = 0): TestNode {
  return new TestNode({ id: 1, voters: VOTERS, log, hardState: { term, vote, commit: 0 } });
}

/** A log of entries of these terms, from index 1. */
function logOf(terms: readonly number[]): Entry[] {
  return terms.map((term, i) => entry(term, i + 1));
}

function types(messages: readonly Message[]): string[] {
  return messages.map(({ type, to }) => `${type}->${to}`);
}

describe('§5.1 terms', () => {
  it('updates its term to a larger one it sees, as follower, candidate and leader, and becomes follower', () => {
    for (const prepare of [
      () => {},
      (cluster: TestCluster) => cluster.node(1).tick(ELECTION_TICKS),
      (cluster: TestCluster) => cluster.elect(1),
    ]) {
      const cluster = TestCluster.of(3);
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
});

describe('§5.2 leader election', () => {
  it('starts as follower', () => {
    expect(follower(0).raw.status().raftState).toBe('StateFollower');
  });

  it('a leader sends heartbeats to all followers every heartbeat interval', () => {
    const leader = TestCluster.of(3).elect(1);
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
    const node = new TestNode({ id: 1, voters: VOTERS, config: { rand: (n) => (draws.shift() ?? 0) % n } });
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
      const node = TestCluster.of(size).node(1);
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

  it('keeps its vote when it steps down within a term', () => {
    const node = follower(1);
    node.tick(ELECTION_TICKS);
    node.receive({ type: 'MsgHeartbeat', from: 2, to: 1, term: 2 });
    expect(node.raw.status()).toMatchObject({ raftState: 'StateFollower', vote: 1 });
  });

  it('promises nothing before it is durable: vote and acknowledgement leave with the Ready that writes them', () => {
    const node = follower(0);
    node.raw.step({ type: 'MsgVote', from: 2, to: 1, term: 1, logTerm: 0, index: 0, commit: 0, entries: [] });
    const ready = node.raw.ready();
    expect(ready).toMatchObject({ hardState: { term: 1, vote: 2 }, mustSync: true });
    expect(types(ready.messages)).toEqual(['MsgVoteResp->2']);
  });

  it('a candidate becomes follower when a leader of its term speaks', () => {
    const node = follower(1);
    node.tick(ELECTION_TICKS);
    node.receive({ type: 'MsgApp', from: 3, to: 1, term: 2 });
    expect(node.raw.status()).toMatchObject({ raftState: 'StateFollower', lead: 3, term: 2 });
  });
});

describe('§5.3 log replication', () => {
  it('a leader appends a proposal and sends it with the index and term before it', () => {
    const leader = TestCluster.of(3).elect(1);
    leader.raw.propose(bytes('x'));
    const sent = leader.flush().filter((m) => m.to === 2);
    expect(sent).toMatchObject([{ type: 'MsgApp', index: 1, logTerm: 1, entries: [{ index: 2, term: 1 }] }]);
  });

  it('commits an entry once a majority has it, and tells followers, who apply in order', () => {
    const cluster = TestCluster.of(5);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.to > 3;
    leader.raw.propose(bytes('x'));
    leader.raw.propose(bytes('y'));
    cluster.settle();
    expect(leader.raw.status().commit).toBe(3);
    for (const id of [1, 2, 3]) expect(cluster.node(id).applied.map((e) => e.index)).toEqual([1, 2, 3]);
    expect(cluster.node(4).applied.map((e) => e.index)).toEqual([1]);
  });

  it('does not commit what only a minority has', () => {
    const cluster = TestCluster.of(5);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.to > 2;
    leader.raw.propose(bytes('x'));
    cluster.settle();
    expect(leader.raw.status().commit).toBe(1);
  });

  it('a leader counts itself only after its own disk write', () => {
    const node = new TestNode({ id: 1, voters: [1] });
    node.raw.campaign();
    node.flush();
    node.raw.propose(bytes('x'));
    node.persist(node.raw.ready());
    expect(node.raw.status().commit).toBe(1);
    node.raw.advance();
    expect(node.raw.status().commit).toBe(2);
  });

  it('a follower refuses entries whose predecessor it lacks', () => {
    const node = follower(2, [entry(1, 1), entry(2, 2)]);
    const [answer] = node.receive({
      type: 'MsgApp',
      from: 2,
      to: 1,
      term: 2,
      index: 3,
      logTerm: 2,
      entries: [entry(2, 4)],
    });
    expect(answer).toMatchObject({ type: 'MsgAppResp', reject: true, index: 3, rejectHint: 2, logTerm: 2 });
  });

  it('a follower deletes a conflicting entry and all that follow it', () => {
    const node = follower(2, [entry(1, 1), entry(1, 2), entry(1, 3)]);
    node.receive({ type: 'MsgApp', from: 2, to: 1, term: 2, index: 1, logTerm: 1, entries: [entry(2, 2)] });
    expect(node.log()).toEqual(['1/1', '2/2']);
  });

  it('a late message with a prefix of what it has deletes nothing', () => {
    const node = follower(1, [entry(1, 1), entry(1, 2), entry(1, 3)]);
    node.receive({ type: 'MsgApp', from: 2, to: 1, term: 1, entries: [entry(1, 1)] });
    expect(node.log()).toEqual(['1/1', '1/2', '1/3']);
  });

  it('a follower commits no further than the last entry it knows to match', () => {
    const node = follower(1, [entry(1, 1), entry(1, 2)]);
    node.receive({ type: 'MsgApp', from: 2, to: 1, term: 1, commit: 2, entries: [entry(1, 1)] });
    expect(node.raw.status().commit).toBe(1);
  });

  it('a heartbeat carries no commit index beyond what the follower is known to match', () => {
    const cluster = TestCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.to === 3;
    leader.raw.propose(bytes('x'));
    cluster.settle();
    const heartbeats = leader.tick(1).filter((m) => m.type === 'MsgHeartbeat');
    expect(heartbeats.map(({ to, commit }) => [to, commit])).toEqual([
      [2, 2],
      [3, 1],
    ]);
  });

  it('brings the logs of figure 7 into line with the leader', () => {
    const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    for (const terms of [
      [1, 1, 1, 4, 4, 5, 5, 6, 6],
      [1, 1, 1, 4],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
      [1, 1, 1, 4, 4, 4, 4],
      [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ]) {
      const start = (id: number, all: readonly number[], term: number) => ({
        id,
        voters: VOTERS,
        log: logOf(all),
        hardState: { term, vote: 0, commit: 0 },
      });
      const cluster = new TestCluster([start(1, leaderTerms, 7), start(2, terms, 7), start(3, [], 7)]);
      cluster.elect(1);
      expect(cluster.node(2).log()).toEqual(cluster.node(1).log());
      expect(cluster.node(1).raw.status().commit).toBe(leaderTerms.length + 1);
    }
  });

  it('finds a long divergence in few round trips, by term instead of by entry', () => {
    const common = logOf(Array.from({ length: 10 }, () => 1));
    const diverge = (term: number): Entry[] =>
      logOf([...common.map(() => 1), ...Array.from({ length: 100 }, () => term)]);
    const cluster = new TestCluster([
      { id: 1, voters: VOTERS, log: diverge(5) },
      { id: 2, voters: VOTERS, log: diverge(3) },
      { id: 3, voters: VOTERS },
    ]);
    let rejections = 0;
    cluster.drops = (m) => {
      if (m.type === 'MsgAppResp' && m.from === 2 && m.reject === true) rejections += 1;
      return false;
    };
    cluster.elect(1);
    expect(cluster.node(2).log()).toEqual(cluster.node(1).log());
    expect(rejections).toBeLessThanOrEqual(3);
  });
});

describe('§5.4 safety', () => {
  it('§5.4.1 refuses a vote to a candidate whose log is behind', () => {
    for (const [log, logTerm, index, granted] of [
      [[entry(1, 1)], 1, 1, true],
      [[entry(1, 1)], 2, 1, true],
      [[entry(1, 1), entry(1, 2)], 2, 1, true],
      [[entry(2, 1)], 1, 5, false],
      [[entry(1, 1), entry(1, 2)], 1, 1, false],
    ] as const) {
      const [answer] = follower(2, log).receive({ type: 'MsgVote', from: 2, to: 1, term: 3, logTerm, index });
      expect(answer?.reject !== true).toBe(granted);
    }
  });

  it('§5.4.2 commits no entry of an earlier term by counting (figure 8)', () => {
    const node = follower(2, [entry(1, 1), entry(2, 2)]);
    node.tick(ELECTION_TICKS);
    node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 3 });
    node.receive({ type: 'MsgAppResp', from: 2, to: 1, term: 3, index: 2 });
    expect(node.raw.status()).toMatchObject({ raftState: 'StateLeader', commit: 0 });
    node.receive({ type: 'MsgAppResp', from: 2, to: 1, term: 3, index: 3 });
    expect(node.raw.status().commit).toBe(3);
  });
});

describe('§7 log compaction', () => {
  it('sends a snapshot when the entries a follower needs are compacted away, then the rest of the log', () => {
    const cluster = TestCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.to === 3;
    for (const text of ['a', 'b', 'c']) leader.raw.propose(bytes(text));
    cluster.settle();
    leader.storage.createSnapshot(3, leader.raw.status().confState, bytes('state'));
    leader.storage.compact(3);
    cluster.drops = () => false;
    leader.raw.tick();
    cluster.settle();
    leader.raw.tick();
    cluster.settle();
    expect(cluster.node(3).storage.snapshot().metadata.index).toBe(3);
    expect(cluster.node(3).raw.status().commit).toBe(4);
    expect(leader.raw.status().progress.find(({ id }) => id === 3)?.state).toBe('StateReplicate');
  });

  it('a follower that has all the snapshot stands for keeps the log behind it', () => {
    const node = follower(1, [entry(1, 1), entry(1, 2), entry(1, 3)]);
    const metadata = { index: 2, term: 1, confState: node.raw.status().confState };
    node.receive({ type: 'MsgSnap', from: 2, to: 1, term: 1, snapshot: { metadata, data: bytes('') } });
    expect(node.log()).toEqual(['1/1', '1/2', '1/3']);
    expect(node.raw.status().commit).toBe(2);
  });
});

describe('§8 client interaction', () => {
  it('a new leader commits an empty entry of its term', () => {
    const leader = TestCluster.of(3).elect(1);
    expect(leader.applied).toMatchObject([{ term: 1, index: 1, type: 'EntryNormal' }]);
    expect(leader.applied[0]?.data).toHaveLength(0);
  });
});
