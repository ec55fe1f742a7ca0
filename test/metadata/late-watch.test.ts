import { describe, expect, it } from 'vitest';
import { type Asker, LOOK_MS, LateWatch } from '../../src/metadata/late-watch.ts';
import { ManualClock } from '../manual-clock.ts';

function late(): Error {
  return new Error('late');
}

/** Says at any time what the wait has come to. */
function watched(wait: Promise<unknown>): () => unknown {
  let outcome: unknown = 'pending';
  wait.then(
    (value) => (outcome = value),
    (error: Error) => (outcome = error.message),
  );
  return () => outcome;
}

describe('waits watched with one timer', () => {
  it('end with what they wait for, before the limit', async () => {
    const watch = new LateWatch({ clock: new ManualClock() });
    expect(await watch.wait(Promise.resolve('done'), { limitMs: 100 }, late)).toBe('done');
    await expect(watch.wait(Promise.reject(new Error('no')), { limitMs: 100 }, late)).rejects.toThrow('no');
  });

  it('are given up at the limit, not before, and each at its own', async () => {
    const clock = new ManualClock();
    const watch = new LateWatch({ clock });
    const forever = new Promise<never>(() => {});
    const short = watched(watch.wait(forever, { limitMs: 200 }, late));
    const long = watched(watch.wait(forever, { limitMs: 400 }, late));
    await clock.advance(200 - LOOK_MS);
    expect(short()).toBe('pending');
    await clock.advance(2 * LOOK_MS);
    expect(short()).toBe('late');
    expect(long()).toBe('pending');
    await clock.advance(200);
    expect(long()).toBe('late');
  });

  it('ask for the signal only once they have lasted, and are given up when it has fired', async () => {
    const clock = new ManualClock();
    const watch = new LateWatch({ clock });
    const abortion = new AbortController();
    let asked = 0;
    const asker: Asker = {
      get signal() {
        asked += 1;
        return abortion.signal;
      },
    };
    const wait = watched(watch.wait(new Promise<never>(() => {}), { limitMs: 10_000, asker }, late));
    expect(asked).toBe(0);
    await clock.advance(LOOK_MS);
    expect(asked).toBe(1);
    abortion.abort();
    await clock.advance(LOOK_MS);
    expect(wait()).toBe('late');
  });
});
