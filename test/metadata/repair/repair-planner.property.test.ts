/** @module The plan of repairs against what it promises: danger first, nothing lost, nothing twice, nobody overloaded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FreeSpacePlacement } from '../../../src/metadata/free-space-placement.ts';
import type { PlacementCandidate } from '../../../src/metadata/placement.ts';
import {
  type EndangeredBlock,
  missing,
  type NodeWork,
  planRepairs,
  type RepairLimits,
  type RepairPlan,
} from '../../../src/metadata/repair/repair-planner.ts';
import { seededRandom } from '../seeded-random.ts';

const MIB = 1024 * 1024;
const LIMITS: RepairLimits = { copies: 3, bytes: 24 * MIB };
const NODES = [1, 2, 3, 4, 5, 6];

function candidate(node: number, freeBytes: number = 1000 * MIB): PlacementCandidate {
  return { node, host: `h${node}`, freeBytes, expectedBytes: 0 };
}

function plan(
  blocks: readonly EndangeredBlock[],
  { candidates = NODES.map((node) => candidate(node)), limits = LIMITS, seed = 1 } = {},
): RepairPlan {
  const work = new Map<number, NodeWork>();
  const place = (node: number) => ({ node, host: `h${node}` });
  const state = { blocks, candidates, place, sending: work, receiving: work };
  return planRepairs(state, limits, new FreeSpacePlacement(), seededRandom(seed));
}

function block(hash: string, good: readonly number[], more: Partial<EndangeredBlock> = {}): EndangeredBlock {
  return { hash, sizeBytes: MIB, wanted: 3, good, leaving: [], arriving: [], ...more };
}

const endangered: fc.Arbitrary<readonly EndangeredBlock[]> = fc
  .array(
    fc.record({
      sizeBytes: fc.integer({ min: 1, max: 30 * MIB }),
      wanted: fc.integer({ min: 1, max: 5 }),
      nodes: fc.shuffledSubarray(NODES),
      cuts: fc.tuple(fc.nat(6), fc.nat(6)),
    }),
    { maxLength: 30 },
  )
  .map((blocks) =>
    blocks.map(({ nodes, cuts, ...rest }, position) => {
      const [first, second] = [Math.min(...cuts), Math.max(...cuts)];
      return {
        ...rest,
        hash: `b${position}`,
        good: nodes.slice(0, first),
        leaving: nodes.slice(first, second),
        arriving: nodes.slice(second, second + 1),
      };
    }),
  );

describe('a plan of repairs', () => {
  it('asks only readable copies, never more than are missing, and no datanode twice for one block', () => {
    fc.assert(
      fc.property(endangered, fc.nat(), (blocks, seed) => {
        const { orders } = plan(blocks, { seed });
        for (const each of blocks) {
          const own = orders.filter(({ hash }) => hash === each.hash);
          expect(own.length).toBeLessThanOrEqual(Math.max(0, missing(each)));
          const targets = own.map(({ target }) => target);
          const taken = [...each.good, ...each.leaving, ...each.arriving, ...targets];
          expect(new Set(taken).size).toBe(taken.length);
          for (const { source } of own) expect([...each.good, ...each.leaving]).toContain(source);
        }
      }),
    );
  });

  it('overloads nobody, unless by a single block that is larger than the bound', () => {
    fc.assert(
      fc.property(endangered, fc.nat(), (blocks, seed) => {
        const { orders } = plan(blocks, { seed });
        for (const end of ['source', 'target'] as const)
          for (const node of NODES) {
            const own = orders.filter((order) => order[end] === node);
            const bytes = own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
            expect(own.length).toBeLessThanOrEqual(LIMITS.copies);
            if (own.length > 1) expect(bytes).toBeLessThanOrEqual(LIMITS.bytes);
          }
      }),
    );
  });

  it('gives every block that can be helped a copy, or says why not', () => {
    fc.assert(
      fc.property(endangered, fc.nat(), (blocks, seed) => {
        const { orders, stuck } = plan(blocks, { seed });
        for (const each of blocks) {
          const helped = orders.filter(({ hash }) => hash === each.hash).length;
          const reason = stuck.find((other) => other.block.hash === each.hash)?.reason;
          expect(helped < missing(each)).toBe(reason !== undefined);
          const holders = new Set([...each.good, ...each.leaving]);
          if (missing(each) > 0) expect(reason === 'no-copy').toBe(holders.size === 0);
          if (reason === 'no-target') expect(holders.size + each.arriving.length + helped).toBe(NODES.length);
        }
      }),
    );
  });

  it('makes the second copy of every block before the third of any', () => {
    const blocks = [block('two', [1, 2]), block('one', [3]), block('other', [4])];
    const { orders } = plan(blocks, { limits: { copies: 1, bytes: 24 * MIB } });
    expect(orders.slice(0, 2).map(({ hash }) => hash)).toEqual(['one', 'other']);
    const unhurried = plan(blocks, { limits: { copies: 100, bytes: 1000 * MIB } }).orders.map(
      ({ hash }) => hash,
    );
    expect(unhurried.slice(0, 2)).toEqual(['one', 'other']);
    expect(unhurried.slice(2).toSorted()).toEqual(['one', 'other', 'two']);
  });

  it('counts what leaves a datanode as no danger, and what is on its way as there', () => {
    const leaving = block('leaving', [1, 2], { leaving: [3] });
    const arriving = block('arriving', [1], { arriving: [2] });
    const { orders } = plan([leaving, block('one', [4]), arriving]);
    expect(orders[0]?.hash).toBe('one');
    expect(orders.find(({ hash }) => hash === 'leaving')?.target).not.toBe(3);
    expect(orders.filter(({ hash }) => hash === 'arriving')).toHaveLength(1);
    const mostlyLeaving = block('leaving', [1], { leaving: [2, 3] });
    expect(plan([mostlyLeaving, block('two', [4, 5])]).orders[0]?.hash).toBe('two');
    const soonThree = block('soon', [1], { arriving: [2, 3], wanted: 4 });
    expect(plan([soonThree, block('two', [4, 5])]).orders[0]?.hash).toBe('two');
  });

  it('spreads the work over sources and targets', () => {
    const blocks = Array.from({ length: 12 }, (_, position) => block(`b${position}`, [1, 2]));
    const { orders } = plan(blocks, { limits: { copies: 6, bytes: 1000 * MIB } });
    for (const source of [1, 2]) expect(orders.filter((order) => order.source === source)).toHaveLength(6);
    expect(new Set(orders.map(({ target }) => target)).size).toBe(4);
  });

  it('leaves out who failed a moment ago, as source only while there is another one', () => {
    const { orders } = plan([block('b', [1, 2], { avoid: [1, 3] }), block('c', [4], { avoid: [4] })]);
    expect(orders.find(({ hash }) => hash === 'b')).toMatchObject({ source: 2 });
    expect(orders.map(({ hash, target }) => `${hash}${target}`)).not.toContain('b3');
    expect(orders.find(({ hash }) => hash === 'c')).toMatchObject({ source: 4 });
  });

  it('looks at a few datanodes for a copy, not at all of them', () => {
    let looks = 0;
    const candidates = Array.from({ length: 500 }, (_, at) => ({
      ...candidate(at + 1),
      get host() {
        looks += 1;
        return `h${at + 1}`;
      },
    }));
    const blocks = Array.from({ length: 200 }, (_, at) => block(`b${at}`, [at + 1, 500 - at]));
    expect(plan(blocks, { candidates }).orders).toHaveLength(200);
    expect(looks).toBeLessThan(200 * 40);
  });
});
