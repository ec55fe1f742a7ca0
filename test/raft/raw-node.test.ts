import { describe, expect, it } from 'vitest';
import { isRaftError } from '../../raft/errors.ts';
import { message } from '../../raft/messages.ts';
import { MAX_PENDING_READS } from '../../raft/read-only.ts';
import type { Message } from '../../raft/types.ts';
import {
  ELECTION_TICKS,
  ManualCluster,
  ManualNode,
  bytes,
  entry,
  logOf,
  snapshotAt,
} from '../../simulations/manual-raft.ts';

function dropReason(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!isRaftError(error, 'RAFT_PROPOSAL_DROPPED')) throw error;
    return error.reason;
  }
}

function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

describe('proposals', () => {
  it('reach the leader from any follower', () => {
    const cluster = ManualCluster.of(3);
    cluster.elect(1);
    cluster.node(2).raw.propose(bytes('x'));
    cluster.settle();
    expect(cluster.node(3).applied.map(({ data }) => text(data))).toEqual(['', 'x']);
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

describe('a membership change', () => {
  it('that was refused for want of room does not stand in the way of the next one', () => {
    const cluster = ManualCluster.of(3, { maxUncommittedSizeBytes: 4 });
    const leader = cluster.elect(1);
    cluster.drops = () => true;
    leader.raw.propose(bytes('more than 4 bytes'));
    const addLearner = (nodeId: number) =>
      leader.raw.proposeConfChange({
        transition: 'ConfChangeTransitionAuto',
        changes: [{ type: 'ConfChangeAddLearnerNode', nodeId }],
        context: bytes(''),
      });
    expect(dropReason(() => addLearner(4))).toBe('too-much-uncommitted');
    cluster.drops = () => false;
    leader.raw.tick();
    cluster.settle();
    addLearner(5);
    cluster.settle();
    expect(leader.raw.status().confState.learners).toEqual([5]);
  });

  it('that is joint is left by one entry, however much is applied before that is committed', () => {
    // One entry is applied at a time.
    const cluster = ManualCluster.of(3, { maxCommittedSizePerReadyBytes: 1 });
    const leader = cluster.elect(1);
    leader.raw.proposeConfChange({
      transition: 'ConfChangeTransitionJointImplicit',
      changes: [{ type: 'ConfChangeAddLearnerNode', nodeId: 4 }],
      context: bytes(''),
    });
    for (const data of ['x', 'y', 'z'].map(bytes)) leader.raw.propose(data);
    cluster.settle();
    expect(leader.raw.status().confState).toMatchObject({ learners: [4], votersOutgoing: [] });
    expect(leader.applied.map(({ type, data }) => (type === 'EntryNormal' ? text(data) : type))).toEqual([
      '',
      'EntryConfChangeV2',
      'x',
      'y',
      'z',
      'EntryConfChangeV2',
    ]);
  });
});

describe('a node that lost acknowledged entries', () => {
  it('is not counted for them any more', () => {
    const cluster = ManualCluster.of(5);
    const leader = cluster.elect(1);
    const committed = leader.raw.status().commit;
    const isBetween =
      (...nodes: number[]) =>
      (m: Message): boolean =>
        nodes.includes(m.from) && nodes.includes(m.to);
    cluster.drops = (m) => !isBetween(1, 3)(m);
    leader.raw.propose(bytes('x'));
    cluster.settle();
    const matchOfThird = (): number | undefined =>
      leader.raw.status().progress.find(({ id }) => id === 3)?.match;
    expect(matchOfThird()).toBe(committed + 1);
    const hardState = { term: 1, vote: 1, commit: 0 };
    cluster.nodes.set(3, new ManualNode({ id: 3, voters: [1, 2, 3, 4, 5], hardState }));
    // It says so, and gets nothing back yet.
    cluster.drops = (m) => !(isBetween(1, 3)(m) && m.type.startsWith('MsgHeartbeat'));
    leader.raw.tick();
    cluster.settle();
    expect(matchOfThird()).toBe(0);
    cluster.drops = (m) => !isBetween(1, 2)(m);
    leader.raw.tick();
    cluster.settle();
    expect(leader.raw.status().commit).toBe(committed);
    cluster.drops = (m) => !isBetween(1, 2, 4)(m);
    leader.raw.tick();
    cluster.settle();
    expect(leader.raw.status().commit).toBe(committed + 1);
  });

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

describe('reads that a leader cannot answer yet', () => {
  const isAppend = ({ type }: Message): boolean => type.startsWith('MsgApp');
  const names = ({ reads }: ManualNode): string[] => reads.map(({ requestCtx }) => text(requestCtx));

  it.each([
    ['no majority has confirmed that it leads', () => true, () => false],
    ['it has not committed in its term', isAppend, isAppend],
  ])('are not answered by a later leadership: %s', (_why, dropsLater, dropsAtElection) => {
    const cluster = ManualCluster.of(3);
    cluster.drops = dropsAtElection;
    const leader = cluster.elect(1);
    cluster.drops = dropsLater;
    leader.raw.readIndex(bytes('early'));
    cluster.settle();
    leader.receive({ type: 'MsgHeartbeat', from: 2, to: 1, term: 2 });
    cluster.drops = () => false;
    cluster.elect(1);
    expect(leader.raw.status()).toMatchObject({ raftState: 'StateLeader', committedInTerm: true });
    leader.raw.readIndex(bytes('late'));
    cluster.settle();
    expect(names(leader)).toEqual(['late']);
  });

  it.each([
    ['no majority has confirmed that it leads', () => false],
    ['it has not committed in its term', isAppend],
  ])('are bounded, and dropped beyond that: %s', (_why, drops) => {
    const warnings: string[] = [];
    const nothing = (): void => {};
    const logger = {
      debug: nothing,
      info: nothing,
      error: nothing,
      warn: (warning: string) => warnings.push(warning),
    };
    const cluster = ManualCluster.of(3, { logger });
    cluster.drops = drops;
    const { raw } = cluster.elect(1);
    for (let count = 0; count < MAX_PENDING_READS; count += 1) raw.readIndex(bytes(`${count}`));
    expect(warnings).toEqual([]);
    raw.readIndex(bytes('one too many'));
    expect(warnings).toEqual([expect.stringContaining('dropped a read')]);
  });
});

describe('a node that installs a snapshot', () => {
  const SNAPSHOT_INDEX = 5;
  const offered = (node: ManualNode): Message =>
    message({ type: 'MsgSnap', from: 1, to: 2, term: 1, snapshot: snapshotAt(node, SNAPSHOT_INDEX, 1) });

  it('does not campaign before it is installed', () => {
    const node = ManualCluster.of(3).node(2);
    node.raw.step(offered(node));
    for (let i = 0; i < 3 * ELECTION_TICKS; i++) node.raw.tick();
    expect(node.raw.status()).toMatchObject({ raftState: 'StateFollower', term: 1 });
    node.flush();
    expect(node.tick(3 * ELECTION_TICKS).map(({ type }) => type)).toContain('MsgVote');
  });

  it('has it, though the term is another one by the time that it is written', () => {
    const node = new ManualNode({ id: 2, voters: [1, 2, 3], config: { asyncStorageWrites: true } });
    node.raw.step(offered(node));
    const { messages } = node.raw.ready();
    const write = messages.find(({ type }) => type === 'MsgStorageAppend');
    if (write?.snapshot === undefined) throw new Error('the snapshot is to be written');
    node.storage.applySnapshot(write.snapshot);
    node.raw.step(message({ type: 'MsgHeartbeat', from: 3, to: 2, term: 2, commit: 0 }));
    for (const response of write.responses ?? []) if (response.to === 2) node.raw.step(response);
    expect(node.raw.status()).toMatchObject({
      term: 2,
      applied: SNAPSHOT_INDEX,
      firstIndex: SNAPSHOT_INDEX + 1,
    });
    node.raw.campaign();
    expect(node.raw.status().raftState).toBe('StateCandidate');
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

  it('refuses a log that begins behind what is applied (S25)', () => {
    const { storage } = new ManualNode({ id: 1, voters: [1], log: logOf(1, 1, 1, 1) });
    storage.compact(3);
    const start = (applied: number) => new ManualNode({ id: 1, voters: [1], storage, config: { applied } });
    expect(() => start(2)).toThrow(expect.objectContaining({ code: 'RAFT_INVALID_CONFIG' }));
    expect(start(3).raw.status()).toMatchObject({ applied: 3, firstIndex: 4 });
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
