/** @module What the answer to "do I still belong?" comes to, for a metadata node and for a datanode alike. */
import type { StandingRequest, StandingResponse } from './messages.ts';

/**
 * `removed`: this number has left, for ever. `superseded`: the cluster was recovered, and in its new epoch the asker has
 * not, or no longer, the role it asks for. Undefined: it may go on.
 */
export type StandingVerdict = 'removed' | 'superseded' | undefined;

/** An answer of an older epoch, or of another cluster, counts for nothing. Pure. */
export function standingVerdict(
  answer: StandingResponse,
  asker: StandingRequest,
  role: 'meta' | 'data',
): StandingVerdict {
  if (answer.cluster !== asker.cluster || answer.epoch < asker.epoch) return undefined;
  // Who joined a moment ago, or was removed while raft still counts on it, goes on.
  if ((answer.state === 'active' && answer.roles.includes(role)) || answer.inConfiguration) return undefined;
  if (answer.epoch > asker.epoch && !(role === 'data' && answer.state === 'left')) return 'superseded';
  return answer.state === '' ? undefined : 'removed';
}
