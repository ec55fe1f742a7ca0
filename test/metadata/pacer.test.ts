import { describe, expect, it } from 'vitest';
import { Pacer } from '../../src/common/pacer.ts';
import { ManualClock } from '../manual-clock.ts';

const MAX = 1_000_000;

describe('a pacer', () => {
  it('lets no more through than its rate', async () => {
    const clock = new ManualClock();
    const pacer = new Pacer({ clock }, { maxBytesPerSecond: MAX });
    let passed = 0;
    const sending = (async () => {
      for (let chunk = 0; chunk < 40; chunk++) {
        await pacer.spend(MAX / 10);
        passed += 1;
      }
    })();
    await clock.advance(1_050);
    expect(passed).toBe(10);
    await clock.advance(3_000);
    await sending;
  });

  it('gathers what is too little for a timer', async () => {
    const clock = new ManualClock();
    const pacer = new Pacer({ clock }, { maxBytesPerSecond: MAX });
    await pacer.spend(1000);
    let isThrough = false;
    const second = pacer.spend(1000).then(() => (isThrough = true));
    await clock.advance(1);
    expect(isThrough).toBe(false);
    await clock.advance(1);
    await second;
  });

  it('backs off while timers come late, but never to a stop, and recovers', async () => {
    const clock = new ManualClock();
    const pacer = new Pacer({ clock }, { maxBytesPerSecond: MAX });
    const spend = async (): Promise<void> => {
      const spent = pacer.spend(MAX / 100);
      await clock.advance(1_000);
      await spent;
    };
    clock.lagMs = 40;
    await spend();
    expect(pacer.bytesPerSecond).toBe(MAX / 2);
    for (let round = 0; round < 10; round++) await spend();
    expect(pacer.bytesPerSecond).toBe(MAX / 8);
    clock.lagMs = 0;
    for (let round = 0; round < 30; round++) await spend();
    expect(pacer.bytesPerSecond).toBe(MAX);
  });

  it('rejects as soon as it is told to stop', async () => {
    const clock = new ManualClock();
    const stopping = new AbortController();
    const spent = new Pacer({ clock }, { maxBytesPerSecond: 1 }).spend(1000, stopping.signal);
    stopping.abort(new Error('stopped'));
    await expect(spent).rejects.toThrow('stopped');
  });
});
