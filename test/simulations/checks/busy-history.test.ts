import { describe, expect, it } from 'vitest';
import { searchPart } from '../../../simulations/checks/linearizability.ts';
import { keyValueModel } from '../../../simulations/checks/key-value-model.ts';
import type { KeyValueCall } from '../../../simulations/checks/key-value-call.ts';
import type { Operation } from '../../../simulations/checks/operation.ts';
import type { RegisterCall, RegisterValue } from '../../../simulations/checks/register-call.ts';
import { registerModel } from '../../../simulations/checks/register-model.ts';
import type { Prng } from '../../../simulations/prng.ts';
import { explains } from './brute-force.ts';
import { busyHistory } from './busy-history.ts';

const key = 'x';
/** What two thousand operations take, and some wrong ways. */
const MOST_POINTS = 10_000;
/** What counts is the number of points; on a busy machine they take their time. */
const PATIENCE_MS = 60_000;
const SEEDS = [1, 2, 3, 6];

const askRegister = (random: Prng): RegisterCall => {
  const [from, to] = [random.int(5), random.int(5)];
  const calls: RegisterCall[] = [
    { kind: 'read', key },
    { kind: 'write', key, value: to },
    { kind: 'cas', key, from, to },
  ];
  return random.pick(calls);
};
const serveRegister = (state: RegisterValue, call: RegisterCall): readonly [RegisterValue, RegisterCall] => {
  if (call.kind === 'read') return [state, { ...call, value: state }];
  if (call.kind === 'write') return [call.value, call];
  const isDone = call.from === state;
  return [isDone ? call.to : state, { ...call, isDone }];
};

/** Each value is another: a get shows just what came before it. */
const askStore = (random: Prng, number: number): KeyValueCall => {
  const value = `x ${number} y`;
  const kind = random.pick(['put', 'append', 'append', 'get', 'get'] as const);
  return kind === 'get' ? { kind, key } : { kind, key, value };
};
const serveStore = (state: string, call: KeyValueCall): readonly [string, KeyValueCall] => {
  if (call.kind === 'get') return [state, { ...call, value: state }];
  return [call.kind === 'put' ? call.value : state + call.value, call];
};

const register = (seed: number): readonly Operation<RegisterCall>[] =>
  busyHistory({
    seed,
    clients: 100,
    operations: 2_000,
    unknown: 0,
    initial: null,
    ask: askRegister,
    serve: serveRegister,
  });
const store = (seed: number): readonly Operation<KeyValueCall>[] =>
  busyHistory({
    seed,
    clients: 20,
    operations: 1_000,
    unknown: 0.2,
    initial: '',
    ask: askStore,
    serve: serveStore,
  });

describe('a register of five values with a hundred clients', { timeout: PATIENCE_MS }, () => {
  it.each(SEEDS)('is judged in few points (seed %i)', (seed) => {
    const history = register(seed);
    const found = searchPart(registerModel(), key, history, { maxVisited: MOST_POINTS });
    expect(explains(registerModel(), null, history, found.order)).toBe(true);
  });
});

describe('a key of twenty clients who often give up', { timeout: PATIENCE_MS }, () => {
  it.each(SEEDS)('is judged in few points (seed %i)', (seed) => {
    const history = store(seed);
    const found = searchPart(keyValueModel, key, history, { maxVisited: MOST_POINTS });
    expect(explains(keyValueModel, '', history, found.order)).toBe(true);
  });
});
