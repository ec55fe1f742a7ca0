/** @module Membership changes as transcripts write them: `v1` voter, `l2` learner, `r3` removed, `u4` updated. */
import type { ConfChangeSingle, ConfChangeType } from '../../../raft/types.ts';

const TYPES: Readonly<Record<string, ConfChangeType>> = {
  v: 'ConfChangeAddNode',
  l: 'ConfChangeAddLearnerNode',
  r: 'ConfChangeRemoveNode',
  u: 'ConfChangeUpdateNode',
};

export function parseChanges(text: string): ConfChangeSingle[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return words.map((word) => {
    const type = TYPES[word.charAt(0)];
    if (type === undefined) throw new Error(`unknown input: ${word}`);
    return { type, nodeId: Number(word.slice(1)) };
  });
}
