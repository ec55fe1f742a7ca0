/** @module Members by their peer id, without waiting: asked for every message that comes in. As of the last whole entry. */
import type { EntryBoundary } from './entry-boundary.ts';
import type { RowCache } from './row-cache.ts';
import type { Member } from './schema.ts';

export class MemberIndex {
  readonly #cache: RowCache;
  readonly #boundary: EntryBoundary;
  #builtAt = -1;
  #members: Member[] = [];
  #byPeer = new Map<string, Member>();
  #byNumber = new Map<number, Member>();

  constructor(cache: RowCache, boundary: EntryBoundary) {
    this.#cache = cache;
    this.#boundary = boundary;
  }

  /** To be called before an entry is begun. */
  settle(): void {
    this.#refresh();
  }

  /** All members ever, by number; the same array until one of them changes. */
  all(): readonly Member[] {
    this.#refresh();
    return this.#members;
  }

  /** The active member with this peer id; else the last one that left, with `state` 'left'. */
  byPeer(peer: string): Member | undefined {
    this.#refresh();
    return this.#byPeer.get(peer);
  }

  byNumber(number: number): Member | undefined {
    this.#refresh();
    return this.#byNumber.get(number);
  }

  #refresh(): void {
    if (this.#builtAt === this.#cache.pinnedChanges || this.#boundary.isInside) return;
    this.#builtAt = this.#cache.pinnedChanges;
    const rows = [...this.#cache.pinned('member').values()] as Member[];
    this.#members = rows.toSorted((a, b) => a.number - b.number);
    // A peer that left and came back has a higher number, so the later row is the one that holds.
    this.#byPeer = new Map(this.#members.map((member) => [member.peer, member]));
    this.#byNumber = new Map(this.#members.map((member) => [member.number, member]));
  }
}
