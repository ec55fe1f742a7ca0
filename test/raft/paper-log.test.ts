/** @module The Raft paper, one test per sentence of its rules: the log, its safety, its compaction. */
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../raft/types.ts';
import { ELECTION_TICKS, ManualCluster, ManualNode, bytes, entry } from '../../simulations/manual-raft.ts';

const VOTERS = [1, 2, 3];

function follower(term: number, log: readonly Entry[] = [], vote = 0): ManualNode {
  return new ManualNode({ id: 1, voters: VOTERS, log, hardState: { term, vote, commit: 0 } });
}

/** A log of entries of these terms, from index 1. */
function logOf(terms: readonly number[]): Entry[] {
  return terms.map((term, i) => entry(term, i + 1));
}

describe('§5.3 log replication', () => {
  it('a leader never overwrites or deletes entries of its own log', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    leader.raw.propose(bytes('x'));
    leader.flush();
    const before = leader.log();
    leader.receive({ type: 'MsgAppResp', from: 2, to: 1, term: 1, index: 1, reject: true, rejectHint: 0 });
    expect(leader.log()).toEqual(before);
  });

  it('a leader sends again and again until all followers have stored all entries', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.to === 3;
    leader.raw.propose(bytes('x'));
    cluster.settle();
    for (let i = 0; i < 4; i++) {
      leader.raw.tick();
      cluster.settle();
    }
    cluster.drops = () => false;
    leader.raw.tick();
    cluster.settle();
    expect(cluster.node(3).log()).toEqual(leader.log());
  });

  it('committing an entry commits all before it, those of earlier leaders too', () => {
    const cluster = new ManualCluster([
      { id: 1, voters: VOTERS, log: logOf([1, 1, 2]) },
      { id: 2, voters: VOTERS },
      { id: 3, voters: VOTERS },
    ]);
    cluster.elect(1);
    expect(cluster.node(2).applied.map(({ term }) => term)).toEqual([1, 1, 2, 3]);
  });

  it('a leader appends a proposal and sends it with the index and term before it', () => {
    const leader = ManualCluster.of(3).elect(1);
    leader.raw.propose(bytes('x'));
    const sent = leader.flush().filter((m) => m.to === 2);
    expect(sent).toMatchObject([{ type: 'MsgApp', index: 1, logTerm: 1, entries: [{ index: 2, term: 1 }] }]);
  });

  it('commits an entry once a majority has it, and tells followers, who apply in order', () => {
    const cluster = ManualCluster.of(5);
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
    const cluster = ManualCluster.of(5);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.to > 2;
    leader.raw.propose(bytes('x'));
    cluster.settle();
    expect(leader.raw.status().commit).toBe(1);
  });

  it('a leader counts itself only after its own disk write (S10)', () => {
    const node = new ManualNode({ id: 1, voters: [1] });
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

  it('a late message with a prefix of what it has deletes nothing (S18)', () => {
    const node = follower(1, [entry(1, 1), entry(1, 2), entry(1, 3)]);
    node.receive({ type: 'MsgApp', from: 2, to: 1, term: 1, entries: [entry(1, 1)] });
    expect(node.log()).toEqual(['1/1', '1/2', '1/3']);
  });

  it('a follower commits no further than the last entry it knows to match (S19)', () => {
    const node = follower(1, [entry(1, 1), entry(1, 2)]);
    node.receive({ type: 'MsgApp', from: 2, to: 1, term: 1, commit: 2, entries: [entry(1, 1)] });
    expect(node.raw.status().commit).toBe(1);
  });

  it('a heartbeat carries no commit index beyond what the follower is known to match (S19)', () => {
    const cluster = ManualCluster.of(3);
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
      const cluster = new ManualCluster([start(1, leaderTerms, 7), start(2, terms, 7), start(3, [], 7)]);
      cluster.elect(1);
      expect(cluster.node(2).log()).toEqual(cluster.node(1).log());
      expect(cluster.node(1).raw.status().commit).toBe(leaderTerms.length + 1);
    }
  });

  it('finds a long divergence in few round trips, by term instead of by entry', () => {
    const common = logOf(Array.from({ length: 10 }, () => 1));
    const diverge = (term: number): Entry[] =>
      logOf([...common.map(() => 1), ...Array.from({ length: 100 }, () => term)]);
    const cluster = new ManualCluster([
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

  it('§5.4.2 commits no entry of an earlier term by counting (figure 8, S01)', () => {
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
    const cluster = ManualCluster.of(3);
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

  it('a follower that has all the snapshot stands for keeps the log behind it (S21)', () => {
    const node = follower(1, [entry(1, 1), entry(1, 2), entry(1, 3)]);
    const metadata = { index: 2, term: 1, confState: node.raw.status().confState };
    node.receive({ type: 'MsgSnap', from: 2, to: 1, term: 1, snapshot: { metadata, data: bytes('') } });
    expect(node.log()).toEqual(['1/1', '1/2', '1/3']);
    expect(node.raw.status().commit).toBe(2);
  });
});
