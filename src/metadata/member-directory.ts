/** @module Who is who: the replicated registry, and until it has arrived here, what the join answer and other nodes said. */
import type { NodeId } from '../../raft/types.ts';
import type { Member } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { PeerId } from '../network/network.ts';

export type Role = 'meta' | 'data' | 'client';
export const ACTIVE = 'active';
/** Metadata nodes that one which was away may have to hear of before the registry tells it of them. */
const MAX_SEEDS = 256;

export class MemberDirectory {
  readonly #machine: StateMachine;
  #seeds: readonly Member[];
  /** Active members by role, and what they were gathered from: both lists are replaced, never changed. */
  #active = {
    registered: [] as readonly Member[],
    seeds: [] as readonly Member[],
    byRole: new Map<Role, readonly Member[]>(),
  };

  /** `seeds`: the members a joining node was told of; used for those the registry does not know yet. */
  constructor(machine: StateMachine, seeds: readonly Member[]) {
    this.#machine = machine;
    this.#seeds = seeds;
  }

  /** As a seed: another metadata node says that `member` joined, and the registry here is too old to know. */
  learn(member: Member): void {
    const others = this.#seeds.filter(({ number }) => number !== member.number);
    this.#seeds = [member, ...others].slice(0, MAX_SEEDS);
  }

  byNumber(number: NodeId): Member | undefined {
    return this.#machine.memberByNumber(number) ?? this.#seeds.find((seed) => seed.number === number);
  }

  /** Of all numbers it has had the last: one that lost its log comes back under a new one (readmission). */
  byPeer(peer: PeerId): Member | undefined {
    const registered = this.#machine.memberByPeer(peer);
    if (this.#seeds.length === 0) return registered;
    const said = this.#saidOf(peer);
    return registered !== undefined && registered.number >= (said?.number ?? 0) ? registered : said;
  }

  /** The active member behind an authenticated peer id. */
  activeByPeer(peer: PeerId): Member | undefined {
    const member = this.byPeer(peer);
    return member?.state === ACTIVE ? member : undefined;
  }

  /** Active members of a role, by number; the same array until a member changes. */
  withRole(role: Role): readonly Member[] {
    const registered = this.#machine.members();
    if (this.#active.registered !== registered || this.#active.seeds !== this.#seeds)
      this.#active = { registered, seeds: this.#seeds, byRole: new Map() };
    const { byRole } = this.#active;
    let members = byRole.get(role);
    if (members === undefined) byRole.set(role, (members = this.#gather(role)));
    return members;
  }

  /** Asked with every request that comes in, so that it makes nothing. */
  #saidOf(peer: PeerId): Member | undefined {
    let last: Member | undefined;
    for (const seed of this.#seeds) if (seed.peer === peer && seed.number > (last?.number ?? -1)) last = seed;
    return last;
  }

  #gather(role: Role): readonly Member[] {
    const { registered, seeds } = this.#active;
    const numbers = new Set(registered.map(({ number }) => number));
    return [...registered, ...seeds.filter(({ number }) => !numbers.has(number))]
      .filter((member) => member.state === ACTIVE && member.roles.includes(role))
      .toSorted((a, b) => a.number - b.number);
  }
}

/** Active, and a metadata node. */
export function isMetadataNode(member: Member | undefined): boolean {
  return member?.state === ACTIVE && member.roles.includes('meta');
}

export function hasRole(member: Member | undefined, ...roles: readonly Role[]): member is Member {
  return member !== undefined && roles.some((role) => member.roles.includes(role));
}
