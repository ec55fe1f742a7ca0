import { describe, expect, it } from 'vitest';
import { drawViolation } from '../../../simulations/checks/history-picture.ts';
import { checkHistory, type Violation } from '../../../simulations/checks/linearizability.ts';
import type { Operation } from '../../../simulations/checks/operation.ts';
import { registerModel } from '../../../simulations/checks/register-model.ts';
import type { RegisterCall } from '../../../simulations/checks/register-call.ts';
import { shrinkViolation } from '../../../simulations/checks/smallest-violation.ts';

const key = 'x';
const write = (value: number, start: number): Operation<RegisterCall> => ({
  client: 1,
  call: { kind: 'write', key, value },
  start,
  end: start + 1,
});
const read = (value: number, start: number): Operation<RegisterCall> => ({
  client: 2,
  call: { kind: 'read', key, value },
  start,
  end: start + 1,
});

/** A hundred sound operations, then a stale read, then a hundred more. */
function history(): readonly Operation<RegisterCall>[] {
  const sound = (from: number): Operation<RegisterCall>[] =>
    Array.from({ length: 50 }, (_, index) => [
      write(from + index, 4 * (from + index)),
      read(from + index, 4 * (from + index) + 2),
    ]).flat();
  return [...sound(0), read(40, 4 * 50 + 1), ...sound(52)];
}

function violationOf(operations: readonly Operation<RegisterCall>[]): Violation<RegisterCall> {
  const { violation } = checkHistory(registerModel(), operations);
  if (violation === undefined) throw new Error('it should not be linearizable');
  return violation;
}

const patient = { isTimeUp: () => false };

describe('the smallest part of a violation', () => {
  const model = registerModel();
  const smallest = shrinkViolation(model, violationOf(history()), patient);

  it('holds the stale read, the write it saw, and one that came between; the rest may have been otherwise', () => {
    const seen = smallest.core.map(({ call }) => model.describe(call));
    expect(seen).toContain('read 40');
    expect(seen).toContain('write 40');
    expect(smallest.core).toHaveLength(3);
  });

  it('still cannot be explained, and without the answer of any one of its operations could be', () => {
    const { core, others } = smallest;
    const isSound = (operations: readonly Operation<RegisterCall>[]): boolean =>
      checkHistory(model, operations).isLinearizable;
    expect(isSound([...core, ...others])).toBe(false);
    for (const one of core) {
      const rest = core.filter((other) => other !== one);
      const { client, call, start } = one;
      expect(isSound([...rest, ...others, ...(call.kind === 'read' ? [] : [{ client, call, start }])])).toBe(
        true,
      );
    }
  });

  it('says how far an explanation goes', () => {
    expect(smallest.stuckAt.call).toMatchObject({ kind: 'read', value: 40 });
    expect(smallest.order.length).toBeGreaterThan(0);
  });

  it('of many operations begins at the last write that nothing overlaps, whatever was written before', () => {
    const few = Array.from({ length: 3_000 }, (_, index) => write(index % 3, 2 * index));
    const { core, others } = shrinkViolation(model, violationOf([...few, read(0, 6_000)]), patient);
    expect(core.map(({ call }) => model.describe(call))).toEqual(['write 2', 'read 0']);
    expect(others).toEqual([]);
  });

  it('is all of it when there is no time to make it smaller', () => {
    const { core, stuckAt } = shrinkViolation(model, violationOf(history()), { isTimeUp: () => true });
    expect(core).toHaveLength(history().length);
    expect(history().map(({ start }) => start)).toContain(stuckAt.start);
  });

  it('is drawn with every operation of it, as one picture that needs nothing else', () => {
    const svg = drawViolation(model, { ...smallest, part: '<x>' });
    expect(svg).toContain('<title>read 40</title>');
    expect(svg).toContain('no explanation');
    expect(svg).toContain('&lt;x&gt;: not linearizable');
    expect(svg).not.toMatch(/href|<script/);
  });
});
