/** @module How soon the keeper walks over its blocks again. */
import { expect, it } from 'vitest';
import { SHARD_COUNT } from '../../../dht/shard.ts';
import { BlockSurvey } from '../../../src/metadata/repair/block-survey.ts';
import { ManualClock } from '../../manual-clock.ts';

const BLOCK = { hash: '0'.repeat(64), sizeBytes: 1, copies: 2 };

it('walks again soon while somebody waits for it, but no more than half of the time, else a quarter of it', async () => {
  const clock = new ManualClock();
  const shards = new Set(Array.from({ length: SHARD_COUNT }, (_, shard) => shard));
  let membersVersion = 1;
  let walkMs = 0;
  let leaving: readonly number[] = [3];
  const survey = new BlockSurvey({
    machine: {
      counters: () => ({ membersVersion }),
      scanBlocks: async () => {
        await clock.advance(walkMs);
        return [BLOCK];
      },
    } as never,
    keeper: { shards: () => shards } as never,
    index: { isComplete: () => true, blocks: () => [], holders: () => [] },
    examiner: { examine: () => [{ ...BLOCK, good: leaving.length > 0 ? [1] : [1, 2], leaving }] } as never,
    balance: { look: () => {} },
    clock,
  });
  await survey.work();
  const soonMs = survey.idleMs;
  walkMs = 2_000;
  await survey.work();
  expect(survey.idleMs).toBe(2_000);
  leaving = [];
  await survey.work();
  expect(survey.idleMs).toBe(6_000);
  expect(soonMs).toBeLessThan(1_000);
  membersVersion = 2;
  expect(survey.idleMs).toBe(2_000);
});
