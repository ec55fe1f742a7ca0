/** @module What holds of every configuration, before and after every change. */
import { invariant } from './errors.ts';
import type { Configuration, ProgressMap } from './tracker.ts';

/** Throws RAFT_INVARIANT when configuration and progress do not belong together. */
export function checkConfiguration(configuration: Configuration, progress: ProgressMap): void {
  const { voters, learners, learnersNext, autoLeave } = configuration;
  const [incoming, outgoing] = voters;
  for (const ids of [incoming, outgoing, learners, learnersNext])
    for (const id of ids) invariant(progress.has(id), () => `no progress for ${id}`);

  for (const id of learnersNext) {
    invariant(outgoing.has(id), () => `${id} is in learnersNext, but not in the outgoing voters`);
    invariant(progress.get(id)?.isLearner === false, () => `${id} is in learnersNext, but already a learner`);
  }
  for (const id of learners) {
    invariant(!incoming.has(id) && !outgoing.has(id), () => `${id} is both learner and voter`);
    invariant(progress.get(id)?.isLearner === true, () => `${id} is in learners, but not marked as learner`);
  }
  if (outgoing.size > 0) return;
  invariant(learnersNext.size === 0, () => 'learnersNext is set outside of a joint configuration');
  invariant(!autoLeave, () => 'autoLeave is set outside of a joint configuration');
}
