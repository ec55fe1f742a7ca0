/** @module Folding log writes that wait together into as few transactions as possible. */
import type { Entry } from '../../raft/types.ts';
import { assertFollows, type LogChange } from './log-window.ts';

type Append = LogChange & { readonly kind: 'append' };

/**
 * The same changes in the same order, neighbouring appends made one. Changes that move the base of the log (snapshots,
 * compactions) stay alone: what follows them is checked against the new base.
 */
export function foldChanges(changes: readonly LogChange[]): LogChange[] {
  const folded: LogChange[] = [];
  let run: Append[] = [];
  const endRun = (): void => {
    if (run.length > 0) folded.push(foldAppends(run));
    run = [];
  };
  for (const change of changes) {
    if (change.kind === 'append' && change.snapshot === undefined) {
      run.push(change);
      continue;
    }
    endRun();
    folded.push(change);
  }
  endRun();
  return folded;
}

/** The last hard state, and the entries as they stand after all appends: each replaces what it overlaps. */
function foldAppends(run: readonly Append[]): Append {
  const entries: Entry[] = [];
  for (const append of run) {
    const first = append.entries[0];
    const held = entries[0];
    if (first === undefined) continue;
    if (held !== undefined && first.index <= held.index) entries.length = 0;
    else if (held !== undefined) {
      assertFollows(append.entries, held.index, held.index + entries.length - 1);
      entries.length = first.index - held.index;
    }
    for (const entry of append.entries) entries.push(entry);
  }
  const hardState = run.findLast((append) => append.hardState !== undefined)?.hardState;
  return { kind: 'append', entries, ...(hardState === undefined ? {} : { hardState }) };
}
