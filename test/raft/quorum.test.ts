import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jointCommittedIndex, jointVoteResult } from '../../raft/quorum.ts';
import type { NodeId } from '../../raft/types.ts';
import { readCases } from './datadriven.ts';
import type { Case } from './datadriven.ts';

/** Ids of a half; `zero` names an empty one. */
function idsOf(test: Case, name: string): NodeId[] {
  return (test.options.get(name) ?? []).filter((id) => id !== 'zero' && id !== '').map(Number);
}

/** Values are listed in the order in which ids first appear. */
function valuesOf(test: Case, name: string): Map<NodeId, string> {
  const ids = [...new Set([...idsOf(test, 'cfg'), ...idsOf(test, 'cfgj')])];
  const known = ids.map((id, i) => [id, test.options.get(name)?.[i] ?? '_'] as const);
  return new Map(known.filter(([, value]) => value !== '_'));
}

function run(test: Case): string {
  const voters = [new Set(idsOf(test, 'cfg')), new Set(idsOf(test, 'cfgj'))] as const;
  if (test.command === 'vote') {
    const votes = new Map([...valuesOf(test, 'votes')].map(([id, vote]) => [id, vote === 'y'] as const));
    return jointVoteResult(voters, votes);
  }
  const acked = valuesOf(test, 'idx');
  const index = jointCommittedIndex(voters, (id) => (acked.has(id) ? Number(acked.get(id)) : undefined));
  return index === Infinity ? '∞' : String(index);
}

for (const file of readdirSync(new URL('./testdata/quorum', import.meta.url)))
  describe(`etcd-raft quorum/${file}`, () => {
    for (const test of readCases(`quorum/${file}`))
      it(`agrees at line ${test.line}`, () => {
        // A drawing of the indexes may precede the answer.
        const answer = test.expected
          .split('\n')
          .at(-1)
          ?.replace(/^<empty majority quorum>/, '');
        expect(run(test)).toBe(answer);
      });
  });
