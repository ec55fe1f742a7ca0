/** @module The members of the cluster as this client knows them: asked for once, then only for what changed. */
import type { Member } from '../namespace/schema.ts';
import { type Membership, metadataMembership } from '../protocol/index-membership.ts';
import type { MembersRequest, MembersResponse } from '../protocol/messages.ts';

export class MemberMap {
  readonly #byNumber = new Map<number, Member>();
  #version = 0;
  #epoch = 0;

  /** What to ask, so that the answer holds no more than is new. */
  question(): MembersRequest {
    return { stale: false, knownVersion: this.#version, knownEpoch: this.#epoch };
  }

  /** Takes an answer to question(); one that is older than what is known changes nothing. */
  take({ members, version, isChange = false, cluster }: MembersResponse): void {
    const epoch = cluster?.epoch ?? 0;
    if (epoch < this.#epoch || (epoch === this.#epoch && version < this.#version)) return;
    // Changes since a version of another epoch are no whole list; the next question asks for one.
    if (isChange && epoch !== this.#epoch) return;
    if (!isChange) this.#byNumber.clear();
    for (const member of members) this.#byNumber.set(member.number, member);
    this.#version = version;
    this.#epoch = epoch;
  }

  /** All that were ever told of, those that have left among them; none before the first answer. */
  all(): readonly Member[] {
    return [...this.#byNumber.values()];
  }

  /** The metadata nodes, and as of when; epoch 0 before the first answer. */
  get metadata(): Membership {
    return metadataMembership(this.all(), { version: this.#version, epoch: this.#epoch });
  }

  /** Held to be gone or silent by the cluster, as of the last answer. */
  isAway(number: number): boolean {
    const member = this.#byNumber.get(number);
    return member?.liveness === 'dead' || member?.liveness === 'suspect' || member?.state === 'left';
  }

  /** Datanodes that belong to the cluster; undefined before the first answer. */
  get datanodes(): number | undefined {
    if (this.#byNumber.size === 0) return undefined;
    return this.all().filter(({ roles, state }) => roles.includes('data') && state !== 'left').length;
  }
}
