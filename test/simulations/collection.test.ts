/** @module A little of `node simulations/collection.ts`: no block that a file refers to is collected, all others are. */
import { expect, it } from 'vitest';
import { CollectionWorld } from '../../simulations/collection/collection-world.ts';

it.each([2, 3, 4, 5])(
  'seed %i collects all garbage and nothing else, whatever races with it',
  async (seed) => {
    const world = await CollectionWorld.open(seed);
    const outcome = await world.run(60);
    expect(outcome.violation).toBeUndefined();
    expect(outcome.quarantined).toBeGreaterThan(0);
    expect(outcome.committed).toBeGreaterThan(10);
    expect(outcome.failedRounds).toBeGreaterThan(0);
  },
);
