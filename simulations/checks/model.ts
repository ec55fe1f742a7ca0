/** @module What a correct service would do, one operation after the other: all that a check of a history has to know of it. */
import type { Effect, PlacedOperation } from './placed-operation.ts';

export interface Model<State, Call> {
  /** Histories of different parts are judged on their own: an operation sees and changes only its part. */
  part(call: Call): string;
  initial(part: string): State;
  /**
   * The state afterwards; undefined when the operation cannot have been answered like that here. A call without an answer
   * (its outcome is unknown) is always possible: where a service would refuse it the state stays.
   */
  step(state: State, call: Call): State | undefined;
  /** Equal states have equal keys, others have different ones. */
  stateKey(state: State): string | number;
  effect(call: Call): Effect;
  /** For people, without the client. Equal words mean: the same request and the same answer. */
  describe(call: Call): string;
  /** Knowledge of one part's whole history, which spares the search what cannot lead anywhere. */
  foresee?(operations: readonly PlacedOperation<Call>[]): Foresight<State, Call>;
}

/**
 * Both answers must be right when they cut something off; when in doubt, nothing is cut off. A position is the end of an
 * operation, and `isTaken` is to be asked only of those of known outcome that end there or later.
 */
export interface Foresight<State, Call> {
  /**
   * Can `call` in `state` be the next step towards an answer that somebody gets at `position` or later: that of `goal`, or
   * any where none is named? Not asked of those that need a certain state themselves, unless their outcome is unknown.
   */
  mayHelp(state: State, call: Call, position: number, goal?: Call): boolean;
  /** As stateKey(), but states that no answer at `position` or later can tell apart may share one. */
  keyAt(state: State, position: number): string | number;
  /** No order of the operations after `position` explains their answers from here on. */
  isHopeless(state: State, position: number, isTaken: (operation: PlacedOperation<Call>) => boolean): boolean;
}
