/** @module Whether a datanode may go: what it holds that nobody else does. */
import { beforeEach, describe, expect, it } from 'vitest';
import { SHARD_COUNT } from '../../dht/shard.ts';
import { BadCopies } from '../../src/metadata/bad-copies.ts';
import { DatanodeRegistry } from '../../src/metadata/datanode-registry.ts';
import { DatanodeStates } from '../../src/metadata/datanode-states.ts';
import { livenessSettings } from '../../src/metadata/liveness-judge.ts';
import { AtRiskBlocks } from '../../src/metadata/repair/at-risk-blocks.ts';
import { BlockExaminer } from '../../src/metadata/repair/block-examiner.ts';
import { BlockSurvey } from '../../src/metadata/repair/block-survey.ts';
import { BlockFigures } from '../../src/metadata/repair/cluster-survey.ts';
import { KeeperService } from '../../src/metadata/repair/keeper-service.ts';
import type { ShardIndex } from '../../src/metadata/repair/shard-index.ts';
import { SoleSearch } from '../../src/metadata/repair/sole-search.ts';
import { removalConcerns } from '../../src/metadata/removal-check.ts';
import { DEFAULT_DEAD_AFTER_MS } from '../../src/namespace/limits.ts';
import { Member } from '../../src/namespace/schema.ts';
import type { KeeperReport } from '../../src/protocol/messages.ts';
import { ManualClock } from '../manual-clock.ts';

const SIZE_BYTES = 1_000;
const LOAD = {
  capacityBytes: 1e9,
  usedBytes: 0,
  freeBytes: 1e9,
  writesInFlight: 0,
  readsInFlight: 0,
  readOnly: false,
  reach: [],
};

describe('the removal of a datanode', () => {
  let clock: ManualClock;
  let registry: DatanodeRegistry;
  let states: DatanodeStates;
  let blockSurvey: BlockSurvey;
  const unknown = new Set<number>();
  let report: () => KeeperReport;
  let badCopies: BadCopies;
  let search: SoleSearch;
  /** Which nodes the index names, for each block of the namespace. */
  let holders: Record<string, number[]>;

  beforeEach(() => {
    clock = new ManualClock();
    registry = new DatanodeRegistry({ clock }, { settings: () => livenessSettings(undefined) });
    states = new DatanodeStates({
      registry,
      machine: { featureLevel: 1, cluster: () => undefined } as never,
      members: { byNumber: () => ({ state: 'active' }) } as never,
    });
    badCopies = new BadCopies({ clock });
    holders = {};
    const machine = {
      scanBlocks: async () =>
        Object.keys(holders).map((hash) => ({ hash, sizeBytes: SIZE_BYTES, copies: 2 })),
      counters: () => ({ membersVersion: 1 }),
      wantedBlocks: async (hashes: readonly string[]) =>
        hashes.map((hash) => ({ hash, sizeBytes: SIZE_BYTES, copies: 2 })),
    } as never;
    const index: ShardIndex = {
      isComplete: (shard) => !unknown.has(shard),
      blocks: (shard) => {
        if (unknown.has(shard)) return undefined;
        return shard === 0 ? Object.entries(holders).map(([hash, nodes]) => ({ hash, nodes })) : [];
      },
      holders: (hashes) => hashes.map((hash) => holders[hash] ?? []),
    };
    const shards = new Set(Array.from({ length: SHARD_COUNT }, (_, shard) => shard));
    const keeper = { shards: () => shards } as never;
    const atRisk = new AtRiskBlocks();
    const examiner = new BlockExaminer({ states, badCopies, index, atRisk, clock });
    search = new SoleSearch({
      machine,
      keeper,
      index,
      examiner,
      // A pause of the search is no time here.
      clock: {
        ...clock,
        after: (_delayMs: number, then: () => void) => (queueMicrotask(then), { cancel: () => {} }),
      },
      network: { localPeer: 'self' },
      members: { withRole: () => [] },
    } as never);
    blockSurvey = new BlockSurvey({ machine, keeper, index, examiner, balance: { look: () => {} }, clock });
    const parts = { network: {}, driver: { id: 1 }, copies: { figures: () => ({}) } } as never;
    report = () =>
      new KeeperService(Object.assign({}, parts, { keeper, blockSurvey, atRisk, index }), {
        workers: () => [],
      }).report();
    for (const node of [1, 2]) beat(node);
  });

  it('is told apart from one of which it is not known yet what it holds', () => {
    expect(report().unknownShards).toBe(0);
    for (const shard of [3, 5]) unknown.add(shard);
    expect(report()).toMatchObject({ unknownShards: 2, shards: SHARD_COUNT });
    unknown.clear();
  });

  const beat = (node: number, blocks = 5): void =>
    registry.register({ node, generation: 1, addresses: [], host: '', load: { ...LOAD, blocks } });
  const walk = async (): Promise<void> => {
    await clock.advance(6_000);
    await blockSurvey.work();
  };
  const concernsOf = async (number: number): Promise<string[]> =>
    removalConcerns(
      {
        registry,
        states,
        blocks: new BlockFigures([report()]),
        sole: await search.ask(number, new AbortController().signal),
      },
      {
        member: Member.fromPartial({ number, roles: ['data'], state: 'active' }),
        view: { status: { confState: { voters: [] } } } as never,
        settings: {} as never,
      },
    );

  it('worries nobody when each of its blocks has another living copy, or it has none', async () => {
    holders = { a: [1, 2], b: [2] };
    await walk();
    expect(await concernsOf(1)).toEqual([]);
    holders = { a: [1] };
    beat(2, 0);
    expect(await concernsOf(2)).toEqual([]);
  });

  it('is held up while the blocks have not been counted since the metadata node started', async () => {
    expect((await concernsOf(1))[0]).toContain('ask again in a minute');
  });

  it('is held up by the last copies, and says how much they are', async () => {
    holders = { a: [1, 2], b: [2], c: [2] };
    await walk();
    expect((await concernsOf(2))[0]).toContain(`only copy of 2 blocks (${2 * SIZE_BYTES} bytes)`);
  });

  it('is held up by what was written since the last walk', async () => {
    holders = { a: [1, 2] };
    await walk();
    holders = { a: [1, 2], late: [2] };
    expect((await concernsOf(2))[0]).toContain(`only copy of 1 block (${SIZE_BYTES} bytes)`);
    beat(2, 0);
    expect(await concernsOf(2)).toHaveLength(1);
  });

  it('is held up by a copy whose twin is rotten or on a dead node', async () => {
    holders = { a: [1, 2], b: [1, 3] };
    badCopies.report('a', 2);
    await walk();
    expect((await concernsOf(1))[0]).toContain('only copy of 2 blocks');
  });

  it('is held up, for a node that does not answer, while blocks are missing that it may hold', async () => {
    holders = { a: [1], b: [2] };
    await clock.advance(DEFAULT_DEAD_AFTER_MS);
    beat(1);
    await walk();
    expect((await concernsOf(2))[0]).toContain('1 blocks have no living copy');
    beat(2);
    await walk();
    expect((await concernsOf(2))[0]).toContain('only copy of 1 block');
  });
});

describe('the removal of a metadata node', () => {
  const concerns = (confState: object, wanted: readonly number[]): string[] => {
    const status = { id: 1, commit: 5, confState, progress: [] };
    const contacts = { isAlive: (node: number) => node === 1, silentMs: () => 0 };
    return removalConcerns({} as never, {
      member: Member.fromPartial({ number: 1, roles: ['meta'], state: 'active' }),
      view: { status, wanted, contacts, roundStart: 5 } as never,
      settings: { voters: 3, voterReplacementMs: 60_000 },
    });
  };

  it('is held up while nobody else has caught up, and while those who stay do not answer, each with what to do', () => {
    expect(concerns({ voters: [1] }, [1, 2])).toEqual([expect.stringContaining('caught up')]);
    expect(concerns({ voters: [1, 2] }, [1, 2])).toEqual([expect.stringContaining('of 2, 2 does not')]);
  });
});
