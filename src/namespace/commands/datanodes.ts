/** @module What the cluster holds of its datanodes: whether they live, and whether they are being emptied. */
import { invalidArgument, noSuchMember } from '../errors.ts';
import { numberKey } from '../keys.ts';
import { DONE, memberResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { Member, Result, SetDrain, SetLiveness } from '../schema.ts';
import type { ApplyContext } from '../tree.ts';
import { putMember } from './members.ts';

const LIVENESS: readonly string[] = ['alive', 'suspect', 'dead'];
const DRAIN: readonly string[] = ['', 'draining', 'drained'];

/** Of datanodes that have left meanwhile nothing is kept. What is so already does not count as a change of the members. */
export function setLiveness(view: RowView, { changes }: SetLiveness, context: ApplyContext): Result {
  for (const { number, liveness } of changes) {
    if (!LIVENESS.includes(liveness))
      throw invalidArgument(`A datanode is ${LIVENESS.join(', ')}.`, { liveness });
    const member = view.get('member', numberKey(number));
    if (member === undefined || !isDatanode(member) || member.liveness === liveness) continue;
    putMember(view, { ...member, liveness, livenessMs: context.timeMs }, context);
  }
  return DONE;
}

/** With `from`, nothing happens unless that is the state now: a drain that ended must not undo one that was called off meanwhile. */
export function setDrain(view: RowView, { number, drain, from }: SetDrain, context: ApplyContext): Result {
  if (!DRAIN.includes(drain))
    throw invalidArgument('A datanode is draining, drained, or neither.', { drain });
  const member = view.get('member', numberKey(number));
  if (member === undefined || !isDatanode(member)) throw noSuchMember(number);
  const now = member.drain ?? '';
  if (now === drain || (from !== undefined && from !== now)) return memberResult(member);
  return memberResult(putMember(view, { ...member, drain: drain === '' ? undefined : drain }, context));
}

function isDatanode({ state, roles }: Member): boolean {
  return state === 'active' && roles.includes('data');
}
