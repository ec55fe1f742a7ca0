/** @module Scrub: every copy once a pass, bad ones out of service, on from where it was after a restart. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/common/bytes.ts';
import { systemClock } from '../../src/common/clock.ts';
import { sha256 } from '../../src/common/hashing.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { BlockIndexer } from '../../src/datanode/block-indexer.ts';
import { SCRUB_PERIOD_MS, type ScrubPass, Scrubber } from '../../src/datanode/scrubber.ts';
import { storageFailed } from '../../src/storage/errors.ts';
import { MemoryBlockStore } from '../../src/storage/memory-block-store.ts';

const BLOCKS = 70;

async function filled(): Promise<MemoryBlockStore> {
  const blocks = new MemoryBlockStore();
  for (let at = 0; at < BLOCKS; at += 1) {
    const data = Buffer.from(`block ${at}`);
    const origin = { fileId: 0, pathHint: '/f', position: at };
    const writer = await blocks.create({ hash: toHex(sha256(data)), sizeBytes: data.length, origin });
    await writer.write(data);
    await writer.commit();
  }
  return blocks;
}

describe('the scrubber', () => {
  it('reads everything in one pass, takes bad copies out of service, and goes on after a restart', async () => {
    const blocks = await filled();
    const withdrawn: string[] = [];
    let nowMs = 1_000_000;
    let kept: ScrubPass | undefined;
    const components = {
      blocks,
      indexer: { withdraw: (hash: string) => withdrawn.push(hash) } as unknown as BlockIndexer,
      clock: { ...systemClock, wallMs: () => nowMs },
      scrubs: { load: async () => kept, save: async (pass: ScrubPass) => void (kept = pass) },
      logger: silentLogger,
    };
    const hashes = blocks.list(undefined, BLOCKS).map(({ hash }) => hash);
    const [early = '', late = ''] = [hashes[3], hashes[60]];
    for (const hash of [early, late]) blocks.corrupt(hash, 2);
    const first = new Scrubber(components);
    for (let step = 0; step < 40; step += 1) expect(await first.work()).toBe('busy');
    expect(first.pauseMs).toBeGreaterThan(0);
    expect([first.verifiedMs(hashes[10] ?? ''), first.verifiedMs(hashes[69] ?? '')]).toEqual([nowMs, 0]);
    nowMs += 5;
    const second = new Scrubber(components);
    let steps = 1;
    while ((await second.work()) === 'busy') steps += 1;
    // It may read again what was read since the position was kept last.
    expect(steps).toBeLessThanOrEqual(BLOCKS - 32 + 1);
    expect(kept).toMatchObject({ startedMs: 1_000_000, endedMs: nowMs, corrupt: 2 });
    expect([early, late].map((hash) => blocks.quarantineOf(hash)?.reason)).toEqual(['corrupt', 'corrupt']);
    expect(withdrawn).toEqual([early, late]);

    const third = new Scrubber(components);
    expect(await third.work()).toBe('idle');
    expect(await third.work()).toBe('idle');
    third.hurry();
    expect(await third.work()).toBe('busy');
    expect(third.pauseMs).toBeLessThan(1);
    nowMs += SCRUB_PERIOD_MS;
    expect(third.verifiedMs(hashes[69] ?? '')).toBe(1_000_000);
  });

  it('counts bad copies of which nothing could be put aside, and goes on after them', async () => {
    const blocks = await filled();
    const [gone = '', stuck = ''] = blocks.list(undefined, 2).map(({ hash }) => hash);
    for (const hash of [gone, stuck]) blocks.corrupt(hash, 2);
    blocks.quarantine = async (hash) => {
      await blocks.remove(hash);
      if (hash === stuck) throw storageFailed('quarantine', '/disk', new Error('EROFS'));
      return true;
    };
    const withdrawn: string[] = [];
    const scrubber = new Scrubber({
      blocks,
      indexer: { withdraw: (hash: string) => withdrawn.push(hash) } as unknown as BlockIndexer,
      clock: systemClock,
      logger: silentLogger,
    });
    for (let step = 0; step < BLOCKS; step += 1) expect(await scrubber.work()).toBe('busy');
    expect(await scrubber.work()).toBe('idle');
    expect(scrubber.report()).toMatchObject({ blocks: BLOCKS, corrupt: 2 });
    expect(withdrawn).toEqual([gone, stuck]);
  });
});
