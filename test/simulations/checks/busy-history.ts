/** @module Histories of many clients at once, of some of whose operations nobody ever learns the outcome: hard to judge. */
import type { Operation } from '../../../simulations/checks/operation.ts';
import { Prng } from '../../../simulations/prng.ts';

export interface BusyOptions<State, Call> {
  readonly seed: number;
  readonly clients: number;
  readonly operations: number;
  /** Part of the operations that never end: half of them are done, sooner or later. */
  readonly unknown: number;
  readonly initial: State;
  /** `number` is another for each call. */
  ask(random: Prng, number: number): Call;
  /** What a service does: the state afterwards, and the call with its answer. */
  serve(state: State, call: Call, random: Prng): readonly [State, Call];
}

interface Open<Call> {
  readonly start: number;
  readonly call: Call;
  readonly isUnknown: boolean;
  isServed: boolean;
}

/** At each instant one client asks, is served, or learns its answer; who never learns it goes on under a new name. */
export function busyHistory<State, Call>(options: BusyOptions<State, Call>): readonly Operation<Call>[] {
  const random = new Prng(options.seed, 'busy history');
  const recorded: Operation<Call>[] = [];
  const slots: ((Open<Call> & { answer: Call }) | undefined)[] = Array.from({ length: options.clients });
  let state = options.initial;
  let asked = 0;
  for (
    let instant = 0;
    asked < options.operations || slots.some((slot) => slot !== undefined);
    instant += 1
  ) {
    const client = random.int(options.clients);
    const open = slots[client];
    if (open === undefined) {
      if (asked === options.operations) continue;
      const call = options.ask(random, asked);
      asked += 1;
      slots[client] = {
        start: instant,
        call,
        answer: call,
        isServed: false,
        isUnknown: random.chance(options.unknown),
      };
    } else if (!open.isServed) {
      open.isServed = true;
      if (!open.isUnknown || random.chance(0.5))
        [state, open.answer] = options.serve(state, open.call, random);
    } else {
      slots[client] = undefined;
      const { start, call, answer, isUnknown } = open;
      recorded.push(isUnknown ? { client, call, start } : { client, call: answer, start, end: instant });
    }
  }
  return recorded;
}
