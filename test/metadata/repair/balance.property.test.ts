/** @module What balance plans to move, and which copy of a block is one too many. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closenessTo } from '../../../src/metadata/node-place.ts';
import {
  FILL_TOLERANCE,
  meanFill,
  type NodeFill,
  planBalance,
} from '../../../src/metadata/repair/balance-planner.ts';
import {
  betterSpread,
  isSpreadOut,
  type Holding,
  keepsSpread,
  mostDispensable,
} from '../../../src/metadata/repair/spread.ts';

const GIB = 1024 ** 3;

const cluster: fc.Arbitrary<NodeFill[]> = fc
  .array(fc.record({ capacityBytes: fc.integer({ min: GIB, max: 64 * GIB }), share: fc.nat(1000) }), {
    maxLength: 12,
  })
  .map((nodes) =>
    nodes.map(({ capacityBytes, share }, position) => ({
      node: position + 1,
      capacityBytes,
      usedBytes: Math.floor((capacityBytes * share) / 1000),
    })),
  );

describe('a balance plan', () => {
  it('brings datanodes of any size within reach of the mean fill, moving nothing to and fro', () => {
    fc.assert(
      fc.property(cluster, (nodes) => {
        const mean = meanFill(nodes);
        const transfers = planBalance(nodes);
        const after = nodes.map((node) => ({
          ...node,
          usedBytes: transfers.reduce(
            (used, { source, target, bytes }) =>
              used + (target === node.node ? bytes : 0) - (source === node.node ? bytes : 0),
            node.usedBytes,
          ),
        }));
        for (const { usedBytes, capacityBytes } of after)
          expect(Math.abs(usedBytes / capacityBytes - mean)).toBeLessThanOrEqual(FILL_TOLERANCE);
        const givers = new Set(transfers.map(({ source }) => source));
        for (const { target, bytes } of transfers) {
          expect(givers.has(target)).toBe(false);
          expect(bytes).toBeGreaterThan(0);
        }
        expect(planBalance(after)).toEqual([]);
      }),
    );
  });

  it('leaves small differences alone, and fills a new datanode, on disks of which little is used, too', () => {
    const node = (number: number, used: number): NodeFill => ({
      node: number,
      usedBytes: used * GIB,
      capacityBytes: 100 * GIB,
    });
    expect(planBalance([node(1, 50), node(2, 54), node(3, 47)])).toEqual([]);
    expect(planBalance([node(1, 1), node(2, 1.05), node(3, 0.95)])).toEqual([]);
    expect(planBalance([node(1, 0.03), node(2, 0.03), node(3, 0)])).toEqual([]);
    expect(planBalance([node(1, 60), node(2, 60), node(3, 0)])).toEqual([
      { source: 1, target: 3, bytes: 20 * GIB },
      { source: 2, target: 3, bytes: 20 * GIB },
    ]);
    // A fill of 1% is far from none, however little that is of a large disk.
    expect(planBalance([node(1, 1.5), node(2, 1.5), node(3, 0)])).toEqual([
      { source: 1, target: 3, bytes: GIB / 2 },
      { source: 2, target: 3, bytes: GIB / 2 },
    ]);
  });
});

describe('the copies of a block', () => {
  const holding = (node: number, place: Partial<Holding> = {}): Holding => ({
    node,
    host: `h${node}`,
    fill: 0.5,
    ...place,
  });

  it('lose the one that stands closest to another, then the one on the fullest datanode', () => {
    expect(mostDispensable([holding(1), holding(2, { host: 'h1' }), holding(3, { fill: 0.9 })])?.node).toBe(
      2,
    );
    expect(mostDispensable([holding(1), holding(2), holding(3, { fill: 0.9 })])?.node).toBe(3);
    const zones = [
      holding(1, { zone: 'a', fill: 0.9 }),
      holding(2, { zone: 'b' }),
      holding(3, { zone: 'b' }),
    ];
    expect(mostDispensable(zones)?.node).toBe(3);
  });

  it('move apart when there is a better place, and only then', () => {
    const held = [holding(1, { zone: 'a' }), holding(2, { zone: 'a' })];
    expect(betterSpread(held, [{ node: 3, host: 'h3', zone: 'b' }])).toMatchObject({ to: { node: 3 } });
    expect(betterSpread(held, [{ node: 3, host: 'h3', zone: 'a' }])).toBeUndefined();
    expect(betterSpread([holding(1), holding(2)], [{ node: 3, host: 'h3' }])).toBeUndefined();
    expect(keepsSpread(holding(1), holding(3, { host: 'h2' }), [holding(2)])).toBe(false);
  });

  it('are left where they are without a look at the datanodes only when none of these is better', () => {
    const zone = fc.constantFrom('x', 'y', 'z', undefined);
    const place = fc.record({ host: fc.constantFrom('a', 'b', 'c', 'd', 'e'), zone });
    fc.assert(
      fc.property(fc.array(place, { minLength: 4, maxLength: 8 }), (places) => {
        const all = places.map((each, position) => holding(position + 1, each));
        const held = all.slice(0, 3);
        const better = betterSpread(held, all);
        const isOut = isSpreadOut(held, new Set(all.map((each) => each.zone ?? '')));
        if (isOut) expect(better).toBeUndefined();
        if (new Set(held.map(({ host }) => host)).size === 3 && all.every((each) => each.zone === undefined))
          expect(isOut).toBe(true);
      }),
    );
  });

  it('stand no closer after any number of such moves', () => {
    const place = fc.record({
      host: fc.constantFrom('a', 'b', 'c', 'd'),
      zone: fc.constantFrom('x', 'y', undefined),
    });
    fc.assert(
      fc.property(fc.array(place, { minLength: 4, maxLength: 8 }), (places) => {
        const all = places.map((each, position) => holding(position + 1, each));
        let held = all.slice(0, 3);
        const crowding = (): number =>
          held.reduce(
            (sum, each) =>
              sum +
              closenessTo(
                each,
                held.filter(({ node }) => node !== each.node),
              ),
            0,
          );
        for (let moves = 0; ; moves += 1) {
          const before = crowding();
          const better = betterSpread(held, all);
          if (better === undefined) break;
          expect(moves).toBeLessThan(9);
          held = [...held.filter(({ node }) => node !== better.from.node), better.to as Holding];
          expect(crowding()).toBeLessThanOrEqual(before);
        }
      }),
    );
  });
});
