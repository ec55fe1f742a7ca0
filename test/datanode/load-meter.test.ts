/** @module What a datanode says of its disk. */
import { expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { LoadMeter } from '../../src/datanode/load-meter.ts';
import { MemoryBlockStore } from '../../src/storage/memory-block-store.ts';

it('says that it takes no blocks from when its store takes no changes any more', async () => {
  const blocks = new MemoryBlockStore();
  const load = new LoadMeter({ blocks, clock: systemClock });
  expect((await load.report()).readOnly).toBe(false);
  Object.assign(blocks, { isReadOnly: true });
  expect((await load.report()).readOnly).toBe(true);
});
