/** @module Where a datanode stands, and how much two of them share of what fails at once. Pure. */

/** Where a datanode stands, for spreading copies over what fails apart. */
export interface NodePlace {
  readonly node: number;
  /** Machine it runs on; empty when unknown, which counts as a machine of its own. */
  readonly host: string;
  /** Machines that fail together; empty or absent: the machine alone. */
  readonly hostGroup?: string | undefined;
  /** Room, building, town; those that name none count as one. */
  readonly zone?: string | undefined;
}

/** What closenessTo says of one that shares a zone and nothing less. */
const SHARES_ZONE = 1;

/** 0: shares nothing with any of `others`; 1: a zone; 2: a group of hosts; 3: a host. */
export function closenessTo(place: NodePlace, others: readonly NodePlace[]): number {
  if (others.some((other) => hostOf(other) === hostOf(place))) return 3;
  if (others.some((other) => groupOf(other) === groupOf(place))) return 2;
  return others.some((other) => zoneOf(other) === zoneOf(place)) ? SHARES_ZONE : 0;
}

/** As far from `others` as anything in `zones` may stand: told without a look at what is there, so that it may not be there. */
export function leastCloseness(zones: ReadonlySet<string>, others: readonly NodePlace[]): number {
  const taken = new Set(others.map(zoneOf));
  for (const zone of zones) if (!taken.has(zone)) return 0;
  return SHARES_ZONE;
}

/** '' is one, too. */
export function zoneOf({ zone }: NodePlace): string {
  return zone ?? '';
}

function groupOf(place: NodePlace): string {
  return place.hostGroup ? `group ${place.hostGroup}` : hostOf(place);
}

function hostOf({ host, node }: NodePlace): string {
  return host === '' ? `node ${node}` : `host ${host}`;
}
