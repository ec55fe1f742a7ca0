/** @module The log (unstable tail, storage, truncation, compaction) against the slow obvious model: one array of terms. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RaftLog } from '../../raft/log.ts';
import { EMPTY_CONF_STATE, MemoryStorage } from '../../raft/memory-storage.ts';
import type { Entry, Index, Term } from '../../raft/types.ts';
import { entry } from '../../simulations/manual-raft.ts';

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What a leader of `term` sends: its entries from `previous` on, which may cut off ours. */
type Step =
  | { readonly kind: 'append'; readonly back: number; readonly count: number; readonly newTerm: boolean }
  | { readonly kind: 'resend'; readonly back: number; readonly count: number }
  | { readonly kind: 'begin' | 'finish' }
  | { readonly kind: 'commit' | 'apply' | 'compact'; readonly fraction: number };

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('append' as const),
      back: fc.nat(6),
      count: fc.integer({ min: 1, max: 90 }),
      newTerm: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('resend' as const), back: fc.nat(9), count: fc.nat(5) }),
    fc.record({ kind: fc.constantFrom('begin' as const, 'finish' as const) }),
    fc.record({ kind: fc.constantFrom('commit' as const, 'apply' as const, 'compact' as const), fraction }),
  ),
  { maxLength: 60 },
);

/** `terms[i]` is the term of entry i + 1; nothing is ever forgotten. */
class Model {
  terms: Term[] = [];
  committed: Index = 0;
  applied: Index = 0;
  /** Everything up to here is compacted away. */
  compacted: Index = 0;

  term(index: Index): Term {
    return index === 0 ? 0 : (this.terms[index - 1] ?? 0);
  }
}

/** The real log, with a disk that writes one batch at a time. */
class Subject {
  readonly storage = new MemoryStorage();
  readonly log: RaftLog = new RaftLog(
    { storage: this.storage, logger: SILENT },
    { maxApplyingBytes: Infinity, appliesUnstable: false },
  );
  #writing: Entry[] = [];

  begin(): void {
    if (this.#writing.length > 0) return;
    this.#writing = this.log.unstable.nextEntries();
    this.log.unstable.acceptInProgress();
  }

  /** Of a batch that was cut off meanwhile, only the write is done: it does not count. */
  finish(): void {
    this.storage.append(this.#writing);
    const last = this.#writing.at(-1);
    this.#writing = [];
    if (last !== undefined && this.log.matches(last)) this.log.unstable.stableTo(last);
  }
}

function nextEntries(log: RaftLog, count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => entry(1, log.lastIndex() + 1 + i));
}

function run(model: Model, subject: Subject, step: Step): void {
  const { log, storage } = subject;
  switch (step.kind) {
    case 'append': {
      const previous = Math.max(model.committed, model.terms.length - step.back);
      const term = Math.max(model.term(model.terms.length), 1) + (step.newTerm ? 1 : 0);
      const entries = Array.from({ length: step.count }, (_, i) => entry(term, previous + 1 + i));
      const isConflict = entries.some(({ index }) => model.term(index) !== term);
      log.maybeAppend({ index: previous, term: model.term(previous) }, entries, 0);
      if (isConflict) {
        const kept = entries.findIndex(({ index }) => model.term(index) !== term);
        model.terms = [...model.terms.slice(0, previous + kept), ...entries.slice(kept).map((e) => e.term)];
      }
      return;
    }
    case 'resend': {
      const previous = Math.max(model.compacted, model.terms.length - step.back);
      const entries = model.terms
        .slice(previous, previous + step.count)
        .map((term, i) => entry(term, previous + 1 + i));
      log.maybeAppend({ index: previous, term: model.term(previous) }, entries, 0);
      return;
    }
    case 'begin':
      subject.begin();
      return;
    case 'finish':
      subject.finish();
      return;
    case 'commit':
      model.committed = Math.max(model.committed, Math.floor(model.terms.length * step.fraction));
      log.commitTo(model.committed);
      return;
    case 'apply': {
      const ready = log.nextCommittedEntries();
      expect(ready.map(({ index }) => index)).toEqual(
        Array.from({ length: ready.length }, (_, i) => model.applied + 1 + i),
      );
      const last = ready.at(-1);
      if (last === undefined) return;
      // Only what is durable is applied.
      expect(storage.lastIndex()).toBeGreaterThanOrEqual(last.index);
      log.acceptApplying(last.index, 0);
      log.appliedTo(last.index, 0);
      model.applied = last.index;
      return;
    }
    case 'compact': {
      const index = Math.floor(model.applied * step.fraction);
      if (index <= model.compacted) return;
      storage.createSnapshot(index, EMPTY_CONF_STATE, new Uint8Array(0));
      storage.compact(index);
      model.compacted = index;
    }
  }
}

it('reads as one array of terms, however it is written, cut, committed and compacted', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const model = new Model();
      const subject = new Subject();
      for (const step of script) {
        run(model, subject, step);
        const { log } = subject;
        const last = model.terms.length;
        expect([log.firstIndex(), log.lastIndex(), log.committed]).toEqual([
          model.compacted + 1,
          last,
          model.committed,
        ]);
        for (let index = model.compacted; index <= last + 1; index++)
          expect(log.term(index)).toBe(index > last ? undefined : model.term(index));
        const read = log.entries(model.compacted + 1, Infinity);
        expect(read.map(({ term }) => term)).toEqual(model.terms.slice(model.compacted));
      }
    }),
  );
});

it('keeps every entry at its place while parts of a long tail become durable', () => {
  const batches = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(batches, (sizes) => {
      const { log } = new Subject();
      for (const size of sizes) log.append(nextEntries(log, size));
      let durable = 0;
      for (const size of sizes) {
        durable += size;
        log.unstable.stableTo({ term: 1, index: durable });
        expect(log.unstable.offset).toBe(durable + 1);
        const tail = log.unstable.slice(durable + 1, log.lastIndex() + 1, Infinity);
        expect(tail.map(({ index }) => index)).toEqual(
          Array.from({ length: tail.length }, (_, i) => durable + 1 + i),
        );
        log.append(nextEntries(log, 1));
        expect(log.term(log.lastIndex())).toBe(1);
      }
    }),
  );
});

it('finds the largest place where two logs may agree, as a search over all places does', () => {
  const terms = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 });
  fc.assert(
    fc.property(terms, fc.nat(14), fc.nat(6), (drawn, index, term) => {
      const sorted = drawn.toSorted((a, b) => a - b);
      const { log } = new Subject();
      log.append(sorted.map((at, i) => entry(at, i + 1)));
      const from = Math.min(index, sorted.length);
      const places = Array.from({ length: from + 1 }, (_, i) => i);
      const best = places.filter((at) => at === 0 || (sorted[at - 1] ?? 0) <= term).at(-1) ?? 0;
      expect(log.findConflictByTerm(from, term).index).toBe(best);
    }),
  );
});

it('pages through committed entries in order, in pieces of the given size, never of none', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(40), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 120 }),
      (sizes, maxBytes) => {
        const storage = new MemoryStorage();
        storage.append(sizes.map((size, i) => entry(1, i + 1, 'x'.repeat(size))));
        const log = new RaftLog(
          { storage, logger: SILENT },
          { maxApplyingBytes: maxBytes, appliesUnstable: true },
        );
        log.commitTo(sizes.length);
        const seen: Index[] = [];
        while (log.hasNextCommittedEntries()) {
          const page = log.nextCommittedEntries();
          const last = page.at(-1);
          if (last === undefined) throw new Error('an empty page');
          log.acceptApplying(last.index, 1);
          // A page that was cut short, or fills the bound, holds back the rest until it is applied.
          if (last.index < sizes.length || maxBytes === 1) expect(log.hasNextCommittedEntries()).toBe(false);
          log.appliedTo(last.index, 1);
          seen.push(...page.map((e) => e.index));
        }
        expect(seen).toEqual(sizes.map((_, i) => i + 1));
      },
    ),
  );
});
