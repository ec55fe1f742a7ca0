/** @module A copy that was put aside as garbage, beside one that was written anew: it goes only if the other is whole. */
import { describe, expect, it } from 'vitest';
import { Machine } from '../../simulations/cluster/machine.ts';
import { Prng } from '../../simulations/prng.ts';
import { ProcessGate } from '../../simulations/world/process-gate.ts';
import { openSimulatedBlockStore } from '../../simulations/world/simulated-shelf.ts';
import { World } from '../../simulations/world/world.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { GarbageCollector } from '../../src/datanode/garbage-collector.ts';
import type { References } from '../../src/datanode/references.ts';
import { WriteEras } from '../../src/datanode/write-eras.ts';
import type { ShelvedBlockStore } from '../../src/storage/shelved-block-store.ts';
import { patterned, put } from '../storage/block-store.suite.ts';

/** Steps of one round: what is served, what is aside, the room. */
const STEPS = 3;

describe('a copy put aside beside one that was written anew', () => {
  it.each([
    { fate: 'is deleted where that one is whole', isRotten: false },
    { fate: 'stays where that one has rotted since', isRotten: true },
  ])('$fate', async ({ isRotten }) => {
    const { store, hash } = await bothCopies(isRotten);
    const collector = collectorOf(store);
    for (let step = 0; step < STEPS; step += 1) await collector.work(AbortSignal.timeout(5_000));
    expect(store.quarantineOf(hash)?.reason).toBe(isRotten ? 'garbage' : undefined);
  });
});

/** As after a crash between the writing of the one and the deleting of the other. */
async function bothCopies(isRotten: boolean): Promise<{ store: ShelvedBlockStore; hash: string }> {
  const world = new World();
  const machine = new Machine(world, { seed: 1, name: 'a' });
  const { platter, health } = machine;
  const open = (): ShelvedBlockStore => {
    const queue = machine.openQueue(new ProcessGate({ world }), 'blocks');
    return openSimulatedBlockStore({ platter, health, queue, seek: async () => {} });
  };
  const writing = put(open(), patterned(1_000));
  await world.run(100, () => {});
  const { hash } = await writing;
  const stored = platter.get(hash);
  platter.putAside({ hash, sizeBytes: 1_000, reason: 'garbage', era: 1, index: 1, sinceMs: 0 });
  if (stored !== undefined) platter.put(hash, stored);
  if (isRotten) platter.rot(new Prng(1, 'rot'));
  return { store: open(), hash };
}

function collectorOf(blocks: ShelvedBlockStore): GarbageCollector {
  const collection = { era: 9, eraMs: 100, graceMs: 0, undoneEra: 0, paused: false };
  const read = async (hashes: readonly string[]): Promise<References> => ({
    index: 9,
    epoch: 1,
    copies: hashes.map(() => 2),
    collection,
    pauseMs: 0,
  });
  return new GarbageCollector({
    blocks,
    eras: new WriteEras(),
    references: { read },
    spares: { areEnough: async () => false },
    indexer: { announce: async () => true, withdraw: () => {} },
    clock: systemClock,
    logger: silentLogger,
  });
}
