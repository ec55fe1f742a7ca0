/** @module Which metadata nodes are away, so that everybody agrees on who stands in for them. */
import { numberKey } from '../keys.ts';
import { DONE } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { Result, SetPresence } from '../schema.ts';
import type { ApplyContext } from '../tree.ts';
import { putMember } from './members.ts';

/** Of those that have left meanwhile nothing is kept. What is so already does not count as a change of the members. */
export function setPresence(view: RowView, { number, away }: SetPresence, context: ApplyContext): Result {
  const member = view.get('member', numberKey(number));
  if (member?.state !== 'active' || !member.roles.includes('meta')) return DONE;
  if ((member.away ?? false) === away) return DONE;
  const absences = (member.absences ?? 0) + (away ? 1 : 0);
  putMember(view, { ...member, away: away || undefined, absences }, context);
  return DONE;
}
