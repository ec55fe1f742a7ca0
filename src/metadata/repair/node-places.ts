/** @module Where datanodes stand and how full they are, from what they registered and what the registry of members says. */
import type { DatanodeRegistry } from '../datanode-registry.ts';
import type { DatanodeStates } from '../datanode-states.ts';
import type { MemberDirectory } from '../member-directory.ts';
import type { NodePlace } from '../node-place.ts';
import type { NodeFill } from './balance-planner.ts';

export interface NodePlacesComponents {
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
}

export function placesOf({
  members,
  registry,
}: Omit<NodePlacesComponents, 'states'>): (node: number) => NodePlace {
  return (node) => {
    const member = members.byNumber(node);
    const { host, zone, hostGroup } = registry.get(node) ?? {};
    return {
      node,
      host: host || (member?.host ?? ''),
      zone: zone || member?.zone,
      hostGroup: hostGroup || member?.hostGroup,
    };
  };
}

/** Of the datanodes that may take and give: alive, staying, writable. What is in quarantine is as good as gone. */
export function nodeFills({ registry, states }: NodePlacesComponents): readonly NodeFill[] {
  return states.candidates().flatMap(({ node }): NodeFill[] => {
    const load = registry.get(node)?.load;
    if (load === undefined) return [];
    const usedBytes = Math.max(0, load.usedBytes - (load.quarantinedBytes ?? 0));
    return [{ node, usedBytes, capacityBytes: load.usedBytes + load.freeBytes }];
  });
}
