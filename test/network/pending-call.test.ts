/** @module A call that nobody answers ends in time, and one that was answered while its own process stood still does not. */
import { expect, it } from 'vitest';
import type { Clock } from '../../src/common/clock.ts';
import { PendingCall } from '../../src/network/pending-call.ts';

/** Runs one timer at a time, as late as it is told. */
class LateClock implements Clock {
  #nowMs = 0;
  #pending: (() => void) | undefined;
  wallMs = (): number => this.#nowMs;
  monotonicMs = (): number => this.#nowMs;
  every = (): never => {
    throw new Error('a call has one deadline');
  };

  after(_delayMs: number, callback: () => void) {
    this.#pending = callback;
    return { cancel: () => (this.#pending = undefined) };
  }

  fireAt(nowMs: number): void {
    const callback = this.#pending;
    this.#pending = undefined;
    this.#nowMs = nowMs;
    callback?.();
  }
}

const CALL = { peer: 'p', method: 'm', timeoutMs: 500 };

function begun(): { readonly clock: LateClock; readonly call: PendingCall<string> } {
  const clock = new LateClock();
  const call = new PendingCall<string>({ clock }, CALL);
  call.giveUp = () => {};
  return { clock, call };
}

it('ends at its deadline', async () => {
  const { clock, call } = begun();
  clock.fireAt(500);
  await expect(call.promise).rejects.toMatchObject({ code: 'NETWORK_TIMEOUT' });
});

it('takes an answer that came while this process stood still, and ends without one all the same', async () => {
  const answered = begun();
  answered.clock.fireAt(3_000);
  expect(answered.call.settled).toBe(false);
  answered.call.resolve('yes');
  await expect(answered.call.promise).resolves.toBe('yes');
  const silent = begun();
  silent.clock.fireAt(3_000);
  silent.clock.fireAt(3_050);
  await expect(silent.call.promise).rejects.toMatchObject({ code: 'NETWORK_TIMEOUT' });
});
