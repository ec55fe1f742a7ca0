/** @module Datanodes as clients see them: where to reach them and whether they answer. */
import type { Member } from '../namespace/schema.ts';
import type { Holder } from '../protocol/messages.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import type { DatanodeStates } from './datanode-states.ts';
import type { MemberDirectory } from './member-directory.ts';

export interface HolderComponents {
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
}

/** One holder per distinct number that is a member, in order of first appearance. */
export function holdersOf(components: HolderComponents, nodes: Iterable<number>): Holder[] {
  return [...new Set(nodes)]
    .map((node) => components.members.byNumber(node))
    .filter((member) => member !== undefined)
    .map((member) => holderOf(components, member));
}

function holderOf({ registry, states }: HolderComponents, member: Member): Holder {
  const registration = registry.get(member.number);
  return {
    node: member.number,
    peer: member.peer,
    addresses: [...(registration?.addresses ?? member.addresses)],
    name: member.name,
    host: registration?.host ?? member.host,
    alive: states.liveness(member.number) === 'alive',
  };
}
