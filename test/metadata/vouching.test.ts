/** @module A metadata node whose data directory was put back to an earlier time does not vote. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RawNode } from '../../raft/raw-node.ts';
import { fits, type Incarnation, type Seen, Witness } from '../../src/metadata/witness.ts';
import { sleep, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { HoldfastError } from '../../src/common/errors.ts';
import type { MemberDirectory } from '../../src/metadata/member-directory.ts';
import { Vouching } from '../../src/metadata/vouching.ts';
import { Member } from '../../src/namespace/schema.ts';
import { call } from '../../src/network/method.ts';
import type { Network } from '../../src/network/network.ts';
import { STAT } from '../../src/protocol/methods.ts';
import { type VoterSet, VouchResponse } from '../../src/protocol/messages.ts';
import { TestCluster } from './cluster.ts';
import { ManualClock } from '../manual-clock.ts';

const SEEN: Seen = { number: 2, boot: 5, id: 77, sequence: 100 };
const RUN: Incarnation = { number: 2, boot: 6, id: 1, openedAt: 100 };
/** Well below the second that a peer which hangs would cost. */
const PROMPT_MS = 800;
const LONGER_THAN_AN_ELECTION_MS = 2_500;
/** The pause before it, and some. */
const SECOND_ROUND_MS = 600;
const PATIENCE_OF_A_START_MS = 10_400;

describe('what is remembered of a metadata node', () => {
  it.each([
    ['a later boot that has everything', RUN, true],
    ['the same run', { ...RUN, boot: 5, id: 77, openedAt: 60 }, true],
    ['a later boot that has forgotten a write', { ...RUN, openedAt: 99 }, false],
    ['the same boot, run a second time from an older copy', { ...RUN, boot: 5 }, false],
    ['an earlier boot', { ...RUN, boot: 4 }, false],
  ])('%s: may take part is %3$s', (_, run, mayTakePart) => {
    expect(fits(run, SEEN)).toBe(mayTakePart);
  });

  it('grows with every claim, and is not changed by one that is refused', () => {
    const witness = new Witness([SEEN]);
    expect(witness.observe({ ...RUN, openedAt: 20 }, 200)).toBe(false);
    expect(witness.of(2)).toEqual(SEEN);
    expect(witness.observe(RUN, 130)).toBe(true);
    expect(witness.of(2)).toEqual({ number: 2, boot: 6, id: 1, sequence: 130 });
    expect(witness.observe({ ...RUN, boot: 7, id: 2, openedAt: 129 }, 140)).toBe(false);
  });

  it('lets go of numbers that are gone', () => {
    const witness = new Witness([SEEN, { ...SEEN, number: 3 }]);
    expect(witness.remembered((number) => number === 2)).toEqual([{ ...SEEN, number: 3 }]);
  });
});

describe('a metadata node whose disk was put back', () => {
  let cluster: TestCluster;

  afterEach(async () => {
    vi.restoreAllMocks();
    await cluster.stop();
  });

  /** Lets time go by until `work` is done. */
  const passing = async (clock: ManualClock, work: Promise<unknown>): Promise<void> => {
    const over = new AbortController();
    const end = (): void => over.abort();
    work.then(end, end);
    while (!over.signal.aborted) await clock.advance(SECOND_ROUND_MS);
    await work;
  };

  const change = async (path: string): Promise<void> => {
    const client = await cluster.client();
    const leader = await cluster.leader();
    const value = { path, parents: false };
    await cluster.mutate(client, leader.peer, { $case: 'makeDirectory', value });
  };
  /** A follower, stopped. */
  const stopped = async (): Promise<number> => {
    const { number } = await cluster.follower();
    await cluster.kill(number);
    return number;
  };

  it.each([
    ['as an image of its volume', false],
    ['as a copy of its files', true],
  ])('%s is told so by those who saw more, before it votes', async (_, isCopy) => {
    cluster = await TestCluster.start(3);
    const number = await stopped();
    const old = await cluster.backUp(number, { isCopy });
    await cluster.restart(number);
    await change('/acknowledged');
    await cluster.until('it has the change', () => cluster.node(number).log.sequence > old.log.sequence);
    await cluster.kill(number);
    cluster.putBack(number, old);
    await expect(cluster.restart(number)).rejects.toMatchObject({
      code: 'METADATA_ROLLED_BACK',
      facts: { number },
    });
  });

  it('takes part as a copy that has everything, and counts as its own from then on', async () => {
    cluster = await TestCluster.start(3);
    const number = await stopped();
    cluster.putBack(number, await cluster.backUp(number, { isCopy: true }));
    const { node, log } = await cluster.restart(number);
    await cluster.until('it follows', () => node.leader !== 0);
    await cluster.until('it is no copy any more', () => !log.isCopy);
    await change('/after');
  });

  it('waits as a copy, without a vote, until all who could know better have answered', async () => {
    cluster = await TestCluster.start(3);
    const number = await stopped();
    cluster.putBack(number, await cluster.backUp(number, { isCopy: true }));
    const other = (await cluster.leader()).number;
    await cluster.kill(other);
    const copy = await cluster.restart(number);
    const [third] = [1, 2, 3].filter((one) => one !== number && one !== other) as [number];
    // Its vote would have made a leader by then.
    await sleep(systemClock, LONGER_THAN_AN_ELECTION_MS);
    expect([...cluster.nodes.values()].some(({ node }) => node.isLeader)).toBe(false);
    expect(copy.log.isCopy).toBe(true);
    expect(cluster.node(third).node.leader).toBe(0);
    await cluster.restart(other);
    await cluster.leader();
    await cluster.until('the copy has been vouched for', () => !copy.log.isCopy);
  });

  it('ends as a copy that cannot begin once it is vouched for, and is not there without a part in anything', async () => {
    cluster = await TestCluster.start(3);
    const number = await stopped();
    cluster.putBack(number, await cluster.backUp(number, { isCopy: true }));
    const other = (await cluster.leader()).number;
    await cluster.kill(other);
    const clock = new ManualClock();
    const starting = cluster.restart(number, { clock });
    await cluster.until('it waits', () => clock.pendingTimers > 0);
    await passing(clock, starting);
    const { node } = await starting;
    vi.spyOn(RawNode.prototype, 'restrain').mockImplementation(() => {
      throw new Error('broken core');
    });
    await cluster.restart(other);
    await passing(
      clock,
      cluster.until('it has ended', () => cluster.fatal.length > 0),
    );
    expect(cluster.fatal).toMatchObject([{ code: 'METADATA_FAILED', kind: 'broken' }]);
    expect(cluster.fatal[0]?.message).toContain('broken core');
    expect(node.leader).toBe(0);
  });

  it('elects nobody who lacks what it may have acknowledged, though nobody remembers that it did', async () => {
    cluster = await TestCluster.start(3);
    const witness = await cluster.leader();
    const [number, other] = [1, 2, 3].filter((one) => one !== witness.number) as [number, number];
    await cluster.kill(number);
    const old = await cluster.backUp(number, { isCopy: true });
    await cluster.restart(number);
    await cluster.kill(other);
    await change('/acknowledged');
    await cluster.kill(number);
    // What it remembers of the others goes with its process.
    await cluster.kill(witness.number);
    cluster.putBack(number, old);

    const { peer: otherPeer } = await cluster.restart(other);
    const known = cluster.switch;
    known.cut(witness.peer, otherPeer);
    await cluster.restart(witness.number);
    const copy = await cluster.restart(number);
    known.cut(witness.peer, copy.peer);
    await sleep(systemClock, LONGER_THAN_AN_ELECTION_MS);
    expect([copy.node.isLeader, cluster.node(other).node.isLeader]).toEqual([false, false]);
    for (const peer of [otherPeer, copy.peer]) known.heal(witness.peer, peer);
    await cluster.leader();
    await cluster.until('the copy has all of it', () => !copy.log.isCopy);
    const { peer } = await cluster.leader();
    const { stat } = await call(await cluster.client(), peer, STAT, { path: '/acknowledged', stale: false });
    expect(stat).toBeDefined();
  });

  it('starts nothing from a copy that nobody can vouch for', async () => {
    cluster = await TestCluster.start(1);
    await cluster.kill(1);
    cluster.putBack(1, await cluster.backUp(1, { isCopy: true }));
    await expect(cluster.restart(1)).rejects.toMatchObject({ code: 'METADATA_COPY_ALONE' });
  });
});

describe('a copy of a data directory that is older than who votes', () => {
  const NUMBER = 3;
  const COPY: Incarnation = { number: NUMBER, boot: 4, id: 1, openedAt: 50 };

  const APPLIED_INDEX = 10;
  const OWN: VoterSet = { index: APPLIED_INDEX, voters: [1, NUMBER] };
  const TODAY: VoterSet = { index: 11, voters: [1, NUMBER, 4] };

  type Answer = () => Promise<Partial<VouchResponse>>;

  const member = (number: number): Member => ({
    ...Member.create(),
    number,
    peer: `peer ${number}`,
    roles: ['meta'],
  });

  /** `first` is what node 1 has in its log: that node 4 votes, too. `fourth` is what node 4 says, and `more` what others do. */
  function open(
    fourth: Answer,
    first: VoterSet[] = [OWN, TODAY],
    own: VoterSet = OWN,
    more: ReadonlyMap<number, Answer> = new Map(),
  ): {
    vouching: Vouching;
    clock: ManualClock;
    asked: number[];
    events: string[];
  } {
    const clock = new ManualClock();
    const asked: number[] = [];
    const events: string[] = [];
    const known = new Map([[1, member(1)]]);
    const answers: Record<string, Answer> = {
      ...Object.fromEntries([...more].map(([number, answer]) => [`peer ${number}`, answer])),
      'peer 1': async () => ({
        voterSets: first,
        members: [4, ...more.keys()].map(member),
        term: 6,
        lastTerm: 2,
        lastIndex: 20,
      }),
      'peer 4': fourth,
    };
    const request = async (peer: string): Promise<Uint8Array> => {
      asked.push(Number(peer.slice(-1)));
      return VouchResponse.encode(VouchResponse.fromPartial((await answers[peer]?.()) ?? {})).finish();
    };
    const members = {
      byNumber: (number: number) => known.get(number),
      withRole: () => [...known.values()],
      learn: (learned: Member) => void known.set(learned.number, learned),
    };
    const components = {
      network: { request, learn: () => {} } as unknown as Network,
      members: members as unknown as MemberDirectory,
      clock,
      logger: silentLogger,
    };
    const told = {
      rolledBack: ({ code }: HoldfastError) => void events.push(code),
      vouched: () => void events.push('vouched'),
    };
    const vouching = new Vouching(
      components,
      { run: COPY, isCopy: true, appliedIndex: APPLIED_INDEX, voterSets: [own] },
      told,
    );
    return { vouching, clock, asked, events };
  }

  it('does not vote on the word of those of its own time alone: who votes since then is heard, too', async () => {
    const { vouching, clock, asked, events } = open(async () => ({ rolledBack: true, seenSequence: 60 }));
    const begun = vouching.begin();
    const accused = expect(begun).rejects.toMatchObject({ code: 'METADATA_ROLLED_BACK' });
    await clock.advance(SECOND_ROUND_MS);
    await accused;
    expect(asked).toEqual([1, 1, 4]);
    expect(events).toEqual([]);
    await vouching.stop();
  });

  it('votes once they know of nothing newer either, held to the furthest that one of them had come', async () => {
    const { vouching, clock } = open(async () => ({
      voterSets: [TODAY],
      term: 4,
      lastTerm: 3,
      lastIndex: 12,
    }));
    const begun = vouching.begin();
    await clock.advance(SECOND_ROUND_MS);
    expect(await begun).toBe(true);
    expect(vouching.restraint).toEqual({ term: 6, last: { term: 3, index: 12 } });
    await vouching.stop();
  });

  it('goes on asking after a start that has waited long enough, and gives way when one remembers more', async () => {
    const fourth = { answer: (): Promise<Partial<VouchResponse>> => Promise.reject(new Error('gone')) };
    const { vouching, clock, events } = open(() => fourth.answer());
    const begun = vouching.begin();
    await clock.advance(PATIENCE_OF_A_START_MS);
    expect(await begun).toBe(false);
    fourth.answer = async () => ({ rolledBack: true, seenSequence: 60 });
    await clock.advance(SECOND_ROUND_MS);
    expect(events).toEqual(['METADATA_ROLLED_BACK']);
    await vouching.stop();
  });

  it('takes no part, and asks and waits no more, once it was stopped while it was waiting', async () => {
    const { vouching, clock, asked } = open(async () => ({ voterSets: [TODAY] }));
    const begun = vouching.begin();
    await clock.advance(0);
    expect([asked, clock.pendingTimers]).toEqual([[1], 1]);
    await vouching.stop();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(PATIENCE_OF_A_START_MS);
    expect(await begun).toBe(false);
    expect(asked).toEqual([1]);
  });

  describe('of whose voters one has left', () => {
    const THREE: VoterSet = { index: APPLIED_INDEX, voters: [1, 2, NUMBER] };
    const openAt = (applied: number): ReturnType<typeof open> =>
      open(async () => ({ applied, members: [member(1), member(4)] }), [], THREE);

    it('gives up its number: too few are left that could say whether it is the newest', async () => {
      const { vouching, clock } = openAt(APPLIED_INDEX + 1);
      const outlived = expect(vouching.begin()).rejects.toMatchObject({
        code: 'METADATA_COPY_OUTLIVED',
        facts: { number: NUMBER, gone: ['2'] },
      });
      await clock.advance(SECOND_ROUND_MS);
      await outlived;
    });

    it('waits while only one says so who may be behind', async () => {
      const { vouching, clock } = openAt(APPLIED_INDEX);
      const begun = vouching.begin();
      await clock.advance(PATIENCE_OF_A_START_MS);
      expect(await begun).toBe(false);
      await vouching.stop();
    });
  });

  describe('among five voters, of whom three others stand in the way of every quorum', () => {
    const FIVE: VoterSet = { index: APPLIED_INDEX, voters: [1, NUMBER, 4, 5, 6] };
    const silent: Answer = () => Promise.reject(new Error('gone'));
    const newest =
      (lastIndex: number): Answer =>
      async () => ({ term: 6, lastTerm: 2, lastIndex });

    /** Nodes 4, 5 and 6 as they answer at the time. */
    function openFive(says: Record<4 | 5 | 6, Answer>): ReturnType<typeof open> {
      const answer =
        (number: 4 | 5 | 6): Answer =>
        () =>
          says[number]();
      return open(answer(4), [], FIVE, new Map([5, 6].map((number) => [number, answer(number as 5 | 6)])));
    }

    it('is not let in by answers of different times: who answered first may have got what it forgot since', async () => {
      const says = { 4: newest(20), 5: silent, 6: silent };
      const { vouching, clock, events } = openFive(says);
      const begun = vouching.begin();
      await clock.advance(SECOND_ROUND_MS);
      Object.assign(says, { 4: silent, 5: newest(20) });
      await clock.advance(PATIENCE_OF_A_START_MS);
      expect(await begun).toBe(false);
      says[4] = newest(21);
      await clock.advance(SECOND_ROUND_MS);
      expect(events).toEqual(['vouched']);
      expect(vouching.restraint).toEqual({ term: 6, last: { term: 2, index: 21 } });
      await vouching.stop();
    });

    it('waits for the fourth as long as its start has time, asks the three again meanwhile, and goes by them then', async () => {
      const says = { 4: newest(20), 5: newest(20), 6: silent };
      const { vouching, clock } = openFive(says);
      let isLetIn: boolean | undefined;
      const begun = vouching.begin().then((verdict) => (isLetIn = verdict));
      await clock.advance(PATIENCE_OF_A_START_MS / 2);
      expect(isLetIn).toBe(undefined);
      says[5] = newest(22);
      await clock.advance(PATIENCE_OF_A_START_MS / 2);
      expect(await begun).toBe(true);
      expect(vouching.restraint.last).toEqual({ term: 2, index: 22 });
      await vouching.stop();
    });

    it('gives way to the fourth, who alone remembers more', async () => {
      const says = { 4: newest(20), 5: newest(20), 6: silent };
      const { vouching, clock } = openFive(says);
      const begun = vouching.begin();
      const accused = expect(begun).rejects.toMatchObject({ code: 'METADATA_ROLLED_BACK' });
      await clock.advance(2 * SECOND_ROUND_MS);
      says[6] = async () => ({ rolledBack: true, seenSequence: 60 });
      await clock.advance(SECOND_ROUND_MS);
      await accused;
      await vouching.stop();
    });

    it('does not wait where all four answer', async () => {
      const { vouching, clock } = openFive({ 4: newest(20), 5: newest(20), 6: newest(20) });
      const begun = vouching.begin();
      await clock.advance(SECOND_ROUND_MS);
      expect(await begun).toBe(true);
      await vouching.stop();
    });
  });

  it('takes no notice of who voted before its own time: they may be gone', async () => {
    const { vouching } = open(
      () => Promise.reject(new Error('gone')),
      [{ index: APPLIED_INDEX - 1, voters: [1, NUMBER, 4] }],
    );
    expect(await vouching.begin()).toBe(true);
    await vouching.stop();
  });

  it('asks those again whose logs were behind', async () => {
    const first = [TODAY];
    const { vouching, clock, events } = open(() => Promise.reject(new Error('gone')), first);
    const begun = vouching.begin();
    await clock.advance(PATIENCE_OF_A_START_MS);
    expect(await begun).toBe(false);
    first.splice(0, 1, { index: 12, voters: [1, NUMBER] });
    await clock.advance(SECOND_ROUND_MS);
    expect(events).toEqual(['vouched']);
    await vouching.stop();
  });
});

describe('a metadata node whose disk is its own', () => {
  let cluster: TestCluster;

  afterEach(() => cluster.stop());

  it('is not held up by others that are down', async () => {
    cluster = await TestCluster.start(3);
    for (const number of [1, 2, 3]) await cluster.kill(number);
    const startedMs = systemClock.monotonicMs();
    await cluster.restart(1);
    await cluster.restart(2);
    expect(systemClock.monotonicMs() - startedMs).toBeLessThan(PROMPT_MS);
    await cluster.leader();
  });
});
