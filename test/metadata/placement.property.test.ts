import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FreeSpacePlacement } from '../../src/metadata/free-space-placement.ts';
import type { PlacementCandidate } from '../../src/metadata/placement.ts';
import { seededRandom } from './seeded-random.ts';

const GIB = 1024 ** 3;
const policy = new FreeSpacePlacement();

const candidates = fc
  .array(
    fc.record({
      host: fc.constantFrom('', 'a', 'b', 'c'),
      freeBytes: fc.integer({ min: 0, max: 4 * GIB }),
      expectedBytes: fc.integer({ min: 0, max: GIB }),
    }),
    { maxLength: 8 },
  )
  .map((list) => list.map((candidate, position) => ({ ...candidate, node: position + 1 })));
const requests = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: GIB / 2 }), { maxLength: 6 }),
  copies: fc.integer({ min: 0, max: 5 }),
  exclude: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }),
  nearHost: fc.constantFrom('', 'a', 'z'),
});

const hostOf = ({ host, node }: PlacementCandidate): string => host || `node ${node}`;

const manyNodes = Array.from({ length: 200 }, (_, at) => ({
  node: at + 1,
  host: `h${at >> 1}`,
  zone: `z${at % 3}`,
  freeBytes: GIB,
  expectedBytes: 0,
}));

describe('FreeSpacePlacement', () => {
  it('chooses distinct nodes, never an excluded one, never more than asked, never beyond their room', () => {
    fc.assert(
      fc.property(candidates, requests, fc.nat(), (nodes, request, seed) => {
        const placements = policy.place(nodes, request, seededRandom(seed));
        expect(placements).toHaveLength(request.sizes.length);
        const room = new Map(
          nodes.map(({ node, freeBytes, expectedBytes }) => [node, freeBytes - expectedBytes]),
        );
        placements.forEach((chosen, position) => {
          expect(new Set(chosen).size).toBe(chosen.length);
          expect(chosen.length).toBeLessThanOrEqual(request.copies);
          for (const node of chosen) {
            expect(request.exclude).not.toContain(node);
            room.set(node, (room.get(node) ?? 0) - (request.sizes[position] ?? 0));
            expect(room.get(node)).toBeGreaterThanOrEqual(0);
          }
        });
      }),
    );
  });

  it('gives a block all the copies that distinct nodes with room allow', () => {
    fc.assert(
      fc.property(candidates, requests, fc.nat(), (nodes, request, seed) => {
        const [size] = request.sizes;
        if (size === undefined) return;
        const fitting = nodes.filter(
          ({ node, freeBytes, expectedBytes }) =>
            !request.exclude.includes(node) && freeBytes - expectedBytes >= size,
        );
        const [chosen] = policy.place(nodes, { ...request, sizes: [size] }, seededRandom(seed));
        expect(chosen).toHaveLength(Math.min(request.copies, fitting.length));
        const hosts = (numbers: readonly number[]): number =>
          new Set(nodes.filter(({ node }) => numbers.includes(node)).map(hostOf)).size;
        expect(hosts(chosen ?? [])).toBe(
          Math.min(chosen?.length ?? 0, hosts(fitting.map(({ node }) => node))),
        );
      }),
    );
  });

  it('spreads over zones and hosts among very many datanodes as among few, however full they are', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 5 }), fc.nat(95), (seed, copies, full) => {
        const nodes = manyNodes.map((node, at) => ({ ...node, freeBytes: at % 100 < full ? 0 : GIB }));
        const placements = policy.place(
          nodes,
          { sizes: [GIB / 2, GIB / 2], copies, exclude: [1], nearHost: '' },
          seededRandom(seed),
        );
        const zones = new Set(nodes.filter(({ freeBytes }) => freeBytes > 0).map(({ zone }) => zone)).size;
        for (const chosen of placements) {
          const places = chosen.map((number) => nodes[number - 1]);
          expect(chosen).toHaveLength(copies);
          expect(chosen).not.toContain(1);
          expect(places.every((place) => place !== undefined && place.freeBytes > 0)).toBe(true);
          expect(new Set(places.map((place) => place?.zone)).size).toBe(Math.min(copies, zones));
          expect(new Set(places.map((place) => place?.host)).size).toBe(copies);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('chooses those of very many datanodes that have three times the room about three times as often, also when room goes', () => {
    const nodes = manyNodes.map((node, at) => ({ ...node, freeBytes: at % 2 === 0 ? 3 * GIB : GIB }));
    const sizes = Array.from({ length: 300 }, () => GIB / 512);
    const request = { sizes, copies: 1, exclude: [], nearHost: '' };
    const random = seededRandom(7);
    const chosen = Array.from({ length: 10 }, () => policy.place(nodes, request, random).flat()).flat();
    const share = chosen.filter((number) => (nodes[number - 1]?.freeBytes ?? 0) > GIB).length / chosen.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
  });

  it('looks at a few datanodes for a copy, not at all of them', () => {
    let looks = 0;
    const nodes = manyNodes.map((node) => ({
      ...node,
      get zone() {
        looks += 1;
        return node.zone;
      },
    }));
    const sizes = Array.from({ length: 100 }, () => 1);
    policy.place(nodes, { sizes, copies: 3, exclude: [], nearHost: '' }, seededRandom(1));
    expect(looks).toBeLessThan(manyNodes.length + 300 * 20);
  });

  it('puts the first copy on the host at hand', () => {
    const nodes = ['a', 'b', 'c'].map((host, position) => ({
      node: position + 1,
      host,
      freeBytes: GIB,
      expectedBytes: 0,
    }));
    const request = { sizes: [1], copies: 3, exclude: [], nearHost: 'c' };
    for (let seed = 0; seed < 20; seed += 1)
      expect(policy.place(nodes, request, seededRandom(seed))[0]?.[0]).toBe(3);
  });

  it('chooses a node with three times the room about three times as often', () => {
    const nodes = [
      { node: 1, host: 'a', freeBytes: 3 * GIB, expectedBytes: 0 },
      { node: 2, host: 'b', freeBytes: 2 * GIB, expectedBytes: GIB },
    ];
    const random = seededRandom(42);
    const request = { sizes: [1], copies: 1, exclude: [], nearHost: '' };
    const first = Array.from({ length: 2_000 }, () => policy.place(nodes, request, random)[0]?.[0]);
    const share = first.filter((node) => node === 1).length / first.length;
    expect(share).toBeGreaterThan(0.7);
    expect(share).toBeLessThan(0.8);
  });
});
