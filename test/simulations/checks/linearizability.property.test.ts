import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyValueModel } from '../../../simulations/checks/key-value-model.ts';
import type { KeyValueCall } from '../../../simulations/checks/key-value-call.ts';
import { checkHistory, searchPart } from '../../../simulations/checks/linearizability.ts';
import type { Model } from '../../../simulations/checks/model.ts';
import type { Operation } from '../../../simulations/checks/operation.ts';
import { registerModel } from '../../../simulations/checks/register-model.ts';
import type { RegisterCall } from '../../../simulations/checks/register-call.ts';
import { explains, isLinearizableByForce } from './brute-force.ts';

const RUNS = 3_000;
const MOST_OPERATIONS = 8;
const LATEST = 12;
const MOST_LENGTH = 6;
const key = 'x';

type Calls<Call> = (isKnown: boolean) => fc.Arbitrary<Call>;

/** Few values, so that many histories nearly fit. */
const registerCalls = (isKnown: boolean): fc.Arbitrary<RegisterCall> => {
  const value = fc.constantFrom(0, 1, 2);
  return fc.oneof(
    value.map((written): RegisterCall => ({ kind: 'write', key, value: written })),
    value.map((seen): RegisterCall => ({ kind: 'read', key, ...(isKnown && { value: seen }) })),
    fc
      .record({ from: value, to: value, isDone: fc.boolean() })
      .map(
        ({ isDone, ...rest }): RegisterCall => ({ kind: 'cas', key, ...rest, ...(isKnown && { isDone }) }),
      ),
  );
};
const keyValueCalls = (isKnown: boolean): fc.Arbitrary<KeyValueCall> => {
  const piece = fc.constantFrom('a', 'b');
  return fc.oneof(
    piece.map((value): KeyValueCall => ({ kind: 'append', key, value })),
    piece.map((value): KeyValueCall => ({ kind: 'put', key, value })),
    fc
      .array(piece, { maxLength: 3 })
      .map((pieces): KeyValueCall => ({ kind: 'get', key, ...(isKnown && { value: pieces.join('') }) })),
  );
};

describe.each([
  ['registers', registerModel(0) as Model<unknown, unknown>, registerCalls as Calls<unknown>],
  ['key-value histories', keyValueModel as Model<unknown, unknown>, keyValueCalls as Calls<unknown>],
])('the verdict on %s', (_, model, calls) => {
  it('is that of trying everything, and the order it finds explains the history', () => {
    let linearizable = 0;
    fc.assert(
      fc.property(fc.array(operations(calls), { maxLength: MOST_OPERATIONS }), (history) => {
        const wanted = isLinearizableByForce(model, model.initial(key), history);
        const found = searchPart(model, key, history);
        expect(found.isLinearizable).toBe(wanted);
        if (wanted) expect(explains(model, model.initial(key), history, found.order)).toBe(true);
        linearizable += Number(wanted);
      }),
      { numRuns: RUNS },
    );
    // Else it would be a test of one side only.
    expect(linearizable).toBeGreaterThan(RUNS / 20);
    expect(linearizable).toBeLessThan((RUNS * 19) / 20);
  });
});

describe('the verdict on several keys', () => {
  it('is the worst of those on each key alone', () => {
    const several = fc.tuple(fc.constantFrom('x', 'y'), operations(registerCalls));
    fc.assert(
      fc.property(fc.array(several, { maxLength: MOST_OPERATIONS }), (tuples) => {
        const history = tuples.map(([own, operation]) => ({
          ...operation,
          call: { ...operation.call, key: own },
        }));
        const model = registerModel(0);
        const wanted = ['x', 'y'].every((own) =>
          isLinearizableByForce(
            model,
            0,
            history.filter(({ call }) => call.key === own),
          ),
        );
        expect(checkHistory(model, history).isLinearizable).toBe(wanted);
      }),
      { numRuns: RUNS / 10 },
    );
  });
});

/** Ends are often shared with other starts and ends: what happens at one instant happens at once. */
function operations<Call>(calls: Calls<Call>): fc.Arbitrary<Operation<Call>> {
  const times = fc.record({ start: fc.nat(LATEST), length: fc.nat(MOST_LENGTH), client: fc.nat(3) });
  const known = fc
    .tuple(times, calls(true))
    .map(([{ start, length, client }, call]) => ({ client, call, start, end: start + length }));
  const unknown = fc.tuple(times, calls(false)).map(([{ start, client }, call]) => ({ client, call, start }));
  return fc.oneof({ weight: 3, arbitrary: known }, { weight: 1, arbitrary: unknown });
}
