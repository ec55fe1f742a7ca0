/** @module What of the member list changed since a version, for who has the rest: a bounded history, then the whole list. */
import type { Member } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';

/** Who knows a version older than so many observed changes gets the whole list. */
export const MAX_HISTORY = 256;

/** Rows that changed in the versions (from, to]. */
interface Change {
  readonly from: number;
  readonly to: number;
  readonly numbers: readonly number[];
}

export interface MemberList {
  /** Of the whole list after the change. */
  readonly version: number;
  readonly members: readonly Member[];
  /** False: `members` are all there are. */
  readonly isChange: boolean;
}

/**
 * Soft, and the same at every feature level: rows are never changed in place, so two looks at the list tell which are
 * different. A row that is named although it is known does no harm.
 */
export class MemberChanges {
  readonly #machine: StateMachine;
  readonly #history: Change[] = [];
  #seen: readonly Member[] = [];
  #version = -1;

  constructor({ machine }: { readonly machine: StateMachine }) {
    this.#machine = machine;
  }

  /** `version` 0: of somebody who knows nothing. When nothing changed: no members, as a change. */
  since(version: number): MemberList {
    this.#look();
    if (version <= 0) return this.all();
    const current = { version: this.#version };
    if (version === this.#version) return { ...current, members: [], isChange: true };
    const [oldest] = this.#history;
    if (oldest === undefined || version < oldest.from || version > this.#version) return this.all();
    const numbers = new Set(this.#history.filter(({ to }) => to > version).flatMap((each) => each.numbers));
    return { ...current, members: this.#seen.filter(({ number }) => numbers.has(number)), isChange: true };
  }

  all(): MemberList {
    this.#look();
    return { version: this.#version, members: this.#seen, isChange: false };
  }

  #look(): void {
    const { membersVersion } = this.#machine.counters();
    const members = this.#machine.members();
    if (members === this.#seen && membersVersion === this.#version) return;
    if (membersVersion < this.#version) {
      // A recovered or restored state counts anew: nothing that was seen before is before it.
      this.#history.length = 0;
    } else if (this.#version >= 0) {
      const before = new Set(this.#seen);
      const numbers = members.filter((member) => !before.has(member)).map(({ number }) => number);
      this.#history.push({ from: this.#version, to: membersVersion, numbers });
      if (this.#history.length > MAX_HISTORY) this.#history.shift();
    }
    this.#seen = members;
    this.#version = membersVersion;
  }
}
