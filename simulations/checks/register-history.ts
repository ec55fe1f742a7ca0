/** @module What clients saw of single registers, and whether one order of instants explains all of it (Herlihy and Wing). */

/** `end` absent: nobody knows whether it was done, or when. Instants are places in one order of everything. */
export interface RegisterOperation {
  readonly client: number;
  readonly key: string;
  readonly kind: 'read' | 'write';
  readonly value: number;
  readonly start: number;
  readonly end?: number;
}

/** More steps than this, and a key is given up rather than waited for. */
const MAX_STEPS = 2_000_000;

export interface RegisterVerdict {
  readonly isLinearizable: boolean;
  /** Of the first key that is not; else empty. */
  readonly evidence: readonly RegisterOperation[];
}

/** Keys are independent (a history is linearizable if and only if each object's part of it is), so each is judged alone. */
export function checkRegisters(
  operations: readonly RegisterOperation[],
  initial: (key: string) => number,
): RegisterVerdict {
  for (const [key, own] of Map.groupBy(operations, (operation) => operation.key))
    if (!isLinearizable(own, initial(key))) return { isLinearizable: false, evidence: own };
  return { isLinearizable: true, evidence: [] };
}

/** Wing and Gong's search: take any operation that nothing unfinished precedes; never the same set and value twice (Lowe). */
export function isLinearizable(operations: readonly RegisterOperation[], initial: number): boolean {
  // A read of unknown outcome says nothing.
  const relevant = operations
    .filter(({ kind, end }) => kind === 'write' || end !== undefined)
    .toSorted((a, b) => a.start - b.start);
  const search = new Search(relevant);
  return search.run(initial);
}

interface Frame {
  readonly value: number;
  /** Candidates not tried yet, by position. */
  readonly candidates: number[];
  readonly taken: number;
}

class Search {
  readonly #operations: readonly RegisterOperation[];
  readonly #isTaken: boolean[];
  readonly #visited = new Set<string>();
  #certainLeft: number;
  /** Everything before it is taken. */
  #first = 0;

  constructor(operations: readonly RegisterOperation[]) {
    this.#operations = operations;
    this.#isTaken = operations.map(() => false);
    this.#certainLeft = operations.filter(({ end }) => end !== undefined).length;
  }

  run(initial: number): boolean {
    const stack: Frame[] = [{ value: initial, candidates: this.#candidates(initial), taken: -1 }];
    for (let steps = 0; stack.length > 0; steps += 1) {
      if (this.#certainLeft === 0) return true;
      if (steps > MAX_STEPS) throw new Error(`No verdict on ${this.#operations.length} operations.`);
      const frame = stack[stack.length - 1] as Frame;
      const position = frame.candidates.pop();
      if (position === undefined) {
        stack.pop();
        if (frame.taken >= 0) this.#mark(frame.taken, false);
        continue;
      }
      const operation = this.#at(position);
      const value = operation.kind === 'write' ? operation.value : frame.value;
      this.#mark(position, true);
      const key = this.#fingerprint(value);
      if (this.#visited.has(key)) {
        this.#mark(position, false);
        continue;
      }
      this.#visited.add(key);
      stack.push({ value, candidates: this.#candidates(value), taken: position });
    }
    return false;
  }

  /** Those that may come next: begun before anything that is not taken yet ended. */
  #candidates(value: number): number[] {
    const found: number[] = [];
    let earliestEnd = Infinity;
    for (let position = this.#first; position < this.#operations.length; position += 1) {
      const operation = this.#at(position);
      if (operation.start > earliestEnd) break;
      if (this.#isTaken[position]) continue;
      earliestEnd = Math.min(earliestEnd, operation.end ?? Infinity);
      if (operation.kind === 'write' || operation.value === value) found.push(position);
    }
    const eligible = found.filter((position) => this.#at(position).start <= earliestEnd);
    // Tried from the end: certain ones that ended first, before those that may never have been.
    return eligible.toSorted((a, b) => (this.#at(b).end ?? Infinity) - (this.#at(a).end ?? Infinity));
  }

  #mark(position: number, isTaken: boolean): void {
    this.#isTaken[position] = isTaken;
    if (this.#at(position).end !== undefined) this.#certainLeft += isTaken ? -1 : 1;
    if (isTaken) while (this.#isTaken[this.#first]) this.#first += 1;
    else this.#first = Math.min(this.#first, position);
  }

  /** The value, and the set of those taken: all before `first`, and some behind it. */
  #fingerprint(value: number): string {
    const behind: number[] = [];
    for (let position = this.#first; position < this.#operations.length; position += 1)
      if (this.#isTaken[position]) behind.push(position);
    return `${value} ${this.#first} ${behind.join()}`;
  }

  #at(position: number): RegisterOperation {
    return this.#operations[position] as RegisterOperation;
  }
}
