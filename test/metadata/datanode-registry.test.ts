/** @module How long a metadata node that has just started waits for the datanodes it knows of. */
import { describe, expect, it } from 'vitest';
import { DatanodeRegistry } from '../../src/metadata/datanode-registry.ts';
import { livenessSettings } from '../../src/metadata/liveness-judge.ts';
import { ManualClock } from './manual-clock.ts';

const LOAD = {
  capacityBytes: 1e9,
  usedBytes: 0,
  freeBytes: 1e9,
  blocks: 0,
  writesInFlight: 0,
  readsInFlight: 0,
  readOnly: false,
  reach: [],
};

describe('a datanode', () => {
  it('is awaited until it was heard of, or should have been', async () => {
    const clock = new ManualClock();
    const registry = new DatanodeRegistry({ clock }, { settings: () => livenessSettings(undefined) });
    expect([registry.isAwaited(1), registry.isAwaited(2)]).toEqual([true, true]);
    registry.register({ node: 1, generation: 1, addresses: [], host: '', load: LOAD });
    expect([registry.isAwaited(1), registry.isAwaited(2)]).toEqual([false, true]);
    await clock.advance(6_999);
    expect(registry.isAwaited(2)).toBe(true);
    await clock.advance(1);
    expect(registry.isAwaited(2)).toBe(false);
  });
});
