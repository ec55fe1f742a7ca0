/** @module A table with some of its shards on disk: what goes there, what comes back, and what a disk that fails costs. */
import { describe, expect, it } from 'vitest';
import { prefixOfShard } from '../../dht/hash-prefix.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { PatientTable } from '../../dht/patient-table.ts';
import { RETRY_MS } from '../../dht/shard-spill.ts';
import { MemoryPageStore } from '../../src/storage/memory-page-store.ts';
import { hashOf } from './index-world.ts';
import { ManualClock } from '../manual-clock.ts';
import { spillOptions } from './spill-options.ts';
import { newTable } from './new-table.ts';

const SHARDS = 16;

/** Hashes of sixteen shards. */
function hashes(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, at) => {
    const each = from + at;
    return `0${(each % SHARDS).toString(16)}0${hashOf(each).slice(3)}`;
  });
}

const SOME = hashes(4_000);

type Options = Parameters<typeof spillOptions>[1] & { readonly maxRecords?: number };

function spilling(store: MemoryPageStore, { maxRecords, ...options }: Options = {}) {
  const lost: number[] = [];
  const clock = new ManualClock();
  const onLost = (shard: number): void => void lost.push(shard);
  const spill = spillOptions(store, { clock, onLost, ...options });
  const table = newTable({ spill, ...(maxRecords !== undefined && { maxRecords }) });
  const patient = new PatientTable(table);
  let sequence = 0;
  const announce = async (
    node: number,
    words: { added?: readonly string[]; removed?: readonly string[]; whole?: string[] },
  ) => {
    const { added = [], removed = [], whole = [] } = words;
    const packed = { added: packHashes(added), removed: packHashes(removed) };
    const batch = { node, generation: 1, sequence: ++sequence, ...packed, whole, epoch: 1 };
    return patient.announce(batch);
  };
  const holders = async (hash: string): Promise<number[]> => {
    const packed = packHashes([hash]);
    return patient.withRows([packed], () => table.lookup(packed).nodes);
  };
  /** Until nothing is on its way to disk or back. */
  const settled = async (): Promise<void> => {
    for (let before = -1; before !== table.spilledShards; ) {
      before = table.spilledShards;
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
  };
  return { table, patient, clock, lost, announce, holders, settled };
}

describe('a location table with a bound on its memory', () => {
  it('keeps within it, and still knows everything', async () => {
    const store = new MemoryPageStore();
    const memoryBytes = 60_000;
    const { table, announce, holders, settled } = spilling(store, { memoryBytes });
    for (let at = 0; at < SOME.length; at += 250) await announce(1, { added: SOME.slice(at, at + 250) });
    await settled();
    expect(table.recordCount).toBe(SOME.length);
    expect(table.sizeBytes).toBeLessThan(memoryBytes);
    expect(table.spilledShards).toBeGreaterThan(8);
    expect(table.spill?.records).toBeGreaterThan(SOME.length / 2);
    for (const hash of SOME) expect(await holders(hash)).toEqual([1]);
    expect(await holders(hashes(1, 9_000)[0] ?? '')).toEqual([]);
  });

  it('reads one page for a lookup, and none for the next one of the same block', async () => {
    const store = new MemoryPageStore();
    const { table, announce, holders, settled } = spilling(store, { maxRowsRead: 10 });
    await announce(1, { added: SOME });
    await settled();
    const before = table.spill?.reads.pagesRead ?? 0;
    expect(await holders(SOME[77] ?? '')).toEqual([1]);
    expect(await holders(SOME[77] ?? '')).toEqual([1]);
    expect(table.spill?.reads.pagesRead).toBe(before + 1);
  });

  it('takes shards back into memory once most of it is free', async () => {
    const store = new MemoryPageStore();
    const { table, announce, holders, settled } = spilling(store, { memoryBytes: 150_000 });
    for (let at = 0; at < SOME.length; at += 250) await announce(1, { added: SOME.slice(at, at + 250) });
    await settled();
    const { spilledShards } = table;
    expect(spilledShards).toBeGreaterThan(2);
    for (let shard = 0; shard < 12; shard++) table.dropShard(shard * 16);
    await settled();
    expect(table.spilledShards).toBe(0);
    expect(store.usedBytes).toBe(0);
    for (const hash of SOME.slice(12, 16)) expect(await holders(hash)).toEqual([1]);
    for (const hash of SOME.slice(0, 12)) expect(await holders(hash)).toEqual([]);
  });

  it('writes a shard anew when a quarter of it has changed, and meanwhile loses no change', async () => {
    const gate = { wait: Promise.resolve() };
    const store = new MemoryPageStore({ pause: () => gate.wait });
    const { table, announce, holders, settled } = spilling(store);
    await announce(1, { added: SOME });
    await settled();
    const open = Promise.withResolvers<void>();
    const removed = SOME.slice(0, 1_500);
    const first = announce(1, { removed });
    await first;
    gate.wait = open.promise;
    const added = hashes(400, 10_000);
    const second = announce(2, { added });
    open.resolve();
    await second;
    await settled();
    for (const hash of removed) expect(await holders(hash)).toEqual([]);
    for (const hash of added) expect(await holders(hash)).toEqual([2]);
    expect(table.recordCount).toBe(SOME.length - 1_500 + 400);
  });

  it('forgets a dead datanode on disk, too, and never takes another one for it', async () => {
    const store = new MemoryPageStore();
    const { table, announce, holders, settled } = spilling(store);
    await announce(1, { added: SOME });
    await announce(2, { added: SOME.slice(0, 100) });
    await settled();
    table.drop(1);
    expect(await holders(SOME[0] ?? '')).toEqual([2]);
    expect(await holders(SOME[200] ?? '')).toEqual([]);
    await settled();
    // Its number is free again; nothing on disk may name it by now.
    await announce(3, { added: [hashes(1, 20_000)[0] ?? ''] });
    expect(await holders(SOME[200] ?? '')).toEqual([]);
    expect(await holders(SOME[0] ?? '')).toEqual([2]);
    expect(table.recordCount).toBe(101);
  });

  it('forgets what a datanode does not say of a whole shard, or part of one, that is on disk', async () => {
    const store = new MemoryPageStore();
    const { announce, holders, settled, table } = spilling(store);
    await announce(1, { added: SOME });
    await announce(2, { added: SOME });
    await settled();
    const shard = SOME.filter((hash) => hash.startsWith('030'));
    const said = shard.slice(0, 5);
    await announce(1, { added: said, whole: ['030'] });
    for (const hash of shard.slice(0, 20))
      expect(await holders(hash)).toEqual(said.includes(hash) ? [1, 2] : [2]);
    await announce(2, { added: [], whole: ['0307'] });
    for (const hash of shard.slice(5, 60)) expect(await holders(hash)).toEqual(hash[3] === '7' ? [] : [2]);
    expect(table.node(1)?.records).toBe(SOME.length - shard.length + 5);
  });

  it('takes the batches of one datanode in their order, also while the first waits for the disk', async () => {
    const store = new MemoryPageStore({ pause: () => new Promise(setImmediate) });
    const { announce, holders, settled } = spilling(store);
    await announce(1, { added: SOME });
    await settled();
    const [block = ''] = SOME;
    await Promise.all([
      announce(1, { removed: [block], whole: ['010', '020'] }),
      announce(1, { added: [block] }),
    ]);
    expect(await holders(block)).toEqual([1]);
    expect(await holders(SOME[1] ?? '')).toEqual([]);
  });
});

describe('a disk that fails', () => {
  it('costs a shard that cannot be read, which is told of, and nothing else', async () => {
    const store = new MemoryPageStore();
    const { table, announce, holders, settled, lost, patient } = spilling(store);
    await announce(1, { added: SOME });
    await settled();
    for (const run of store.contents.slice(0, 2)) run[100] = (run[100] ?? 0) ^ 4;
    const answers = await Promise.all(SOME.map((hash) => holders(hash)));
    expect(lost).toHaveLength(2);
    SOME.forEach((hash, at) => {
      const isLost = lost.includes(Number.parseInt(hash.slice(0, 3), 16));
      expect(answers[at]?.length === 0).toBe(isLost);
    });
    expect(table.recordCount).toBe(SOME.length - SOME.length / 8);
    expect(table.node(1)?.digests.count(lost[0] ?? 0)).toBe(0);
    // Told anew, it is known again.
    const again = SOME.filter((hash) => lost.includes(Number.parseInt(hash.slice(0, 3), 16)));
    await announce(1, { added: again });
    await patient.withPrefix(prefixOfShard(lost[0] ?? 0), () =>
      expect(table.blocks(lost[0] ?? 0)).toHaveLength(SOME.length / SHARDS),
    );
    expect(table.recordCount).toBe(SOME.length);
  });

  it('lets the table take what fits into memory while nothing can be written, and more once it can', async () => {
    let isBroken = true;
    const store = new MemoryPageStore({
      pause: async (action) => {
        if (isBroken && action === 'write') throw new Error('ENOSPC: no space left on device');
      },
    });
    const { table, announce, settled, clock } = spilling(store, { memoryBytes: 80_000, maxRecords: 8_000 });
    await announce(1, { added: SOME });
    await settled();
    expect(table.spill?.failure).toContain('ENOSPC');
    const taken = async (node: number, at: number): Promise<number> => {
      const outcome = await announce(node, { added: SOME.slice(at, at + 500) });
      return outcome.kind === 'taken' ? outcome.taken : -1;
    };
    // It has more than the thousand records of its memory.
    expect(await taken(2, 0)).toBe(0);
    isBroken = false;
    expect(await taken(2, 0)).toBe(0);
    await clock.advance(RETRY_MS);
    expect(await taken(2, 0)).toBe(500);
    await settled();
    expect(table.spill?.failure).toBeUndefined();
    expect(table.spilledShards).toBeGreaterThan(0);
  });
});
