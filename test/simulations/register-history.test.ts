import { describe, expect, it } from 'vitest';
import { isLinearizable, type RegisterOperation } from '../../simulations/checks/register-history.ts';

/** 'w1 0-3' wrote 1 from 0 to 3; 'r1 4-' read 1 and never ended. */
function history(...lines: readonly string[]): RegisterOperation[] {
  return lines.map((line, client) => {
    const [, kind, value, start, end] = /^([rw])(\d+) (\d+)-(\d*)$/.exec(line) ?? [];
    const operation = { client, key: 'x', value: Number(value), start: Number(start) };
    return {
      ...operation,
      kind: kind === 'w' ? 'write' : 'read',
      ...(end !== '' && { end: Number(end) }),
    };
  });
}

describe('the history of a register', () => {
  it.each([
    ['nothing', []],
    ['a read of the first value', ['r0 0-1']],
    ['either value while a write is under way', ['w1 0-9', 'r0 1-2', 'r1 3-4']],
    ['a write of unknown outcome that shows late', ['w1 0-', 'r0 1-2', 'r1 50-51']],
    ['a write of unknown outcome that never shows', ['w1 0-', 'w2 1-2', 'r2 50-51']],
    ['a read of unknown outcome', ['r7 0-']],
    ['writes at once, read in one order', ['w1 0-9', 'w2 0-9', 'r2 10-11', 'r2 12-13']],
  ])('is linearizable with %s', (_, lines) => {
    expect(isLinearizable(history(...lines), 0)).toBe(true);
  });

  it.each([
    ['a stale read', ['w1 0-1', 'r0 2-3']],
    ['a value nobody wrote', ['r5 0-1']],
    ['a value that comes back', ['w1 0-9', 'r1 1-2', 'r0 3-4']],
    [
      'two readers that see two writes in different orders',
      ['w1 0-1', 'w2 0-1', 'r1 2-3', 'r2 4-5', 'r1 6-7'],
    ],
    ['a lost write', ['w1 0-1', 'w2 2-3', 'r1 4-5']],
    ['a write of unknown outcome that shows before it began', ['r1 0-1', 'w1 2-']],
  ])('is not linearizable with %s', (_, lines) => {
    expect(isLinearizable(history(...lines), 0)).toBe(false);
  });
});
