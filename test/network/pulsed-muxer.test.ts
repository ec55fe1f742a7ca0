/** @module A connection is kept while its peer answers, and given up when it falls silent. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepPulse, type PingingMuxer, pulseIntervalMs } from '../../src/network/pulsed-muxer.ts';

const INTERVAL_MS = 5_000;
const PULSE = { intervalMs: () => INTERVAL_MS, timeoutMs: 10_000 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function connected(ping: PingingMuxer['ping']) {
  const connection = Object.assign(new EventTarget(), { abort: vi.fn() });
  const muxer = { status: 'open' as const, ping: vi.fn(ping), abort: vi.fn() };
  keepPulse(muxer, connection, PULSE);
  return { connection, muxer };
}

it('keeps a connection whose peer answers, and asks no more once it is closed', async () => {
  const { connection, muxer } = connected(async () => 1);
  await vi.advanceTimersByTimeAsync(21_000);
  expect(muxer.ping).toHaveBeenCalledTimes(4);
  connection.dispatchEvent(new Event('close'));
  await vi.advanceTimersByTimeAsync(21_000);
  expect(muxer.ping).toHaveBeenCalledTimes(4);
  expect(connection.abort).not.toHaveBeenCalled();
});

it('gives up a connection whose peer does not answer in time', async () => {
  const silence = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('silent')), ms);
    return controller.signal;
  });
  const { connection, muxer } = connected(
    ({ signal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  );
  await vi.advanceTimersByTimeAsync(INTERVAL_MS + PULSE.timeoutMs - 1);
  expect(connection.abort).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(muxer.abort).toHaveBeenCalled();
  expect(connection.abort).toHaveBeenCalled();
  silence.mockRestore();
});

it('asks each peer the less often the more there are, and none less than once a minute', () => {
  const pulses = (connections: number): number => (connections * 1_000) / pulseIntervalMs(connections);
  expect(pulseIntervalMs(1)).toBe(5_000);
  expect(pulses(10)).toBe(2);
  expect(pulses(40)).toBe(2);
  expect(pulseIntervalMs(5_000)).toBe(60_000);
});

it('does not take its own standstill for the silence of a peer, and asks again', async () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  const { connection, muxer } = connected(() => {
    now.mockReturnValue(muxer.ping.mock.calls.length === 1 ? 30_000 : 40_000);
    return Promise.reject(new Error('timed out'));
  });
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(connection.abort).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(muxer.ping).toHaveBeenCalledTimes(2);
  expect(connection.abort).toHaveBeenCalled();
  now.mockRestore();
});
