/** @module However large the index is, nobody looks through more of it in one turn than others can wait for. */
import { beforeEach, expect, it } from 'vitest';
import { SHARD_COUNT } from '../../../dht/shard.ts';
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
