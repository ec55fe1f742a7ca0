/** @module What every RaftLogStore must do. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfState, Entry, Snapshot } from '../../raft/types.ts';
import { utf8 } from '../../src/common/bytes.ts';
import type { RaftLogStore } from '../../src/storage/raft-log-store.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export function raftLogStoreSuite(name: string, open: (directory: string) => Promise<RaftLogStore>): void {
  const fresh = async (): Promise<RaftLogStore> => {
    return await open(await temporaryDirectory());
  };

  describe(`${name} as a RaftLogStore`, () => {
    it('is empty at first, and has neither entries nor a snapshot', async () => {
      const log = await fresh();
      expect(log.isEmpty()).toBe(true);
      expect([log.firstIndex(), log.lastIndex(), log.term(0)]).toEqual([1, 0, 0]);
      expect(log.initialState().hardState).toEqual({ term: 0, vote: 0, commit: 0 });
      expect(() => log.snapshot()).toThrow(
        expect.objectContaining({ code: 'RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE' }),
      );
      expect(() => log.entries(1, 2, NO_LIMIT)).toThrow(
        expect.objectContaining({ code: 'RAFT_UNAVAILABLE' }),
      );
      await log.close();
    });

    it('starts with the configuration it was bootstrapped with, once', async () => {
      const log = await fresh();
      await log.bootstrap(conf(1), { term: 1, vote: 1, commit: 1 }, entries(1, 1, 1));
      expect(log.initialState()).toEqual({ hardState: { term: 1, vote: 1, commit: 1 }, confState: conf(1) });
      expect([log.firstIndex(), log.lastIndex(), log.isEmpty()]).toEqual([1, 1, false]);
      expect(() => log.snapshot()).toThrow(
        expect.objectContaining({ code: 'RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE' }),
      );
      await expect(log.bootstrap(conf(1), { term: 1, vote: 1, commit: 1 }, [])).rejects.toMatchObject({
        code: 'STORAGE_LOG_NOT_EMPTY',
      });
      await log.close();
    });

    it('replaces the suffix that a new append overlaps', async () => {
      const log = await fresh();
      await append(log, entries(1, 5, 1));
      await append(log, entries(3, 3, 2));
      expect(log.lastIndex()).toBe(3);
      expect(log.entries(1, 4, NO_LIMIT)).toEqual([...entries(1, 2, 1), ...entries(3, 3, 2)]);
      expect(log.retainedBytes()).toBe(3 * 8);
      await log.close();
    });

    it('gives at least one entry, and no more than the size allows', async () => {
      const log = await fresh();
      await append(log, entries(1, 10, 1));
      expect(log.entries(2, 11, 0)).toHaveLength(1);
      expect(log.entries(2, 11, NO_LIMIT)).toHaveLength(9);
      await log.close();
    });

    it('answers what is compacted with RAFT_COMPACTED, and the term just before the first entry', async () => {
      const log = await fresh();
      await append(log, entries(1, 10, 3));
      await log.compact(snapshotAt(8, 3), 6);
      expect([log.firstIndex(), log.lastIndex(), log.term(6)]).toEqual([7, 10, 3]);
      expect(log.snapshot().metadata.index).toBe(8);
      expect(() => log.term(5)).toThrow(expect.objectContaining({ code: 'RAFT_COMPACTED' }));
      expect(() => log.entries(6, 8, NO_LIMIT)).toThrow(expect.objectContaining({ code: 'RAFT_COMPACTED' }));
      expect(() => log.term(11)).toThrow(expect.objectContaining({ code: 'RAFT_UNAVAILABLE' }));
      await append(log, entries(11, 11, 3));
      expect(log.entries(7, 12, NO_LIMIT).map((entry) => entry.index)).toEqual([7, 8, 9, 10, 11]);
      await log.close();
    });

    it('ignores a compaction that a newer snapshot has overtaken', async () => {
      const log = await fresh();
      await append(log, entries(1, 5, 1));
      const installed = log.append({ snapshot: snapshotAt(20, 2), entries: [], mustSync: true });
      await log.compact(snapshotAt(4, 1), 4);
      await installed;
      expect([log.firstIndex(), log.snapshot().metadata.index]).toEqual([21, 20]);
      await log.close();
    });

    it('begins anew after an installed snapshot, with the entries of the same write behind it', async () => {
      const log = await fresh();
      await append(log, entries(1, 5, 1));
      await log.append({
        snapshot: snapshotAt(20, 4),
        hardState: { term: 4, vote: 0, commit: 20 },
        entries: entries(21, 22, 4),
        mustSync: true,
      });
      expect([log.firstIndex(), log.lastIndex(), log.term(20)]).toEqual([21, 22, 4]);
      expect(log.initialState()).toEqual({
        hardState: { term: 4, vote: 0, commit: 20 },
        confState: conf(1, 2, 3),
      });
      expect(log.retainedBytes()).toBe(2 * 8);
      await log.close();
    });

    it('refuses a gap', async () => {
      const log = await fresh();
      await append(log, entries(1, 2, 1));
      await expect(append(log, entries(4, 4, 1))).rejects.toThrow();
      expect(log.lastIndex()).toBe(2);
      await log.close();
    });

    it('ends as if writes that are asked for at once had been made one after the other', async () => {
      const step = fc.record({ back: fc.nat(4), count: fc.nat(5), sync: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
          const log = await fresh();
          let model: Entry[] = [];
          const writes = steps.map(({ back, count, sync }, at) => {
            const first = Math.max(1, model.length + 1 - back);
            const added = entries(first, first + count - 1, at + 1);
            if (count > 0) model = [...model.slice(0, first - 1), ...added];
            return log.append({
              hardState: { term: at + 1, vote: 1, commit: 0 },
              entries: added,
              mustSync: sync,
            });
          });
          await Promise.all(writes);
          expect(log.entries(1, log.lastIndex() + 1, NO_LIMIT)).toEqual(model);
          expect(log.initialState().hardState.term).toBe(steps.length);
          await log.close();
        }),
        { numRuns: 25 },
      );
    });

    it('refuses writes after close', async () => {
      const log = await fresh();
      await log.close();
      await expect(append(log, entries(1, 1, 1))).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    });
  });
}

/** Entries [first, last] of `term`, 8 bytes of data each. */
export function entries(first: number, last: number, term: number): Entry[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => ({
    index: first + at,
    term,
    type: at % 2 === 0 ? ('EntryNormal' as const) : ('EntryConfChangeV2' as const),
    data: Buffer.from(utf8(String(first + at).padStart(8, '0'))),
  }));
}

export function append(log: RaftLogStore, added: readonly Entry[]): Promise<void> {
  return log.append({ entries: added, mustSync: true });
}

export function conf(...voters: number[]): ConfState {
  return { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
}

export function snapshotAt(index: number, term: number): Snapshot {
  return {
    metadata: { index, term, confState: conf(1, 2, 3) },
    data: Buffer.from(utf8(`snapshot ${index}`)),
  };
}
