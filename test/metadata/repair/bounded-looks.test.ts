/** @module However large the index is, nobody looks through more of it in one turn, or keeps more of it in mind, than is good. */
import { beforeEach, expect, it } from 'vitest';
import { SHARD_COUNT } from '../../../dht/shard.ts';
import { type AtRiskBlock, AtRiskBlocks } from '../../../src/metadata/repair/at-risk-blocks.ts';
import { LossSearch } from '../../../src/metadata/repair/loss-search.ts';
import { MoveFinder } from '../../../src/metadata/repair/move-finder.ts';

const BLOCKS_PER_SHARD = 100;
/** Of some 400,000 blocks. */
const MOST_LOOKED_AT = 20_000;

let looked: number;
const index = {
  isComplete: () => true,
  holders: () => [],
  *blocks(shard: number) {
    for (let at = 0; at < BLOCKS_PER_SHARD; at++) {
      looked += 1;
      yield { hash: `${shard} ${at}`, nodes: [1, 2, 3] };
    }
  },
};
const shards = new Set(Array.from({ length: SHARD_COUNT }, (_, shard) => shard));
const components = {
  index,
  keeper: { shards: () => shards } as never,
  machine: { wantedBlocks: async () => [] } as never,
  examiner: { examine: () => [] } as never,
  moves: { hasFailed: () => false },
  members: {} as never,
  registry: {} as never,
};

beforeEach(() => {
  looked = 0;
});

it('looks for what a lost datanode held a part of the index at a time, and through all of it in the end', async () => {
  const search = new LossSearch(components);
  search.begin([9]);
  await search.step();
  expect(looked).toBeLessThan(MOST_LOOKED_AT);
  while (search.isBusy) await search.step();
  expect(looked).toBe(SHARD_COUNT * BLOCKS_PER_SHARD);
});

it('looks for blocks to move from a datanode that has few in a part of the index, and next time in another', async () => {
  const finder = new MoveFinder(components);
  const transfer = { source: 9, target: 1, bytes: 1e9 };
  expect(await finder.find(transfer, 256, new Set())).toEqual([]);
  expect(looked).toBeLessThan(MOST_LOOKED_AT);
});

it('finds all that a lost datanode held, though no more than a part of it is kept in mind at a time', async () => {
  const atRisk = new AtRiskBlocks(10);
  const safe = new Set<string>();
  const held = Array.from({ length: 45 }, (_, at) => ({ hash: `${at}`, nodes: [9] }));
  const search = new LossSearch({
    ...components,
    index: { ...index, blocks: (shard) => (shard === 7 ? held : []) },
    machine: { wantedBlocks: async (hashes: readonly string[]) => hashes.map((hash) => ({ hash })) } as never,
    examiner: {
      examine: (blocks: readonly { readonly hash: string }[]) => {
        for (const { hash } of blocks) if (!safe.has(hash)) atRisk.put(endangered(hash));
        return [];
      },
    } as never,
  });
  search.begin([9]);
  for (let rounds = 0; rounds < 20; rounds++) {
    if (atRisk.takeVacancy()) search.again();
    while (search.isBusy) await search.step();
    for (const { hash } of [...atRisk.inOrderOfDanger()].slice(0, 6)) {
      safe.add(hash);
      atRisk.remove(hash);
    }
  }
  expect(safe.size).toBe(held.length);
  search.again();
  while (search.isBusy) await search.step();
  expect([atRisk.size, atRisk.takeVacancy()]).toEqual([0, false]);
});

function endangered(hash: string): AtRiskBlock {
  return { hash, sizeBytes: 1, wanted: 3, left: 2, counted: 2, leaving: [], readyMs: 0 };
}
