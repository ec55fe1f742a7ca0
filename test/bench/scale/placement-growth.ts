/** @module Placing a block among more and more datanodes: the shipped policy, in this process. */
import { systemRandom } from '../../../src/common/random.ts';
import { FreeSpacePlacement } from '../../../src/metadata/free-space-placement.ts';
import type { PlacementCandidate } from '../../../src/metadata/placement.ts';
import { cost } from './child-point.ts';
import type { Dimension } from './growth.ts';

const COPIES = 3;
const BLOCK_BYTES: number = 8 * 1024 * 1024;
const FREE_BYTES = 1e12;
/** Blocks of one request, as a client that writes a large file asks. */
const TOGETHER = 64;
const REQUESTS = 200;
const ZONES = 4;

export function placementGrowth(sizes: readonly number[]): Dimension {
  return {
    name: 'placement',
    of: 'datanodes',
    sizes,
    figures: {
      // A request looks at every datanode once, whatever it asks for.
      together: { name: 'place a block, 64 at once', unit: 'CPU µs', counts: 'whole' },
      alone: { name: 'place a block alone', unit: 'CPU µs', counts: 'whole' },
    },
    measure: async (size) => ({ together: await place(size, TOGETHER), alone: await place(size, 1) }),
  };
}

/** Microseconds a block. */
async function place(datanodes: number, blocks: number): Promise<number> {
  const policy = new FreeSpacePlacement();
  const candidates = Array.from(
    { length: datanodes },
    (_, at): PlacementCandidate => ({
      node: at + 1,
      host: `host-${at}`,
      zone: `zone-${at % ZONES}`,
      freeBytes: FREE_BYTES,
      expectedBytes: 0,
    }),
  );
  const sizes = Array.from({ length: blocks }, () => BLOCK_BYTES);
  const request = { sizes, copies: COPIES, exclude: [], nearHost: '' };
  const work = async (): Promise<void> => {
    for (let at = 0; at < REQUESTS; at++) policy.place(candidates, request, systemRandom);
  };
  await work();
  const { cpuMicroseconds } = await cost(work);
  return cpuMicroseconds / (REQUESTS * blocks);
}
