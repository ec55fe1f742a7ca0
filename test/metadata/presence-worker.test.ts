/** @module When a metadata node is called away, and when it is not: its shards move with it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { AnswerSurvey, ASK_TIMEOUT_MS } from '../../src/metadata/answer-survey.ts';
import { AWAY_AFTER_MS, MAX_AWAY_AFTER_MS, RETURN_MEMORY_MS } from '../../src/metadata/away-patience.ts';
import { ANSWER_COUNTS_MS, PresenceWorker } from '../../src/metadata/presence-worker.ts';
import { Member } from '../../src/namespace/schema.ts';
import { MemoryNetwork, MemorySwitch, memoryAddress } from '../../src/network/memory-network.ts';
import { call, serve } from '../../src/network/method.ts';
import { ANSWERS, FEATURE_LEVEL } from '../../src/protocol/methods.ts';
import { ManualClock } from '../manual-clock.ts';

const NEVER = new AbortController().signal;
const PATIENCE = { timeout: 5_000 };

describe('a metadata node that its leader does not hear', () => {
  let clock: ManualClock;
  let silentMs: number;
  let isAnswering: boolean;
  let away: boolean;
  let asked: number;
  let worker: PresenceWorker;
  let driver: { isLeader: boolean };
  let machine: { featureLevel: number };
  beforeEach(() => {
    clock = new ManualClock();
    driver = { isLeader: true };
    machine = { featureLevel: 2 };
    silentMs = 0;
    isAnswering = false;
    away = false;
    asked = 0;
    const contacts = { silentMs: () => silentMs, isAlive: () => silentMs === 0 };
    worker = new PresenceWorker({
      driver,
      machine,
      members: { withRole: () => [Member.fromPartial({ number: 2, peer: 'p2', roles: ['meta'], away })] },
      membership: { view: () => ({ contacts }) as never },
      answers: {
        isAnswering: async () => {
          asked++;
          return isAnswering;
        },
      },
      proposer: {
        submitInternal: async (command: unknown) => {
          away = (command as { value: { away: boolean } }).value.away;
          return undefined as never;
        },
      },
      clock,
      logger: silentLogger,
    });
  });

  async function isAwayAfter(ms: number): Promise<boolean> {
    silentMs = ms;
    await worker.work(NEVER);
    return away;
  }

  it('is away after five seconds in which nobody heard it, and back as soon as it is heard', async () => {
    expect(await isAwayAfter(AWAY_AFTER_MS - 1)).toBe(false);
    expect(asked).toBe(0);
    expect(await isAwayAfter(AWAY_AFTER_MS)).toBe(true);
    expect(await isAwayAfter(0)).toBe(false);
  });

  it('stays while it answers anybody, and no longer than that, nor for ever', async () => {
    isAnswering = true;
    expect(await isAwayAfter(AWAY_AFTER_MS)).toBe(false);
    isAnswering = false;
    expect(await isAwayAfter(AWAY_AFTER_MS + 200)).toBe(false);
    await clock.advance(ANSWER_COUNTS_MS);
    expect(await isAwayAfter(AWAY_AFTER_MS + ANSWER_COUNTS_MS)).toBe(true);
    await isAwayAfter(0);
    isAnswering = true;
    expect(await isAwayAfter(MAX_AWAY_AFTER_MS)).toBe(true);
  });

  it('has twice the time whenever it came back, until it has stayed for long', async () => {
    for (const patienceMs of [5_000, 10_000, 20_000, 40_000, 40_000]) {
      expect(await isAwayAfter(patienceMs - 1)).toBe(false);
      expect(await isAwayAfter(patienceMs)).toBe(true);
      expect(await isAwayAfter(0)).toBe(false);
    }
    await clock.advance(RETURN_MEMORY_MS + 1);
    expect(await isAwayAfter(AWAY_AFTER_MS)).toBe(true);
  });

  it('is called away by its leader alone, and not while some metadata nodes could not read that', async () => {
    driver.isLeader = false;
    expect(await isAwayAfter(AWAY_AFTER_MS)).toBe(false);
    expect(asked).toBe(0);
    [driver.isLeader, machine.featureLevel] = [true, 1];
    expect(await isAwayAfter(AWAY_AFTER_MS)).toBe(false);
    machine.featureLevel = 2;
    const working = isAwayAfter(AWAY_AFTER_MS);
    driver.isLeader = false;
    expect(await working).toBe(false);
  });

  it('is not called away when it is heard while the others are asked', async () => {
    silentMs = AWAY_AFTER_MS;
    const working = worker.work(NEVER);
    silentMs = 0;
    await working;
    expect(away).toBe(false);
  });
});

describe('asking who answers', () => {
  const home = new MemorySwitch({ clock: systemClock });
  const networks: MemoryNetwork[] = [];
  afterEach(async () => {
    await Promise.all(networks.splice(0).map((network) => network.stop()));
  });

  async function open(
    number: number,
    answer = async () => ({ supported: 2, active: 2 }),
  ): Promise<{ network: MemoryNetwork; survey: AnswerSurvey }> {
    const network = new MemoryNetwork(
      { switch: home, clock: systemClock, random: systemRandom },
      { peer: `p${number}` },
    );
    networks.push(network);
    network.authorize(() => true);
    const list = [1, 2, 3].map((each) =>
      Member.fromPartial({ number: each, peer: `p${each}`, roles: ['meta'], state: 'active' }),
    );
    for (const { peer } of list) network.learn(peer, [memoryAddress(peer)]);
    const activeByPeer = (peer: string): Member | undefined => list.find((each) => each.peer === peer);
    const members = { withRole: () => list, activeByPeer } as never;
    const survey = new AnswerSurvey({ network, members, logger: silentLogger });
    survey.start();
    serve(network, FEATURE_LEVEL, answer);
    await network.start();
    return { network, survey };
  }

  it('hears it directly, else through another, and else not at all', async () => {
    const { survey } = await open(1);
    const hears = () => survey.isAnswering('p2', NEVER);
    expect(await hears()).toBe(false);
    await open(3);
    await open(2);
    home.cut('p1', 'p2');
    // Connections that failed a moment ago are not tried again at once.
    await expect.poll(hears, PATIENCE).toBe(true);
    home.cut('p3', 'p2');
    await expect.poll(hears, PATIENCE).toBe(false);
    home.heal('p1', 'p2');
    await expect.poll(hears, PATIENCE).toBe(true);
    home.heal('p3', 'p2');
  });

  it('takes no longer for one that hangs than a probe and the word of it', async () => {
    const { survey } = await open(1);
    await open(2, () => new Promise<never>(() => {}));
    await open(3);
    const begunMs = performance.now();
    expect(await survey.isAnswering('p2', NEVER)).toBe(false);
    expect(performance.now() - begunMs).toBeLessThan(ASK_TIMEOUT_MS + 1_500);
  });

  it('is for metadata nodes, and about them', async () => {
    await open(1);
    const { network } = await open(3);
    const { network: stranger } = await open(4);
    const refusal = { code: 'METADATA_NOT_ALLOWED' };
    await expect(call(stranger, 'p1', ANSWERS, { peer: 'p2' })).rejects.toMatchObject(refusal);
    await expect(call(network, 'p1', ANSWERS, { peer: 'p4' })).rejects.toMatchObject(refusal);
  });
});
