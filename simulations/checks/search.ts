/**
 * @module The search for an order that explains a history (Wing and Gong 1993, with Lowe's memory, 2017). It goes from end to
 * end of the operations, and lets each take effect as late as it can: at its own end, or when another needs it before.
 */
import type { Foresight, Model } from './model.ts';
import { Prng } from '../prng.ts';
import { undecided } from './errors.ts';
import { orderOf, type Path } from './order.ts';
import type { Moment, PendingKind, Timeline } from './timeline.ts';
import type { PlacedOperation } from './placed-operation.ts';
import { firstOfEachKind } from './twins.ts';
import { type Configuration, Visited } from './visited.ts';

export interface SearchOptions {
  /** Points kept in all, at most, before the search gives up. */
  readonly maxVisited: number;
  /** Asked at each step: gives the search up, too. */
  readonly isTimeUp?: () => boolean;
}

export interface SearchResult<Call> {
  readonly isLinearizable: boolean;
  /** An order that explains everything; where there is none, the one that explains the longest beginning. */
  readonly order: readonly PlacedOperation<Call>[];
  /** Where there is none: the operation at whose end the longest explanation ends. */
  readonly stuckAt?: PlacedOperation<Call>;
}

interface Point<State, Call> extends Configuration<State> {
  readonly path: Path<Call> | undefined;
}

/** Points of the first attempt: far more than most histories need. */
const FIRST_PATIENCE = 20_000;
/** As many attempts of the same patience, then of so many times more: what must be tried to its end takes little more than once. */
const TRIES_A_ROUND = 8;
/** Of neighbours in later attempts. */
const SWAPPED = 0.5;
/** Any: the same history is judged in the same way each time. */
const SEED = 1;
/** States whose helpful kinds are remembered at once. */
const MOST_HELPFUL = 100_000;

export class Search<State, Call> {
  readonly #model: Model<State, Call>;
  readonly #timeline: Timeline<Call>;
  readonly #foresight: Foresight<State, Call> | undefined;
  readonly #options: SearchOptions;
  #visited = new Visited();
  /** Points of earlier attempts. */
  #spent = 0;
  /** None in the first attempt. */
  #random: Prng | undefined;
  readonly #helpful = new Map<string | number, readonly number[]>();
  #furthest: Point<State, Call> | undefined;

  constructor(model: Model<State, Call>, timeline: Timeline<Call>, options: SearchOptions) {
    this.#model = model;
    this.#timeline = timeline;
    this.#foresight = model.foresee?.(timeline.operations);
    this.#options = options;
  }

  /**
   * A wrong way taken early may cost more than all the rest: a search that grows long begins anew, and tries the ways in
   * another order, with more patience after some attempts. Error: CHECK_UNDECIDED at `maxVisited` in all, or when time is up.
   */
  run(initial: State): SearchResult<Call> {
    for (let tries = 1; ; tries += 1) {
      const round = Math.floor((tries - 1) / TRIES_A_ROUND);
      const result = this.#attempt(initial, FIRST_PATIENCE * TRIES_A_ROUND ** round);
      if (result !== undefined) return result;
      this.#spent += this.#visited.size;
      this.#visited = new Visited();
      this.#random ??= new Prng(SEED, 'search');
    }
  }

  /** Undefined when it has kept `patience` points and knows nothing. */
  #attempt(initial: State, patience: number): SearchResult<Call> | undefined {
    const { moments } = this.#timeline;
    const start = { at: 0, state: initial, owed: 0n, free: 0n, used: [], path: undefined };
    // A stack of our own: histories are longer than the machine's is deep.
    const stack: Iterator<Point<State, Call>>[] = [[start].values()];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { value: point, done: isExhausted } = top.next();
      if (isExhausted === true) {
        stack.pop();
        continue;
      }
      const next = this.#advance(point);
      if (next.at === moments.length) return { isLinearizable: true, order: orderOf(this.#timeline, next) };
      if (next.at > (this.#furthest?.at ?? -1)) this.#furthest = next;
      if (this.#isHopeless(next)) continue;
      if (!this.#visited.add(next.at, this.#keyOf(next), next)) continue;
      this.#stopAtLimits();
      if (this.#visited.size > patience) return undefined;
      stack.push(this.#random === undefined ? this.#successors(next) : this.#shaken(this.#random, next));
    }
    const furthest = this.#furthest as Point<State, Call>;
    return {
      isLinearizable: false,
      order: orderOf(this.#timeline, furthest),
      stuckAt: this.#moment(furthest.at).operation,
    };
  }

  /** Mostly in their order, which is a good one. */
  #shaken(random: Prng, point: Point<State, Call>): Iterator<Point<State, Call>> {
    const points = [...this.#successors(point)];
    for (let at = 1; at < points.length; at += 1) {
      if (!random.chance(SWAPPED)) continue;
      [points[at - 1], points[at]] = [points[at] as Point<State, Call>, points[at - 1] as Point<State, Call>];
    }
    return points.values();
  }

  #stopAtLimits(): void {
    const { maxVisited, isTimeUp } = this.#options;
    const visited = this.#spent + this.#visited.size;
    if (visited > maxVisited || isTimeUp?.() === true)
      throw undecided(this.#timeline.operations.length, visited);
  }

  /** On to the next end of an operation that is not taken. What only reads takes effect as soon as it can. */
  #advance(point: Point<State, Call>): Point<State, Call> {
    const { moments } = this.#timeline;
    let { at, owed, path } = point;
    const { state, free, used } = point;
    const read = (operation: PlacedOperation<Call>): void => {
      if (operation.effect !== 'reads' || (owed & operation.bit) === 0n) return;
      if (this.#model.step(state, operation.call) === undefined) return;
      owed &= ~operation.bit;
      path = { operation, wiped: 0n, at, before: path };
    };
    for (const operation of moments[at]?.open ?? []) read(operation);
    for (; at < moments.length; at += 1) {
      const { operation, isStart } = this.#moment(at);
      if (isStart) {
        owed |= operation.bit;
        read(operation);
      } else if (((owed | free) & operation.bit) !== 0n) break;
    }
    return { at, state, owed, free, used, path };
  }

  /** Every way to let one more open operation take effect: at once, or after some of those of unknown outcome. */
  *#successors(point: Point<State, Call>): Generator<Point<State, Call>> {
    const { bit: ending, endAt: now } = this.#moment(point.at).operation;
    // Its last chance, which it may let go by.
    if ((point.free & ending) !== 0n) yield { ...point, free: point.free & ~ending };
    const left = firstOfEachKind(point, this.#moment(point.at).open);
    for (const operation of left) {
      const isDue = (point.owed & operation.bit & ending) !== 0n;
      if (!isDue && !this.#mayHelp(point.state, operation, now)) continue;
      const state = this.#model.step(point.state, operation.call);
      if (state !== undefined) yield this.#take(point, operation, state);
    }
    for (const operation of left)
      if (operation.effect !== 'replaces') yield* this.#takeAfterPending(point, operation);
  }

  /** Only what somebody sees need be done before it is due. */
  #mayHelp(state: State, { effect, call }: PlacedOperation<Call>, now: number): boolean {
    if (effect !== 'replaces' && effect !== 'extends') return true;
    return this.#foresight?.mayHelp(state, call, now) ?? true;
  }

  /** Its bit is 0 where its outcome is unknown. */
  #take(point: Point<State, Call>, operation: PlacedOperation<Call>, state: State): Point<State, Call> {
    const { at, path: before } = point;
    const owed = point.owed & ~operation.bit;
    const wiped = operation.effect === 'replaces' ? owed & this.#blindAt(at) : 0n;
    const free = (point.free & ~operation.bit) | wiped;
    return { ...point, state, owed: owed & ~wiped, free, path: { operation, wiped, at, before } };
  }

  /** Open ones that are always possible: just before one that replaces everything nobody would see what they did. */
  #blindAt(at: number): bigint {
    let bits = 0n;
    for (const { effect, bit } of this.#moment(at).open)
      if (effect === 'replaces' || effect === 'extends') bits |= bit;
    return bits;
  }

  /**
   * Those of unknown outcome take effect only where `goal` would have another answer or effect without them, or where one of
   * them wipes out what open operations did: an order that needs more of them is never better than the same without.
   */
  *#takeAfterPending(point: Point<State, Call>, goal: PlacedOperation<Call>): Generator<Point<State, Call>> {
    const direct = this.#model.step(point.state, goal.call);
    if (direct !== undefined && goal.effect === 'reads') return;
    const directKey = direct === undefined ? undefined : this.#model.stateKey(direct);
    const stack: Iterator<readonly [Point<State, Call>, Set<string | number>]>[] = [
      this.#pendingSteps(point, goal, new Set([this.#model.stateKey(point.state)])),
    ];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { value, done: isExhausted } = top.next();
      if (isExhausted === true) {
        stack.pop();
        continue;
      }
      this.#stopAtLimits();
      const [changed, seen] = value;
      const state = this.#model.step(changed.state, goal.call);
      if (state !== undefined && (this.#model.stateKey(state) !== directKey || changed.free !== point.free))
        yield this.#take(changed, goal, state);
      stack.push(this.#pendingSteps(changed, goal, seen));
    }
  }

  /** One more of those of unknown outcome; `seen` are the states on the way, which no shortest way sees twice but to wipe out others. */
  *#pendingSteps(
    point: Point<State, Call>,
    goal: PlacedOperation<Call>,
    seen: ReadonlySet<string | number>,
  ): Generator<readonly [Point<State, Call>, Set<string | number>]> {
    const { at, used } = point;
    const now = this.#moment(at).operation.endAt;
    for (const kind of this.#helpfulKinds(point.state)) {
      const operations = this.#timeline.pending[kind] as PendingKind<Call>;
      const [first] = operations;
      // They are in the order of their first starts.
      if (first === undefined || first.startAt > now) return;
      // After others it would only wipe out what they did.
      if (seen.size > 1 && first.effect === 'replaces') continue;
      if (this.#foresight?.mayHelp(point.state, first.call, now, goal.call) === false) continue;
      const count = used.reduce((sum, other) => sum + Number(other === kind), 0);
      const operation = operations[count];
      if (operation === undefined || operation.startAt > now) continue;
      const state = this.#model.step(point.state, operation.call);
      if (state === undefined) continue;
      const taken = this.#take(point, operation, state);
      // What only puts back the same state is of use where it comes over others that would change it later.
      if (seen.has(this.#model.stateKey(state)) && taken.free === point.free) continue;
      const more = [...used, kind].toSorted((left, right) => left - right);
      yield [{ ...taken, used: more }, new Set(seen).add(this.#model.stateKey(state))];
    }
  }

  /** Of those of unknown outcome: the kinds that ever help anybody in `state`, in the order of their first starts. */
  #helpfulKinds(state: State): readonly number[] {
    const key = this.#model.stateKey(state);
    const known = this.#helpful.get(key);
    if (known !== undefined) return known;
    const kinds = this.#timeline.pending.flatMap(([first], kind) =>
      first === undefined || this.#foresight?.mayHelp(state, first.call, 0) === false ? [] : [kind],
    );
    if (this.#helpful.size === MOST_HELPFUL) this.#helpful.clear();
    this.#helpful.set(key, kinds);
    return kinds;
  }

  #keyOf({ state, at }: Point<State, Call>): string | number {
    return this.#foresight?.keyAt(state, this.#moment(at).operation.endAt) ?? this.#model.stateKey(state);
  }

  #isHopeless({ state, at, owed, free }: Point<State, Call>): boolean {
    const now = this.#moment(at).operation.endAt;
    return (
      this.#foresight?.isHopeless(
        state,
        now,
        ({ startAt, bit }) => startAt < now && ((owed | free) & bit) === 0n,
      ) ?? false
    );
  }

  #moment(at: number): Moment<Call> {
    return this.#timeline.moments[at] as Moment<Call>;
  }
}
