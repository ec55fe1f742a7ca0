/** @module When a copied data directory is the node's own again. */
import { expect, it, vi } from 'vitest';
import type { Restraint } from '../../raft/restraint.ts';
import { CopyAdoption } from '../../src/metadata/copy-adoption.ts';
import type { RaftDriver } from '../../src/metadata/raft-driver.ts';
import type { RaftLogStore } from '../../src/storage/raft-log-store.ts';

/** It may have voted in term 4, and acknowledged everything up to entry 7 of term 3. */
const RESTRAINT: Restraint = { term: 4, last: { term: 3, index: 7 } };

/** What is durable: the term with its vote, and the last entry. */
interface Durable {
  readonly term: number;
  readonly vote: number;
  readonly last: { readonly term: number; readonly index: number };
}

function open({ term, vote, last }: Durable, isCopy: boolean) {
  const adopt = vi.fn(() => Promise.resolve());
  const restrain = vi.fn();
  const log = {
    isCopy,
    adopt,
    initialState: () => ({ hardState: { term, vote, commit: 0 } }),
    lastIndex: () => last.index,
    term: () => last.term,
  } as unknown as RaftLogStore;
  const adoption = new CopyAdoption({ log, driver: { restrain } as unknown as RaftDriver });
  adoption.hold(RESTRAINT);
  return { adoption, adopt, restrain };
}

it.each<[string, boolean, Durable]>([
  ['the vote of that term is spent and its log has all', true, { term: 4, vote: 1, last: RESTRAINT.last }],
  ['it is in a later term and its log has all', true, { term: 5, vote: 0, last: RESTRAINT.last }],
  ['its log is of a later term, and shorter', true, { term: 5, vote: 0, last: { term: 4, index: 2 } }],
  ['it could vote in that term again', false, { term: 4, vote: 0, last: RESTRAINT.last }],
  ['it has not heard of that term', false, { term: 3, vote: 1, last: RESTRAINT.last }],
  ['an entry is missing', false, { term: 5, vote: 0, last: { term: 3, index: 6 } }],
  ['its log is longer, but of an earlier term', false, { term: 5, vote: 0, last: { term: 2, index: 9 } }],
])('where %s: %s', async (_what, isAdopted, durable) => {
  const { adoption, adopt, restrain } = open(durable, true);
  expect(restrain).toHaveBeenCalledWith(RESTRAINT);
  await adoption.work();
  expect(adopt).toHaveBeenCalledTimes(isAdopted ? 1 : 0);
});

it('does nothing to a directory that is no copy', async () => {
  const { adoption, adopt, restrain } = open({ term: 9, vote: 1, last: { term: 9, index: 9 } }, false);
  await adoption.work();
  expect(restrain).not.toHaveBeenCalled();
  expect(adopt).not.toHaveBeenCalled();
});
