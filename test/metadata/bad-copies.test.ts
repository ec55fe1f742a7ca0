import { describe, expect, it } from 'vitest';
import { BAD_COPY_MS, BadCopies, WITHDRAWAL_MS } from '../../src/metadata/bad-copies.ts';

describe('a copy that a reader found damaged', () => {
  let nowMs = 0;
  const badCopies = new BadCopies({
    clock: { monotonicMs: () => nowMs } as ConstructorParameters<typeof BadCopies>[0]['clock'],
  });

  it('counts as bad until another has taken its place, which counts at once', () => {
    badCopies.report('a', 1);
    badCopies.report('a', 2);
    badCopies.forgive('a', 1);
    expect([badCopies.isBad('a', 1), badCopies.isBad('a', 2)]).toEqual([false, true]);
  });

  it('is forgotten once its datanode had the time to look at it', () => {
    badCopies.report('b', 1);
    nowMs += BAD_COPY_MS - 1;
    expect(badCopies.isBad('b', 1)).toBe(true);
    nowMs += 1;
    expect(badCopies.isBad('b', 1)).toBe(false);
  });

  it('is hidden for a moment more once it is out of service, and one that was forgiven is not', () => {
    badCopies.report('c', 1);
    badCopies.withdrawn('c', 1);
    badCopies.withdrawn('c', 2);
    expect([badCopies.isBad('c', 1), badCopies.isBad('c', 2)]).toEqual([true, false]);
    nowMs += WITHDRAWAL_MS;
    expect(badCopies.isBad('c', 1)).toBe(false);
  });
});
