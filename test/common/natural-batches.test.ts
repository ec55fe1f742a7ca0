import { describe, expect, it } from 'vitest';
import { NaturalBatches, type SendBatch } from '../../src/common/natural-batches.ts';

interface Flight {
  readonly items: readonly number[];
  readonly signal: AbortSignal | undefined;
  readonly answer: PromiseWithResolvers<readonly (number | Promise<number>)[]>;
}

function batches(limits: { maxItems?: number; maxFlights?: number; maxWeight?: number } = {}) {
  const flights: Flight[] = [];
  const send: SendBatch<number, number> = (items, signal) => {
    const answer = Promise.withResolvers<readonly (number | Promise<number>)[]>();
    flights.push({ items, signal, answer });
    return answer.promise;
  };
  const gathered = new NaturalBatches(send, {
    maxItems: 8,
    maxFlights: 1,
    weigh: (item) => item,
    mayShare: (first, item) => first < 100 === item < 100,
    maxWaiting: 10,
    overloaded: () => new Error('too many'),
    ...limits,
  });
  return { gathered, flights };
}

/** Past the promises of this turn, and what they scheduled. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('natural batches', () => {
  it('send at the end of the turn what was asked in it, and what comes meanwhile together afterwards', async () => {
    const { gathered, flights } = batches();
    const first = [gathered.ask(1), gathered.ask(2)];
    await turn();
    const later = [gathered.ask(3), gathered.ask(4), gathered.ask(5)];
    await turn();
    expect(flights.map(({ items }) => items)).toEqual([[1, 2]]);
    flights[0]?.answer.resolve([10, 20]);
    expect(await Promise.all(first)).toEqual([10, 20]);
    await turn();
    expect(flights[1]?.items).toEqual([3, 4, 5]);
    flights[1]?.answer.resolve([30, 40, 50]);
    expect(await Promise.all(later)).toEqual([30, 40, 50]);
  });

  it('give each item its own verdict, and a failure of the request to all', async () => {
    const { gathered, flights } = batches();
    const answers = Promise.allSettled([gathered.ask(1), gathered.ask(2)]);
    await turn();
    flights[0]?.answer.resolve([Promise.reject(new Error('refused')), 20]);
    expect(await answers).toMatchObject([{ reason: { message: 'refused' } }, { value: 20 }]);
    const failing = Promise.allSettled([gathered.ask(3), gathered.ask(4)]);
    await turn();
    flights[1]?.answer.reject(new Error('lost'));
    expect(await failing).toMatchObject([{ reason: { message: 'lost' } }, { reason: { message: 'lost' } }]);
  });

  it('keep to what may travel together', async () => {
    const { gathered, flights } = batches({ maxItems: 3, maxWeight: 10, maxFlights: 9 });
    for (const item of [1, 1, 1, 1, 20, 9, 2, 200, 300, 3]) void gathered.ask(item);
    await turn();
    expect(flights.map(({ items }) => items)).toEqual([[1, 1, 1], [1], [20], [9], [2], [200], [300], [3]]);
  });

  it('let go of who gives up, and of the request once nobody waits for it', async () => {
    const { gathered, flights } = batches();
    const [one, two, queued] = [new AbortController(), new AbortController(), new AbortController()];
    const answers = Promise.allSettled([gathered.ask(1, one.signal), gathered.ask(2, two.signal)]);
    await turn();
    const waiting = Promise.allSettled([gathered.ask(3, queued.signal), gathered.ask(4)]);
    queued.abort(new Error('enough'));
    one.abort(new Error('enough'));
    expect(flights[0]?.signal?.aborted).toBe(false);
    two.abort(new Error('enough'));
    expect(flights[0]?.signal?.aborted).toBe(true);
    flights[0]?.answer.resolve([Promise.reject(new Error('heard by nobody')), 20]);
    expect(await answers).toMatchObject([
      { reason: { message: 'enough' } },
      { reason: { message: 'enough' } },
    ]);
    await turn();
    expect(flights[1]?.items).toEqual([4]);
    flights[1]?.answer.resolve([40]);
    expect(await waiting).toMatchObject([{ status: 'rejected' }, { value: 40 }]);
  });

  it('have no signal where somebody cannot give up', async () => {
    const { gathered, flights } = batches();
    const [giving, staying] = [new AbortController(), gathered.ask(2)];
    const given = Promise.allSettled([gathered.ask(1, giving.signal)]);
    await turn();
    giving.abort(new Error('enough'));
    expect(await given).toMatchObject([{ reason: { message: 'enough' } }]);
    expect(flights[0]?.signal).toBeUndefined();
    flights[0]?.answer.resolve([20, 10]);
    expect(await staying).toBe(20);
  });

  it('refuse more than may wait', async () => {
    const { gathered } = batches();
    for (let item = 0; item < 10; item += 1) void gathered.ask(item);
    await expect(gathered.ask(11)).rejects.toThrow('too many');
  });
});
