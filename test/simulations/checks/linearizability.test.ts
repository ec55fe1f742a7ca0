import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../simulations/checks/linearizability.ts';
import type { Operation } from '../../../simulations/checks/operation.ts';
import { registerModel } from '../../../simulations/checks/register-model.ts';
import type { RegisterCall } from '../../../simulations/checks/register-call.ts';

const key = 'x';

/** 'w1 0-3' wrote 1 from 0 to 3; 'r1 4-' read 1 and never ended; 'c12 5-6' put 2 in the place of 1, 'f12 5-6' was refused to. */
function history(...lines: readonly string[]): Operation<RegisterCall>[] {
  return lines.map((line, client) => {
    const [, kind, value = '', to = '', start, end] = /^([rwcf])(\d)(\d?) (\d+)-(\d*)$/.exec(line) ?? [];
    const isKnown = end !== '';
    const cas = { kind: 'cas', key, from: Number(value), to: Number(to) } as const;
    const call: RegisterCall =
      kind === 'w'
        ? { kind: 'write', key, value: Number(value) }
        : kind === 'r'
          ? { kind: 'read', key, ...(isKnown && { value: Number(value) }) }
          : { ...cas, ...(isKnown && { isDone: kind === 'c' }) };
    return { client, call, start: Number(start), ...(isKnown && { end: Number(end) }) };
  });
}

const isLinearizable = (lines: readonly string[]): boolean =>
  checkHistory(registerModel(0), history(...lines)).isLinearizable;

describe('the history of a register', () => {
  it.each([
    ['nothing', []],
    ['a read of the first value', ['r0 0-1']],
    ['either value while a write is under way', ['w1 0-9', 'r0 1-2', 'r1 3-4']],
    ['a write of unknown outcome that shows late', ['w1 0-', 'r0 1-2', 'r1 50-51']],
    ['a write of unknown outcome that never shows', ['w1 0-', 'w2 1-2', 'r2 50-51']],
    ['a read of unknown outcome', ['r7 0-']],
    ['writes at once, read in one order', ['w1 0-9', 'w2 0-9', 'r2 10-11', 'r2 12-13']],
    ['a compare-and-set of unknown outcome behind a write of one', ['w1 0-', 'c12 1-', 'r2 5-6']],
    ['a refused compare-and-set that saw what nobody else did', ['f01 2-3', 'w5 0-9', 'r0 1-2', 'w0 4-8']],
    ['the same write twice, both of unknown outcome', ['w1 0-', 'w1 1-', 'r1 2-3', 'w2 4-5', 'r1 6-7']],
    [
      'a write of unknown outcome that is better kept for later',
      ['w0 1-4', 'w0 10-', 'r0 2-11', 'f10 7-14', 'w1 12-15', 'c01 5-16', 'r0 17-22'],
    ],
    [
      'a write of unknown outcome that leaves the state as it was, and hides another',
      ['w0 0-', 'c02 8-10', 'w1 10-11', 'c20 12-12'],
    ],
  ])('is linearizable with %s', (_, lines) => {
    expect(isLinearizable(lines)).toBe(true);
  });

  it.each([
    ['a stale read', ['w1 0-1', 'r0 2-3']],
    ['a value nobody wrote', ['r5 0-1']],
    ['a value that comes back', ['w1 0-9', 'r1 1-2', 'r0 3-4']],
    ['readers that see two writes in different orders', ['w1 0-1', 'w2 0-1', 'r1 2-3', 'r2 4-5', 'r1 6-7']],
    ['a lost write', ['w1 0-1', 'w2 2-3', 'r1 4-5']],
    ['a write of unknown outcome that shows before it began', ['r1 0-1', 'w1 2-']],
    ['a write of unknown outcome that shows twice', ['w1 0-', 'r1 2-3', 'w2 4-5', 'r1 6-7']],
    ['a compare-and-set that is refused for no reason', ['w1 0-1', 'f12 2-3']],
  ])('is not linearizable with %s', (_, lines) => {
    expect(isLinearizable(lines)).toBe(false);
  });

  it('is told apart from one that is too hard to judge', () => {
    const writes = Array.from({ length: 9 }, (_, index) => `w${index} 0-99`);
    const lines = [...writes, 'r8 100-101', 'r7 102-103'];
    expect(() => checkHistory(registerModel(0), history(...lines), { maxVisited: 1 })).toThrow(
      expect.objectContaining({ code: 'CHECK_UNDECIDED' }),
    );
  });

  it('is given up when time is up', () => {
    const options = { maxVisited: 1_000, isTimeUp: () => true };
    expect(() => checkHistory(registerModel(0), history('w1 0-9', 'r1 1-2', 'r0 3-4'), options)).toThrow(
      expect.objectContaining({ code: 'CHECK_UNDECIDED' }),
    );
  });
});
