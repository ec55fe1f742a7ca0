/** @module How far apart the copies of a block must stand. */
import { expect, it } from 'vitest';
import { type CopyPlace, isSpread } from '../../src/client/copy-spread.ts';

const place = (node: number, host: string, zone = '', hostGroup = ''): CopyPlace => ({
  node,
  host,
  zone,
  hostGroup,
});
const [a1, a2, b1] = [place(1, 'a'), place(2, 'a'), place(3, 'b')];

it('asks for as many machines as copies are wanted, or all there are', () => {
  expect(isSpread([a1, a2], [a1, a2, b1], 2)).toBe(false);
  expect(isSpread([a1, b1], [a1, a2, b1], 2)).toBe(true);
  expect(isSpread([a1, a2, b1], [a1, a2, b1], 3)).toBe(true);
  expect(isSpread([a1, a2], [a1, a2], 2)).toBe(true);
  expect(isSpread([place(1, ''), place(2, '')], [place(1, ''), place(2, ''), b1], 2)).toBe(true);
});

it('asks the same of groups of machines, and of zones', () => {
  const racks = [place(1, 'a', '', 'r1'), place(2, 'b', '', 'r1'), place(3, 'c', '', 'r2')];
  const [one, two, three] = racks as [CopyPlace, CopyPlace, CopyPlace];
  expect(isSpread([one, two], racks, 2)).toBe(false);
  expect(isSpread([one, three], racks, 2)).toBe(true);
  const zones = [place(1, 'a', 'x'), place(2, 'b', 'x'), place(3, 'c', 'y')];
  expect(isSpread(zones.slice(0, 2), zones, 2)).toBe(false);
  expect(isSpread(zones, zones, 3)).toBe(true);
});
