/** @module What would be lost by taking a node out: a quorum, or the last copies of blocks. */
import type { Member } from '../namespace/schema.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import type { DatanodeStates } from './datanode-states.ts';
import { hasRole } from './member-directory.ts';
import type { BlockFigures } from './repair/cluster-survey.ts';
import type { SoleFindings } from './repair/sole-search.ts';
import { desiredVoters, hasLivingQuorum, type VoterSettings, type VoterView } from './voter-plan.ts';

export interface RemovalSubject {
  readonly member: Member;
  readonly view: VoterView;
  readonly settings: VoterSettings;
}

export interface RemovalCheckComponents {
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
  readonly blocks: BlockFigures;
  /** What only the node in question has. */
  readonly sole: SoleFindings;
}

/** Sentences, each with what to do first; none when nothing would be lost. To be asked of the leader. */
export function removalConcerns(components: RemovalCheckComponents, subject: RemovalSubject): string[] {
  return [
    ...quorumConcerns(subject),
    ...(hasRole(subject.member, 'data') ? dataConcerns(components, subject.member) : []),
  ];
}

/** Without a majority that answers nobody could commit anything, the removal of others included. Pure. */
function quorumConcerns({ member, view, settings }: RemovalSubject): string[] {
  if (!view.status.confState.voters.includes(member.number)) return [];
  const without = { ...view, wanted: view.wanted.filter((number) => number !== member.number) };
  const left = desiredVoters(without, settings);
  if (hasLivingQuorum(without, left)) return [];
  if (left.length === 0)
    return ['No other metadata node has caught up with the namespace yet. Wait a moment, and ask again.'];
  const silent = left.filter((id) => !view.contacts.isAlive(id));
  return [
    `Without it no majority of the voting metadata nodes would answer: of ${left.join(', ')}, ${silent.join(', ')} does not. Start or remove that one first.`,
  ];
}

function dataConcerns(
  { registry, states, blocks: known, sole }: RemovalCheckComponents,
  { number }: Member,
): string[] {
  const { blocks, bytes } = sole;
  if (registry.get(number)?.load.blocks === 0 && blocks === 0) return [];
  const { atRiskComplete, blocksMissing } = known.atRisk();
  if (!atRiskComplete || !sole.isComplete)
    return ['Whether it holds the only copies of any block is not known yet: ask again in a minute.'];
  if (blocks > 0)
    return [
      `It holds the only copy of ${blocks === 1 ? '1 block' : `${blocks} blocks`} (${bytes} bytes). Copy the files that "holdfast locate" shows on it first.`,
    ];
  // What is on a node that does not answer is not counted as a copy, and is gone for good with its number.
  if (blocksMissing > 0 && states.liveness(number) !== 'alive')
    return [
      `${blocksMissing} blocks have no living copy, and it may hold them, but does not answer. Start it first, if that is possible.`,
    ];
  return [];
}
