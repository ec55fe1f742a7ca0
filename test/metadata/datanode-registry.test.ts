/** @module Which datanodes a metadata node places on, and which it waits for. */
import { describe, expect, it } from 'vitest';
import { DatanodeRegistry } from '../../src/metadata/datanode-registry.ts';
import { livenessSettings } from '../../src/metadata/liveness-judge.ts';
import { ManualClock } from '../manual-clock.ts';

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

  it('is awaited, and no candidate, until others find a way to it, but not for ever', async () => {
    const clock = new ManualClock();
    const registry = new DatanodeRegistry({ clock }, { settings: () => livenessSettings(undefined) });
    const registration = { generation: 1, addresses: [], host: '' };
    for (const node of [1, 2])
      registry.register({ ...registration, node, load: { ...LOAD, reachable: false } });
    registry.register({ ...registration, node: 3, load: LOAD });
    expect(registry.candidates().map(({ node }) => node)).toEqual([3]);
    await clock.advance(9_000);
    registry.heartbeat(1, 1, { ...LOAD, reachable: true });
    // It has told of another address meanwhile.
    registry.register({ ...registration, node: 2, load: { ...LOAD, reachable: false } });
    expect(registry.candidates().map(({ node }) => node)).toContain(1);
    expect([registry.isAwaited(1), registry.isAwaited(2)]).toEqual([false, true]);
    await clock.advance(1_000);
    expect(registry.isAwaited(2)).toBe(false);
  });
});
