/** @module Which datanodes shall hold the copies of new blocks: a pluggable policy, and the default one. */
import type { Random } from '../common/random.ts';

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

/** A datanode that may take blocks: alive, writable, registered. */
export interface PlacementCandidate extends NodePlace {
  readonly freeBytes: number;
  /** Placed since its last heartbeat, so not yet visible in `freeBytes`. */
  readonly expectedBytes: number;
  /** Transfers it serves now: of two alike the idle one is taken more often. 0 when absent. */
  readonly inFlight?: number;
}

export interface PlacementRequest {
  /** Sizes of the blocks to place, in bytes. */
  readonly sizes: readonly number[];
  /** Copies wanted of each. */
  readonly copies: number;
  /** Nodes never to be chosen. */
  readonly exclude: readonly number[];
  /** Host that gets the first copy when it has a node with room; empty: none. */
  readonly nearHost: string;
  /** Who has the block already, when further copies are placed: never chosen, and spread away from. */
  readonly held?: readonly NodePlace[];
}

/** Chooses per block up to `copies` distinct nodes; fewer when there are no more with room. */
export interface PlacementPolicy {
  place(
    candidates: readonly PlacementCandidate[],
    request: PlacementRequest,
    random: Random,
  ): readonly (readonly number[])[];
}

/** Weights are drawn in this unit, so that any disk's free space stays within what Random.int takes. */
const WEIGHT_UNIT_BYTES = 1024 * 1024;

/** So many transfers in flight count like half of the free space. */
const HALVING_TRANSFERS = 16;

/**
 * Random, weighted by free space less expected writes, and by how busy a datanode is. No second copy in a zone while another one has room, nor on a
 * group of hosts, nor on a host.
 */
export class FreeSpacePlacement implements PlacementPolicy {
  place(
    candidates: readonly PlacementCandidate[],
    request: PlacementRequest,
    random: Random,
  ): readonly (readonly number[])[] {
    const { held = [] } = request;
    const excluded = new Set([...request.exclude, ...held.map(({ node }) => node)]);
    const room = new Map<number, number>();
    const usable = candidates.filter(({ node }) => !excluded.has(node));
    for (const { node, freeBytes, expectedBytes } of usable) room.set(node, freeBytes - expectedBytes);

    return request.sizes.map((sizeBytes) => {
      const chosen: PlacementCandidate[] = [];
      while (chosen.length < request.copies) {
        const next = chooseNext(usable, [...held, ...chosen], room, sizeBytes, request.nearHost, random);
        if (next === undefined) break;
        chosen.push(next);
        room.set(next.node, roomOf(room, next) - sizeBytes);
      }
      return chosen.map(({ node }) => node);
    });
  }
}

function chooseNext(
  usable: readonly PlacementCandidate[],
  chosen: readonly NodePlace[],
  room: ReadonlyMap<number, number>,
  sizeBytes: number,
  nearHost: string,
  random: Random,
): PlacementCandidate | undefined {
  const fitting = usable.filter(
    (candidate) => !chosen.includes(candidate) && roomOf(room, candidate) >= sizeBytes,
  );
  const near = chosen.length === 0 && nearHost !== '' ? fitting.filter(({ host }) => host === nearHost) : [];
  const pool = near.length > 0 ? near : farthest(fitting, chosen);
  return drawWeighted(pool, room, random);
}

/** Those that share least with `chosen`: neither zone nor less, else no group of hosts, else no host. */
function farthest(
  candidates: readonly PlacementCandidate[],
  chosen: readonly NodePlace[],
): readonly PlacementCandidate[] {
  const closeness = candidates.map((candidate) => closenessTo(candidate, chosen));
  const least = Math.min(...closeness);
  return candidates.filter((_, position) => closeness[position] === least);
}

/** What closenessTo says of one that shares a zone and nothing less. */
export const SHARES_ZONE = 1;

/** 0: shares nothing with any of `others`; 1: a zone; 2: a group of hosts; 3: a host. */
export function closenessTo(place: NodePlace, others: readonly NodePlace[]): number {
  if (others.some((other) => hostOf(other) === hostOf(place))) return 3;
  if (others.some((other) => groupOf(other) === groupOf(place))) return 2;
  return others.some((other) => zoneOf(other) === zoneOf(place)) ? SHARES_ZONE : 0;
}

function drawWeighted(
  pool: readonly PlacementCandidate[],
  room: ReadonlyMap<number, number>,
  random: Random,
): PlacementCandidate | undefined {
  const weights = pool.map(
    (candidate) =>
      1 +
      Math.floor(
        roomOf(room, candidate) / (WEIGHT_UNIT_BYTES * (1 + (candidate.inFlight ?? 0) / HALVING_TRANSFERS)),
      ),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return undefined;
  let ticket = random.int(total);
  return pool.find((_, position) => (ticket -= weights[position] ?? 0) < 0);
}

function roomOf(room: ReadonlyMap<number, number>, candidate: PlacementCandidate): number {
  return room.get(candidate.node) ?? 0;
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
