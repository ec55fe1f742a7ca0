/** @module Memory that is given back at once. */
import { expect, it } from 'vitest';
import { giveBack, onceLeftBy } from '../../src/common/bytes.ts';

it('a buffer is given back, but not while somebody may need the rest of it', () => {
  const whole = new Uint8Array(100);
  const part = whole.subarray(1);
  giveBack(part);
  expect(whole.byteLength).toBe(100);
  giveBack(whole);
  expect([whole.byteLength, part.byteLength]).toEqual([0, 0]);
});

it('what two look at is done with after the second one has left it', () => {
  let isDone = false;
  const left = onceLeftBy(2, () => (isDone = true));
  left();
  expect(isDone).toBe(false);
  left();
  expect(isDone).toBe(true);
});
