import { describe, expect, it } from 'vitest';
import { isRaftError } from '../../raft/errors.ts';
import { ELECTION_TICKS, ManualCluster, ManualNode, bytes, entry } from '../../simulations/manual-raft.ts';

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
    const cluster = ManualCluster.of(3);
    cluster.elect(1);
    cluster.node(2).raw.propose(bytes('x'));
    cluster.settle();
    expect(cluster.node(3).applied.map((e) => new TextDecoder().decode(e.data))).toEqual(['', 'x']);
  });

  it('are refused with a reason: no leader, forwarding off, transfer under way, too much uncommitted', () => {
    const cluster = ManualCluster.of(3, { disableProposalForwarding: true, maxUncommittedSizeBytes: 4 });
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
    const cluster = ManualCluster.of(3, { maxUncommittedSizeBytes: 4 });
    const leader = cluster.elect(1);
    for (let i = 0; i < 10; i++) {
      leader.raw.propose(bytes('four'));
      cluster.settle();
    }
    expect(leader.applied).toHaveLength(11);
  });
});

describe('a node that lost acknowledged entries', () => {
  it('does not crash on a commit beyond its log (S15), does not vote (S16), and is brought back', () => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    leader.raw.propose(bytes('x'));
    cluster.settle();
    const wiped = new ManualNode({ id: 3, voters: [1, 2, 3], hardState: { term: 1, vote: 1, commit: 0 } });
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
    const node = ManualCluster.of(3).node(1);
    expect(() => node.receive({ type: 'MsgHup', from: 2, to: 1 })).toThrow(
      expect.objectContaining({ code: 'RAFT_STEP_LOCAL_MESSAGE' }),
    );
    expect(() => node.receive({ type: 'MsgAppResp', from: 9, to: 1, term: 5 })).toThrow(
      expect.objectContaining({ code: 'RAFT_STEP_PEER_NOT_FOUND' }),
    );
  });

  it('refuses a second ready() before advance(), and a log that lost what was applied', () => {
    const node = ManualCluster.of(3).node(1);
    node.raw.campaign();
    node.raw.ready();
    expect(() => node.raw.ready()).toThrow(expect.objectContaining({ code: 'RAFT_INVARIANT' }));
    expect(() => new ManualNode({ id: 1, voters: [1], config: { applied: 7 } })).toThrow(
      expect.objectContaining({ code: 'RAFT_INVALID_CONFIG' }),
    );
  });

  it('hands out committed entries in pages of the configured size', () => {
    const log = Array.from({ length: 50 }, (_, i) => entry(1, i + 1, 'x'.repeat(100)));
    const node = new ManualNode({
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
