/** @module H05 (seed 3 of `npm run bench:simulations`): a whole copy that was put aside is deleted for one that has rotted. */
import { equal } from 'node:assert/strict';
import { toHex, utf8 } from '../../src/common/bytes.ts';
import { systemClock } from '../../src/common/clock.ts';
import { sha256 } from '../../src/common/hashing.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { GarbageCollector } from '../../src/datanode/garbage-collector.ts';
import { WriteEras } from '../../src/datanode/write-eras.ts';
import type { ShelvedBlockStore } from '../../src/storage/shelved-block-store.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { Machine } from '../cluster/machine.ts';
import { Prng } from '../prng.ts';
import { ProcessGate } from '../world/process-gate.ts';
import { World } from '../world/world.ts';

const DATA = utf8('wanted again');
const HASH: string = toHex(sha256(DATA));
const BLOCK = { hash: HASH, sizeBytes: DATA.length, origin: { fileId: 1, pathHint: '/f', position: 0 } };
const NOTE = { era: 1, index: 1, sinceMs: 0 };
/** Of a round of the collector: what is served, what is aside, the room. */
const ROUND_STEPS = 3;
/** Longer than a disk takes. */
const STEP_MS = 100;

export const scenario: BugScenario = {
  claim:
    'a whole copy that was put aside stays while the one written anew beside it is rotten, and comes back',
  async run() {
    const world = new World();
    const store = await rottenBesideWhole(world);
    const collector = collectorOf(store);
    const round = async (): Promise<void> => {
      for (let step = 0; step < ROUND_STEPS; step += 1)
        await during(world, collector.work(new AbortController().signal));
    };
    await round();
    await during(world, store.quarantine(HASH, { ...NOTE, reason: 'corrupt' }));
    await round();
    equal(store.has(HASH), true);
    equal(await during(world, store.verify(HASH)), true);
  },
};

/** As after a crash between the writing of the one and the deleting of the other. */
async function rottenBesideWhole(world: World): Promise<ShelvedBlockStore> {
  const machine = new Machine(world, { seed: 1, name: 'a' });
  const { platter } = machine;
  const open = (): ShelvedBlockStore => machine.openBlocks(new ProcessGate({ world }));
  await during(world, open().storeAll([{ ...BLOCK, data: DATA }]));
  const stored = platter.get(HASH);
  platter.putAside({ hash: HASH, sizeBytes: DATA.length, ...NOTE, reason: 'garbage' });
  if (stored !== undefined) platter.put(HASH, stored);
  platter.rot(new Prng(1, 'rot'));
  return open();
}

/** A file refers to everything. */
function collectorOf(blocks: ShelvedBlockStore): GarbageCollector {
  const collection = { era: 9, eraMs: 100, graceMs: 0, undoneEra: 0, paused: false };
  return new GarbageCollector({
    blocks,
    eras: new WriteEras(),
    references: {
      read: async (hashes) => ({ index: 9, epoch: 1, copies: hashes.map(() => 2), collection, pauseMs: 0 }),
    },
    spares: { areEnough: async () => false },
    indexer: { announce: async () => true, withdraw: () => {} },
    clock: systemClock,
    logger: silentLogger,
  });
}

/** Time passes while `work` is under way. */
async function during<T>(world: World, work: Promise<T>): Promise<T> {
  await world.run(world.nowMs + STEP_MS, () => {});
  return work;
}
