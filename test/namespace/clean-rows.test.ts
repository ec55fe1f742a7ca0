import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CleanRows, UNKNOWN } from '../../src/namespace/clean-rows.ts';
import { direntKey, numberKey } from '../../src/namespace/keys.ts';
import { decodeRow, encodeRow } from '../../src/namespace/rows.ts';
import { Inode } from '../../src/namespace/schema.ts';
import { weighRow } from '../../src/namespace/row-weight.ts';

const MIB = 1024 * 1024;

function file(id: number, name: string): Inode {
  return Inode.fromPartial({ id, kind: 'file', parent: 9, name, mtimeMs: 1.7e12 + id, version: id });
}

describe('the memory of clean rows', () => {
  it('never holds more than its bound, and never gives an old row', () => {
    const key = fc.integer({ min: 1, max: 40 });
    const step = fc.record({ key, name: fc.string({ maxLength: 200 }), isRead: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.integer({ min: 1000, max: 20_000 }),
        (steps, max) => {
          const rows = new CleanRows(max);
          const newest = new Map<string, Inode>();
          for (const { key: id, name, isRead } of steps) {
            if (!isRead) {
              newest.set(numberKey(id), file(id, name));
              rows.set('inode', numberKey(id), newest.get(numberKey(id)));
            }
            const found = rows.get('inode', numberKey(id));
            if (found !== UNKNOWN) expect(found).toBe(newest.get(numberKey(id)));
            if (!isRead && weighRow('inode', numberKey(id), newest.get(numberKey(id))) < max / 2)
              expect(found).not.toBe(UNKNOWN);
            expect(rows.sizeBytes).toBeLessThanOrEqual(max);
          }
        },
      ),
    );
  });

  it('counts a row once, however often it is set', () => {
    const rows = new CleanRows(MIB);
    for (let round = 0; round < 100; round++) rows.set('inode', numberKey(1), file(1, 'name'));
    expect(rows.sizeBytes).toBe(weighRow('inode', numberKey(1), file(1, 'name')));
  });

  it('counts a row once that is set again after it became an old one', () => {
    const weight = weighRow('inode', numberKey(1), file(1, 'name'));
    // A half has room for two: the third makes the first two old.
    const rows = new CleanRows(4 * weight);
    for (const id of [1, 2, 3, 1]) rows.set('inode', numberKey(id), file(id, 'name'));
    expect(rows.sizeBytes).toBe(3 * weight);
  });

  it('counts a row once that outgrows its generation when it is set again', () => {
    const weight = weighRow('inode', numberKey(1), file(1, 'name'));
    const grown = file(1, 'a longer name');
    const rows = new CleanRows(4 * weight);
    for (const id of [1, 2]) rows.set('inode', numberKey(id), file(id, 'name'));
    for (let round = 0; round < 3; round++) {
      rows.set('inode', numberKey(1), grown);
      expect(rows.sizeBytes).toBe(weight + weighRow('inode', numberKey(1), grown));
    }
  });

  it('keeps what is used again and again while many times its bound pass through', () => {
    const rows = new CleanRows(2 * MIB);
    rows.set('inode', numberKey(1), file(1, ''));
    for (let id = 2; id < 50_000; id++) {
      rows.set('inode', numberKey(id), file(id, `file-${id}`));
      expect(rows.get('inode', numberKey(1))).not.toBe(UNKNOWN);
    }
    expect(rows.get('inode', numberKey(2))).toBe(UNKNOWN);
    expect(rows.sizeBytes).toBeGreaterThan(MIB / 2);
  });

  it('weighs rows as the heap does, within a third', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const rows = new CleanRows(64 * MIB);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let id = 1; id <= 60_000; id++) {
      const name = `a-name-of-some-length-${id}.dat`;
      rows.set('inode', numberKey(id), decodeRow('inode', encodeRow('inode', file(id, name))));
      rows.set('dirent', direntKey(9, name), decodeRow('dirent', encodeRow('dirent', { inode: id })));
    }
    collectGarbage();
    const grown = process.memoryUsage().heapUsed - before;
    expect(rows.sizeBytes / grown).toBeGreaterThan(0.9);
    expect(rows.sizeBytes / grown).toBeLessThan(1.4);
  });
});
