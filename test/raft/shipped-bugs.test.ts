/** @module Bugs that other Rafts shipped, by the numbers of the list in raft/README.md: each test fails where the bug is. */
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../raft/memory-storage.ts';
import { message } from '../../raft/messages.ts';
import type { Entry, Message, Ready, Snapshot, Term } from '../../raft/types.ts';
import { ELECTION_TICKS, TestCluster, TestNode, bytes, entry } from './cluster.ts';

const VOTERS = [1, 2, 3];

function logOf(...terms: readonly number[]): Entry[] {
  return terms.map((term, i) => entry(term, i + 1));
}

function snapshotAt(node: TestNode, index: number, term: Term): Snapshot {
  return { metadata: { index, term, confState: node.raw.status().confState }, data: bytes('') };
}

describe('votes and elections', () => {
  it('S06: a node with a higher term and a shorter log does not leave the cluster without leader', () => {
    const config = { checkQuorum: true, preVote: true };
    const cluster = new TestCluster([
      { id: 1, voters: VOTERS, log: logOf(1, 1, 1), config },
      { id: 2, voters: VOTERS, log: logOf(1, 1, 1), config },
      { id: 3, voters: VOTERS, log: logOf(1), hardState: { term: 8, vote: 0, commit: 0 }, config },
    ]);
    for (let i = 0; i < 6 * ELECTION_TICKS; i++) {
      for (const [id, node] of cluster.nodes) if (i % id === 0) node.raw.tick();
      cluster.settle();
    }
    const leaders = [...cluster.nodes.values()].filter(({ raw }) => raw.status().raftState === 'StateLeader');
    expect(leaders).toHaveLength(1);
    expect(cluster.node(3).log()).toEqual(leaders[0]?.log());
  });

  it('S08: with one link of three cut, the leader stays, its term too, and writes go on', () => {
    const cluster = TestCluster.of(3, { checkQuorum: true, preVote: true });
    const leader = cluster.elect(1);
    cluster.drops = ({ from, to }) => from + to === 4 && from !== to;
    for (let i = 0; i < 10 * ELECTION_TICKS; i++) {
      for (const node of cluster.nodes.values()) node.raw.tick();
      cluster.settle();
    }
    leader.raw.propose(bytes('x'));
    cluster.settle();
    expect(leader.raw.status()).toMatchObject({ raftState: 'StateLeader', term: 1, commit: 2 });
  });

  it('S28: MsgTimeoutNow starts no election over a committed membership change that is not applied', () => {
    const log = [{ ...entry(1, 1), type: 'EntryConfChangeV2' as const }];
    const node = new TestNode({ id: 1, voters: VOTERS, log, hardState: { term: 1, vote: 0, commit: 1 } });
    node.raw.step(message({ type: 'MsgTimeoutNow', from: 2, to: 1, term: 1 }));
    expect(node.raw.status()).toMatchObject({ raftState: 'StateFollower', term: 1 });
  });

  it('S29: a voter on its way to learner counts its own vote in the half that it is still in', () => {
    const node = new TestNode({ id: 1, voters: [] });
    node.storage.setConfState({
      voters: [2],
      votersOutgoing: [1, 2, 3],
      learners: [],
      learnersNext: [1],
      autoLeave: false,
    });
    const restarted = new TestNode({ id: 1, voters: [], storage: node.storage });
    restarted.raw.campaign();
    restarted.flush();
    restarted.receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 1 });
    expect(restarted.raw.status().raftState).toBe('StateLeader');
  });
});

describe('reads', () => {
  it('S04: the answers to a read of an earlier leadership prove nothing for a later one', () => {
    const node = new TestNode({ id: 1, voters: VOTERS });
    const lead = (term: Term): void => {
      node.raw.campaign();
      node.flush();
      node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term });
      node.receive({ type: 'MsgAppResp', from: 2, to: 1, term, index: node.storage.lastIndex() });
    };
    lead(1);
    const context = bytes('the same name');
    node.raw.readIndex(context);
    node.flush();
    node.receive({ type: 'MsgHeartbeat', from: 3, to: 1, term: 2 });
    lead(3);
    node.raw.readIndex(context);
    node.flush();
    node.receive({ type: 'MsgHeartbeatResp', from: 2, to: 1, term: 1, context });
    expect(node.reads).toEqual([]);
    node.receive({ type: 'MsgHeartbeatResp', from: 2, to: 1, term: 3, context });
    expect(node.reads).toEqual([{ index: node.raw.status().commit, requestCtx: context }]);
  });

  it('S05: a lease is void once a transfer was tried, since a late MsgTimeoutNow may elect another leader', () => {
    const cluster = TestCluster.of(3, { checkQuorum: true, readOnlyOption: 'ReadOnlyLeaseBased' });
    const leader = cluster.elect(1);
    cluster.drops = () => true;
    leader.raw.readIndex(bytes('in the lease'));
    cluster.settle();
    expect(leader.reads).toHaveLength(1);
    leader.raw.transferLeader(2);
    cluster.settle();
    leader.raw.transferLeader(1);
    leader.raw.readIndex(bytes('after it'));
    cluster.settle();
    expect(leader.reads).toHaveLength(1);
  });
});

describe('replication', () => {
  it('S17: a MsgApp from before the compacted part deletes nothing, and is answered with the commit index', () => {
    const node = new TestNode({
      id: 1,
      voters: VOTERS,
      log: logOf(1, 1, 1, 1),
      hardState: { term: 1, vote: 0, commit: 3 },
    });
    node.flush();
    node.storage.createSnapshot(3, node.raw.status().confState, bytes(''));
    node.storage.compact(3);
    const late = { type: 'MsgApp', from: 2, to: 1, term: 1, index: 1, logTerm: 1 } as const;
    const [answer] = node.receive({ ...late, entries: [entry(1, 2), entry(1, 3)] });
    expect(answer).toMatchObject({ type: 'MsgAppResp', index: 3 });
    expect(answer?.reject).toBeUndefined();
    expect(node.log()).toEqual(['1/4']);
  });

  it('S18: entries that are there already are not written again', () => {
    const node = new TestNode({ id: 1, voters: VOTERS, log: logOf(1, 1, 1) });
    node.raw.step(
      message({ type: 'MsgApp', from: 2, to: 1, term: 1, entries: [entry(1, 1), entry(1, 2)], commit: 2 }),
    );
    expect(node.raw.ready().entries).toEqual([]);
  });

  it('S20: a rejection of an earlier term, or below what is matched, sends no leader back', () => {
    const cluster = TestCluster.of(3);
    cluster.node(1).receive({ type: 'MsgApp', from: 2, to: 1, term: 1 });
    const leader = cluster.elect(1);
    leader.raw.propose(bytes('x'));
    cluster.settle();
    const before = leader.raw.status().progress;
    const late = { type: 'MsgAppResp', from: 2, to: 1, reject: true, rejectHint: 0 } as const;
    leader.receive({ ...late, term: 1, index: 2 });
    leader.receive({ ...late, term: 2, index: 1 });
    expect(leader.raw.status().progress).toEqual(before);
    expect(leader.raw.status().commit).toBe(2);
  });

  it('S32: a leader whose storage fails sends nothing made up: the failure goes to the shell', () => {
    class FailingStorage extends MemoryStorage {
      isBroken = false;
      override entries(lo: number, hi: number, maxSizeBytes: number): Entry[] {
        if (this.isBroken) throw new Error('EIO');
        return super.entries(lo, hi, maxSizeBytes);
      }
    }
    const storage = new FailingStorage();
    const node = new TestNode({ id: 1, voters: VOTERS, log: logOf(1, 1, 1), storage });
    node.raw.campaign();
    node.flush();
    node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 2 });
    storage.isBroken = true;
    const rejection = message({ type: 'MsgAppResp', from: 2, to: 1, term: 2, index: 3, reject: true });
    expect(() => node.raw.step(rejection)).toThrow('EIO');
    expect(node.raw.hasReady()).toBe(false);
  });

  it('S38: a deep queue is sent without waiting for answers, one message under way for each', () => {
    const cluster = TestCluster.of(3);
    const leader = cluster.elect(1);
    for (let i = 0; i < 50; i++) leader.raw.propose(bytes(`${i}`));
    const sent = leader.flush().filter(({ to }) => to === 2);
    expect(sent.map(({ index }) => index)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });
});

describe('snapshots', () => {
  it('S21: a conflicting entry at the index of the snapshot goes, with all that follow it', () => {
    const node = new TestNode({ id: 1, voters: VOTERS, log: logOf(1, 1, 1, 1) });
    node.receive({ type: 'MsgSnap', from: 2, to: 1, term: 3, snapshot: snapshotAt(node, 2, 3) });
    expect(node.log()).toEqual([]);
    expect(node.raw.status()).toMatchObject({ lastIndex: 2, commit: 2, applied: 2 });
    const next = message({ type: 'MsgApp', from: 2, to: 1, term: 3, index: 2, logTerm: 3 });
    const [answer] = node.receive({ ...next, entries: [entry(3, 3)] });
    expect(answer).toMatchObject({ type: 'MsgAppResp', index: 3 });
  });

  it('S22: when the receiver of a snapshot dies, the leader probes again and sends another', () => {
    const cluster = TestCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = ({ to }) => to === 3;
    for (const text of ['a', 'b']) leader.raw.propose(bytes(text));
    cluster.settle();
    leader.storage.createSnapshot(3, leader.raw.status().confState, bytes(''));
    leader.storage.compact(3);
    const lost: Message[] = [];
    cluster.drops = (m) => {
      if (m.type === 'MsgSnap') lost.push(m);
      return m.type === 'MsgSnap';
    };
    for (let round = 1; round <= 3; round++) {
      leader.raw.tick();
      cluster.settle();
      leader.raw.tick();
      cluster.settle();
      expect(lost).toHaveLength(round);
      leader.raw.reportSnapshot(3, false);
    }
  });

  it('no snapshot is sent to a follower that nothing was heard of lately: it may be dead', () => {
    const cluster = TestCluster.of(3, { checkQuorum: true });
    const leader = cluster.elect(1);
    const sent: Message[] = [];
    cluster.drops = (m) => sent.push(m) > 0 && (m.from === 3 || m.to === 3);
    const write = (): void => {
      leader.raw.propose(bytes('x'));
      cluster.settle();
    };
    write();
    for (let i = 0; i < 2 * ELECTION_TICKS; i++) {
      leader.raw.tick();
      cluster.settle();
    }
    leader.storage.createSnapshot(2, leader.raw.status().confState, bytes(''));
    leader.storage.compact(2);
    leader.raw.reportUnreachable(3);
    write();
    expect(sent.filter(({ type }) => type === 'MsgSnap')).toEqual([]);
    cluster.drops = (m) => sent.push(m) === 0;
    leader.raw.tick();
    cluster.settle();
    expect(sent.filter(({ type }) => type === 'MsgSnap').map(({ to }) => to)).toEqual([3]);
  });

  it('S23: an older snapshot after a newer one takes nothing back', () => {
    const node = new TestNode({ id: 1, voters: VOTERS });
    const older = snapshotAt(node, 5, 1);
    const newer = snapshotAt(node, 9, 1);
    for (const snapshot of [newer, older])
      node.raw.step(message({ type: 'MsgSnap', from: 2, to: 1, term: 1, snapshot }));
    const answers = node.flush();
    expect(answers.map(({ index }) => index)).toEqual([9, 9]);
    expect(node.raw.status()).toMatchObject({ applied: 9, lastIndex: 9 });
  });

  it('S23: two snapshots in a row, the second before the first is written, end at the second', () => {
    const node = new TestNode({ id: 1, voters: VOTERS });
    node.raw.step(message({ type: 'MsgSnap', from: 2, to: 1, term: 1, snapshot: snapshotAt(node, 5, 1) }));
    const first = node.raw.ready();
    node.raw.step(message({ type: 'MsgSnap', from: 2, to: 1, term: 1, snapshot: snapshotAt(node, 9, 1) }));
    node.persist(first);
    node.raw.advance();
    node.flush();
    expect(node.raw.status()).toMatchObject({ applied: 9, commit: 9, lastIndex: 9 });
  });

  it('S24: the configuration in a snapshot replaces the one in force, whatever that was', () => {
    const node = new TestNode({ id: 1, voters: VOTERS });
    node.raw.applyConfChange({
      transition: 'ConfChangeTransitionJointExplicit',
      changes: [{ type: 'ConfChangeAddNode', nodeId: 4 }],
      context: bytes(''),
    });
    const { metadata, data } = snapshotAt(node, 9, 1);
    const confState = { ...metadata.confState, voters: [1, 5], votersOutgoing: [], learners: [6] };
    const snapshot = { metadata: { ...metadata, confState }, data };
    node.receive({ type: 'MsgSnap', from: 5, to: 1, term: 1, snapshot });
    expect(node.raw.status().confState).toEqual(confState);
    expect(node.tick(ELECTION_TICKS).map(({ to }) => to)).toEqual([5]);
  });

  it('S25: a log that begins behind what is applied is refused at start, not filled with a gap', () => {
    const storage = new MemoryStorage();
    storage.append(logOf(1, 1, 1, 1));
    storage.setHardState({ term: 1, vote: 0, commit: 4 });
    storage.createSnapshot(3, new TestNode({ id: 1, voters: VOTERS }).raw.status().confState, bytes(''));
    storage.compact(3);
    const start = { id: 1, voters: VOTERS, storage } as const;
    expect(() => new TestNode({ ...start, config: { applied: 1 } })).toThrow(
      expect.objectContaining({ code: 'RAFT_INVALID_CONFIG' }),
    );
    expect(new TestNode({ ...start, config: { applied: 3 } }).raw.status().applied).toBe(3);
  });
});

describe('membership', () => {
  it('S40: a node that is restarted in the midst of its removal applies that, and stays out of elections', () => {
    const node = new TestNode({ id: 1, voters: VOTERS });
    const { raw } = node;
    raw.applyConfChange({
      transition: 'ConfChangeTransitionAuto',
      changes: [{ type: 'ConfChangeRemoveNode', nodeId: 1 }],
      context: bytes(''),
    });
    expect(raw.status().confState.voters).toEqual([2, 3]);
    expect(node.tick(3 * ELECTION_TICKS)).toEqual([]);
  });

  it('S40: a change that would remove the last voter is refused, and the configuration stays', () => {
    const { raw } = new TestNode({ id: 1, voters: [1] });
    const change = {
      transition: 'ConfChangeTransitionAuto',
      changes: [{ type: 'ConfChangeRemoveNode', nodeId: 1 }],
      context: bytes(''),
    } as const;
    expect(() => raw.applyConfChange(change)).toThrow(
      expect.objectContaining({ code: 'RAFT_CONF_CHANGE_INVALID' }),
    );
    expect(raw.status().confState.voters).toEqual([1]);
  });
});

describe('asynchronous writes', () => {
  /** The writes of a node, in order, each to be done when the test says so. */
  class AppendThread {
    readonly #node: TestNode;
    readonly #queue: Message[] = [];

    constructor(node: TestNode) {
      this.#node = node;
    }

    /** Hears of a leader's entries, and hands the write to the thread. */
    receive(term: Term, ...entries: readonly Entry[]): void {
      this.#node.raw.step(message({ type: 'MsgApp', from: 2, to: 1, term, entries }));
      const ready: Ready = this.#node.raw.ready();
      this.#queue.push(...ready.messages.filter(({ type }) => type === 'MsgStorageAppend'));
    }

    writeNext(): void {
      const write = this.#queue.shift();
      this.#node.storage.append(write?.entries ?? []);
      for (const response of write?.responses ?? []) if (response.to === 1) this.#node.raw.step(response);
    }
  }

  it('S37: a write of entries that were replaced and came back does not pass for the later write of them', () => {
    const node = new TestNode({ id: 1, voters: VOTERS, config: { asyncStorageWrites: true } });
    const thread = new AppendThread(node);
    thread.receive(1, entry(1, 1));
    thread.receive(2, entry(2, 1));
    thread.receive(3, entry(1, 1));
    thread.writeNext();
    thread.writeNext();
    // On disk now: the entry of term 2. In the log: that of term 1, whose second write is still to come.
    expect(node.log()).toEqual(['2/1']);
    node.raw.step(message({ type: 'MsgVote', from: 3, to: 1, term: 4, logTerm: 1, index: 1 }));
    const vote = node.raw
      .ready()
      .messages.flatMap(({ responses = [] }) => responses)
      .find(({ type }) => type === 'MsgVoteResp');
    expect(vote?.reject).toBeUndefined();
    thread.writeNext();
    expect(node.log()).toEqual(['1/1']);
  });

  it('S09: an acknowledgement is attached to the write, and is nowhere else', () => {
    const node = new TestNode({ id: 1, voters: VOTERS, config: { asyncStorageWrites: true } });
    node.raw.step(message({ type: 'MsgApp', from: 2, to: 1, term: 1, entries: [entry(1, 1)] }));
    const { messages } = node.raw.ready();
    expect(messages.map(({ type }) => type)).toEqual(['MsgStorageAppend']);
    expect(messages[0]?.responses?.map(({ type, to }) => `${type}->${to}`)).toEqual([
      'MsgAppResp->2',
      'MsgStorageAppendResp->1',
    ]);
  });

  it('S10: a lone voter commits only when its write is reported done, and applies only what it has written', () => {
    const node = new TestNode({ id: 1, voters: [1], config: { asyncStorageWrites: true } });
    const writes: Message[] = [];
    const next = (): Ready => {
      const ready = node.raw.ready();
      writes.push(...ready.messages.filter(({ type }) => type === 'MsgStorageAppend'));
      return ready;
    };
    const write = (): void => {
      const done = writes.shift();
      node.storage.append(done?.entries ?? []);
      for (const response of done?.responses ?? []) node.raw.step(response);
    };
    node.raw.campaign();
    next();
    expect(node.raw.status().raftState).toBe('StateCandidate');
    write();
    expect(node.raw.status().raftState).toBe('StateLeader');
    expect(next().committedEntries).toEqual([]);
    expect(node.raw.status().commit).toBe(0);
    write();
    expect(next().committedEntries.map(({ index }) => index)).toEqual([1]);
  });
});
