/** @module What the whole history of a register tells in advance: a value that is still asked for must still be to come. */
import type { Foresight } from './model.ts';
import { type RegisterCall, registerKey, type RegisterValue } from './register-call.ts';
import type { PlacedOperation } from './placed-operation.ts';

type Placed = PlacedOperation<RegisterCall>;

/** Who can bring a value about, and whose answers need it; the latest ends first. */
interface ValueUse {
  readonly value: RegisterValue;
  readonly producers: Placed[];
  readonly readers: Placed[];
}

/** The key of all values that nobody compares with anything any more. */
const UNASKED = 0;

export function foreseeRegister(operations: readonly Placed[]): Foresight<RegisterValue, RegisterCall> {
  const uses = usesOf(operations);
  const alive = aliveAt(uses);
  const asked = lastAsked(operations);
  const askedAt = (value: RegisterValue): number => asked.get(registerKey(value)) ?? -1;
  const refusals = Math.max(-1, ...operations.filter(isRefusal).map(({ endAt }) => endAt));
  const stepping = new Set(operations.flatMap(({ call }) => (call.kind === 'cas' ? [call.from] : [])));
  return {
    mayHelp(state, call, position, goal) {
      if (call.kind === 'cas') return call.from === state;
      if (call.kind === 'read') return false;
      if (goal !== undefined) return stepping.has(call.value) || isWanted(call.value, goal);
      // Who is refused a compare-and-set may need any value but one.
      return Math.max(askedAt(call.value), refusals) >= position;
    },
    keyAt: (value, position) => (askedAt(value) >= position ? registerKey(value) : UNASKED),
    isHopeless(state, position, isTaken) {
      for (const { value, readers, producers } of alive.get(position) ?? []) {
        if (value === state) continue;
        const reader = lastUntaken(readers, position, isTaken);
        if (reader === undefined) continue;
        const isToCome = (producer: Placed): boolean =>
          producer.end === undefined || (producer.endAt >= position && !isTaken(producer));
        if (!producers.some((producer) => producer.startAt < reader.endAt && isToCome(producer))) return true;
      }
      return false;
    },
  };
}

function isRefusal({ call }: Placed): boolean {
  return call.kind === 'cas' && call.isDone === false;
}

/** By value: the last end of an operation that compares it; Infinity for one of unknown outcome. */
function lastAsked(operations: readonly Placed[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const { call, endAt } of operations) {
    const value = call.kind === 'read' ? call.value : call.kind === 'cas' ? call.from : undefined;
    if (value === undefined) continue;
    const key = registerKey(value);
    last.set(key, Math.max(endAt, last.get(key) ?? -1));
  }
  return last;
}

function isWanted(value: RegisterValue, goal: RegisterCall): boolean {
  if (goal.kind === 'read') return goal.value === value;
  if (goal.kind === 'write') return false;
  return goal.isDone === false ? goal.from !== value : goal.from === value;
}

function usesOf(operations: readonly Placed[]): readonly ValueUse[] {
  const uses = new Map<string, ValueUse>();
  const useOf = (value: RegisterValue): ValueUse => {
    const key = registerKey(value);
    const use = uses.get(key) ?? { value, producers: [], readers: [] };
    uses.set(key, use);
    return use;
  };
  for (const operation of operations) {
    const { call, end } = operation;
    if (call.kind === 'write') useOf(call.value).producers.push(operation);
    if (call.kind === 'cas' && call.isDone !== false) useOf(call.to).producers.push(operation);
    if (call.kind === 'read' && call.value !== undefined && end !== undefined)
      useOf(call.value).readers.push(operation);
    if (call.kind === 'cas' && call.isDone === true && end !== undefined)
      useOf(call.from).readers.push(operation);
  }
  const latestFirst = (left: Placed, right: Placed): number => right.endAt - left.endAt || 0;
  for (const { readers, producers } of uses.values()) {
    readers.sort(latestFirst);
    producers.sort(latestFirst);
  }
  return [...uses.values()];
}

/** For each end of an operation: the values that somebody may still ask for, and whose first producer has begun. */
function aliveAt(uses: readonly ValueUse[]): ReadonlyMap<number, readonly ValueUse[]> {
  const ends = uses
    .flatMap(({ readers, producers }) => [...readers, ...producers].map(({ endAt }) => endAt))
    .filter(Number.isFinite);
  const sorted = [...new Set(ends)].toSorted((left, right) => left - right);
  const alive = new Map<number, ValueUse[]>(sorted.map((end) => [end, []]));
  for (const use of uses) {
    const last = use.readers[0]?.endAt ?? -1;
    const first = Math.min(...use.producers.map(({ startAt }) => startAt));
    for (let at = indexFrom(sorted, first); at < sorted.length && (sorted[at] as number) <= last; at += 1)
      alive.get(sorted[at] as number)?.push(use);
  }
  return alive;
}

/** Index of the first of `sorted` that is at least `least`. */
function indexFrom(sorted: readonly number[], least: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lastUntaken(
  readers: readonly Placed[],
  position: number,
  isTaken: (operation: Placed) => boolean,
): Placed | undefined {
  for (const reader of readers) {
    if (reader.endAt < position) return undefined;
    if (!isTaken(reader)) return reader;
  }
  return undefined;
}
