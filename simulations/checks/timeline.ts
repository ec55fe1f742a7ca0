/** @module The history of one part laid out for the search: places in one order, who is open where, who never ended. */
import type { Model } from './model.ts';
import type { Operation } from './operation.ts';
import type { PlacedOperation } from './placed-operation.ts';

/** A start or an end of an operation whose outcome is known. */
export interface Moment<Call> {
  readonly operation: PlacedOperation<Call>;
  readonly isStart: boolean;
  /** Those open at an end, the first to end first: the ending one; empty at a start. */
  readonly open: readonly PlacedOperation<Call>[];
}

/** Operations of unknown outcome that are alike in all but their start, the earliest first. One is as good as another. */
export type PendingKind<Call> = readonly PlacedOperation<Call>[];

export interface Timeline<Call> {
  readonly operations: readonly PlacedOperation<Call>[];
  readonly moments: readonly Moment<Call>[];
  readonly pending: readonly PendingKind<Call>[];
}

interface Edge<Call> {
  readonly instant: number;
  readonly operation: Operation<Call>;
  readonly isStart: boolean;
}

export function layOut<State, Call>(
  model: Model<State, Call>,
  operations: readonly Operation<Call>[],
): Timeline<Call> {
  const edges = operations.flatMap(edgesOf).toSorted(byInstant);
  const places = placesOf(edges);
  const bits = new Slots();
  const kinds = new Kinds();
  const placed = new Map<Operation<Call>, PlacedOperation<Call>>();
  const open = new Set<PlacedOperation<Call>>();
  const moments: Moment<Call>[] = [];
  for (const { operation, isStart } of edges) {
    if (isStart) {
      const isPending = operation.end === undefined;
      const entry: PlacedOperation<Call> = {
        ...operation,
        effect: model.effect(operation.call),
        startAt: places.get(operation)?.startAt ?? 0,
        endAt: places.get(operation)?.endAt ?? Infinity,
        bit: isPending ? 0n : bits.take(),
        kind: kinds.numberOf(model.describe(operation.call)),
      };
      placed.set(operation, entry);
      if (isPending) continue;
      open.add(entry);
      moments.push({ operation: entry, isStart, open: [] });
    } else {
      const entry = placed.get(operation) as PlacedOperation<Call>;
      open.delete(entry);
      moments.push({ operation: entry, isStart, open: [entry, ...open].toSorted(byEnd) });
      bits.giveBack(entry.bit);
    }
  }
  const all = [...placed.values()];
  return { operations: all, moments, pending: pendingKinds(all) };
}

function edgesOf<Call>(operation: Operation<Call>): Edge<Call>[] {
  const { start, end } = operation;
  const first = { instant: start, operation, isStart: true };
  return end === undefined ? [first] : [first, { instant: end, operation, isStart: false }];
}

/** At one instant starts come first: what ends as another starts may have overlapped it. */
function byInstant<Call>(left: Edge<Call>, right: Edge<Call>): number {
  return left.instant - right.instant || Number(right.isStart) - Number(left.isStart);
}

function byEnd<Call>(left: PlacedOperation<Call>, right: PlacedOperation<Call>): number {
  return left.endAt - right.endAt;
}

function placesOf<Call>(
  edges: readonly Edge<Call>[],
): ReadonlyMap<Operation<Call>, { startAt: number; endAt: number }> {
  const places = new Map<Operation<Call>, { startAt: number; endAt: number }>();
  for (const [at, { operation, isStart }] of edges.entries()) {
    const place = places.get(operation);
    if (isStart || place === undefined) places.set(operation, { startAt: at, endAt: Infinity });
    else place.endAt = at;
  }
  return places;
}

/** Of unknown reads nothing is known at all: they are left out. */
function pendingKinds<Call>(operations: readonly PlacedOperation<Call>[]): PendingKind<Call>[] {
  const unknown = operations.filter(({ end, effect }) => end === undefined && effect !== 'reads');
  return [...Map.groupBy(unknown, ({ kind }) => kind).values()];
}

/** Numbers for descriptions, from 0. */
class Kinds {
  readonly #numbers = new Map<string, number>();

  numberOf(description: string): number {
    const known = this.#numbers.get(description);
    if (known !== undefined) return known;
    this.#numbers.set(description, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

/** Bits for those open at once, the lowest first, so that the numbers stay as short as the history is concurrent. */
class Slots {
  readonly #returned: bigint[] = [];
  #next = 1n;

  take(): bigint {
    const bit = this.#returned.pop();
    if (bit !== undefined) return bit;
    const fresh = this.#next;
    this.#next <<= 1n;
    return fresh;
  }

  giveBack(bit: bigint): void {
    this.#returned.push(bit);
  }
}
