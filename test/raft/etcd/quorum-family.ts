/** @module Runs the quorum family of transcripts: what a majority or a joint quorum has committed, or voted. */
import {
  jointCommittedIndex,
  jointVoteResult,
  majorityCommittedIndex,
  majorityVoteResult,
} from '../../../raft/quorum.ts';
import type { Index, NodeId } from '../../../raft/types.ts';
import type { Directive } from './datadriven.ts';

export const QUORUM_COMMANDS: ReadonlySet<string> = new Set(['committed', 'vote']);

/** Values are listed for the ids in the order of their first appearance; `_` = nothing known. */
interface Given {
  readonly incoming: ReadonlySet<NodeId>;
  readonly outgoing: ReadonlySet<NodeId>;
  readonly isJoint: boolean;
  readonly known: ReadonlyMap<NodeId, string>;
}

export function runQuorum(directive: Directive): string {
  const { command } = directive;
  const given = read(directive, command === 'vote' ? 'votes' : 'idx');
  if (typeof given === 'string') return given;
  return command === 'vote' ? vote(given) : committed(given);
}

function read({ args }: Directive, name: string): Given | string {
  const valuesOf = (key: string): readonly string[] =>
    args.flatMap((arg) => (arg.key === key ? arg.values : [])).filter((value) => value !== '');
  // `zero` asks for a joint quorum whose other half is empty.
  const ids = valuesOf('cfg').map(Number);
  const joint = valuesOf('cfgj')
    .filter((id) => id !== 'zero')
    .map(Number);
  const order = [...new Set([...ids, ...joint])];
  const values = valuesOf(name);
  if (values.length !== order.length)
    return `error: mismatched input (explicit or _) for voters [${order.join(' ')}]: [${values.join(' ')}]`;
  const known = order.map((id, i) => [id, values[i] ?? '_'] as const).filter(([, value]) => value !== '_');
  return {
    incoming: new Set(ids),
    outgoing: new Set(joint),
    isJoint: args.some(({ key }) => key === 'cfgj'),
    known: new Map(known),
  };
}

function vote({ incoming, outgoing, isJoint, known }: Given): string {
  const votes = new Map([...known].map(([id, value]) => [id, value === 'y'] as const));
  return isJoint ? jointVoteResult([incoming, outgoing], votes) : majorityVoteResult(incoming, votes);
}

function committed({ incoming, outgoing, isJoint, known }: Given): string {
  const acked = (id: NodeId): Index | undefined => (known.has(id) ? Number(known.get(id)) : undefined);
  const index = isJoint
    ? jointCommittedIndex([incoming, outgoing], acked)
    : majorityCommittedIndex(incoming, acked);
  const drawing = draw([...new Set([...incoming, ...outgoing])], acked);
  return drawing + (index === Infinity ? '∞' : String(index));
}

/** One line per voter: the bar is as long as there are voters with a smaller index. */
function draw(ids: readonly NodeId[], acked: (id: NodeId) => Index | undefined): string {
  if (ids.length === 0) return '<empty majority quorum>';
  const width = ids.length;
  const sorted = ids.map((id) => acked(id) ?? 0).toSorted((a, b) => a - b);
  const lines = ids
    .toSorted((a, b) => a - b)
    .map((id) => {
      const index = acked(id);
      const length = sorted.indexOf(index ?? 0);
      const bar = index === undefined ? '?'.padEnd(width + 1) : `${'x'.repeat(length)}>`.padEnd(width + 1);
      return `${bar} ${String(index ?? 0).padStart(5)}    (id=${id})\n`;
    });
  return `${' '.repeat(width)}    idx\n${lines.join('')}`;
}
