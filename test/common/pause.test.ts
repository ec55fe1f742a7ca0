import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { Pause } from '../../src/common/pause.ts';

const LONG_MS = 60_000;

describe('a pause', () => {
  it('ends by itself after its time', async () => {
    expect(await new Pause({ clock: systemClock }).wait(1)).toBe(false);
  });

  it('ends as soon as it is woken, and leaves no timer behind', async () => {
    const timers = new Set<object>();
    const clock = {
      ...systemClock,
      after(): { cancel: () => void } {
        const timer = { cancel: () => void timers.delete(timer) };
        timers.add(timer);
        return timer;
      },
    };
    const pause = new Pause({ clock });
    const waited = pause.wait(LONG_MS);
    expect(timers.size).toBe(1);
    pause.wake();
    expect(await waited).toBe(true);
    expect(timers.size).toBe(0);
  });

  it('does not begin when it was woken before, once', async () => {
    const pause = new Pause({ clock: systemClock });
    pause.wake();
    expect(await pause.wait(LONG_MS)).toBe(true);
    expect(await pause.wait(1)).toBe(false);
  });
});
