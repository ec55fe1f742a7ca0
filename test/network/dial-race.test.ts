import { describe, expect, it } from 'vitest';
import { dialRace, MAX_RACE_ADDRESSES } from '../../src/network/dial-race.ts';

/** Never answers; ends when told to. */
function silent(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
}

const never = new AbortController().signal;

describe('a race of dials', () => {
  it('is won by an address that answers, though the one before it is silent, and ends the others', async () => {
    const signals: AbortSignal[] = [];
    const won = await dialRace(
      ['silent', 'answers'],
      (address, signal) => {
        signals.push(signal);
        return address === 'silent' ? silent(signal) : Promise.resolve(address);
      },
      never,
    );
    expect(won).toBe('answers');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it('goes on at once after a failure, and fails with every reason', async () => {
    const startMs = performance.now();
    const dialled: string[] = [];
    const addresses = Array.from({ length: MAX_RACE_ADDRESSES + 3 }, (_, index) => `address ${index}`);
    const race = dialRace(
      addresses,
      (address) => {
        dialled.push(address);
        return Promise.reject(new Error(address));
      },
      never,
    );
    await expect(race).rejects.toMatchObject({ errors: { length: MAX_RACE_ADDRESSES } });
    expect(dialled).toEqual(addresses.slice(0, MAX_RACE_ADDRESSES));
    expect(performance.now() - startMs).toBeLessThan(MAX_RACE_ADDRESSES * 200);
  });

  it('ends with the reason of its signal', async () => {
    const given = new AbortController();
    const race = dialRace(['silent', 'silent too'], (_address, signal) => silent(signal), given.signal);
    given.abort(new Error('no longer wanted'));
    await expect(race).rejects.toThrow('no longer wanted');
  });
});
