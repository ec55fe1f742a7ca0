import { describe, expect, it } from 'vitest';
import { BadRequest, benchRequest, chosenOf } from './bench-request.ts';
import { seriesOf } from './scale/growth.ts';
import { growthPlot } from './scale/growth-plot.ts';
import { growthTable } from './scale/growth-table.ts';
import { withSection } from './scale/scale-page.ts';
import type { Suite } from './suite.ts';

const SIZES = [1e3, 1e4, 1e5, 1e6];
const grown = (cost: (size: number) => number) => SIZES.map((size) => ({ size, value: cost(size) }));

describe('the slope of a figure', () => {
  it('is the exponent of what it grows by, whatever is constant in small ones', () => {
    const kind = { name: 'copy', unit: 'CPU ms', counts: 'whole' } as const;
    expect(
      seriesOf(
        kind,
        grown((size) => 3 * size),
      ).slope,
    ).toBe(1);
    expect(
      seriesOf(
        kind,
        grown((size) => size ** 2),
      ).slope,
    ).toBe(2);
    expect(seriesOf(kind, [{ size: 1, value: 5 }]).slope).toBeUndefined();
  });

  it('is worse than n log n for a whole that is squared, and for an operation that costs more the more there is', () => {
    const isWorse = (counts: 'each' | 'whole' | 'seen', cost: (size: number) => number): boolean =>
      seriesOf({ name: 'copy', unit: 'CPU µs', counts }, grown(cost)).isWorse;
    expect(isWorse('whole', (size) => size * Math.log(size))).toBe(false);
    expect(isWorse('whole', (size) => size ** 2)).toBe(true);
    expect(isWorse('each', (size) => Math.log(size))).toBe(false);
    expect(isWorse('each', (size) => size)).toBe(true);
    expect(isWorse('seen', (size) => size)).toBe(false);
  });

  it('stands in the table and in the picture', () => {
    const series = [
      seriesOf(
        { name: 'copy', unit: 'CPU µs', counts: 'each' },
        grown((size) => size),
      ),
    ];
    const growth = { name: 'files', of: 'files', loadBefore: 0.1, loadAfter: 0.2, series };
    expect(growthTable(growth)).toContain('| copy, CPU µs');
    expect(growthTable(growth)).toContain('1 WORSE');
    expect(growthPlot(growth)).toContain('slope 1, worse than n log n');
  });
});

describe('a section of the page of figures', () => {
  const page =
    'a\n<!-- files -->\nold\n<!-- end of files -->\nb\n<!-- clients -->\n<!-- end of clients -->\n';

  it('is replaced as a whole, and nothing else is', () => {
    const expected = page.replace('old', 'new\ntable');
    expect(withSection(page, 'files', 'new\ntable')).toBe(expected);
    expect(withSection(expected, 'clients', 'c')).toContain('<!-- clients -->\nc\n<!-- end');
  });

  it('must be there', () => {
    expect(() => withSection(page, 'blocks', '')).toThrow(/no section/);
  });
});

describe('a request for a benchmark', () => {
  const suite: Suite = {
    options: { mib: 64 },
    runs: 3,
    plan: () => ({ cases: [], holdfast: () => Promise.reject(new Error('not here')), peers: {} }),
  };

  it('is refused in words when it makes no sense, before anything is started', () => {
    const refusal = (...words: string[]): string => {
      try {
        benchRequest('bulk', suite, words);
      } catch (error) {
        return error instanceof BadRequest ? error.message : String(error);
      }
      return '';
    };
    expect(refusal('--mib', '0')).toContain('--mib takes a whole number above 0');
    expect(refusal('--nonsense')).toContain('--mib, --against');
    expect(refusal('--against', 'etcd')).toContain("'etcd' cannot be measured here");
    expect(refusal('--runs', '2')).toBe('');
  });

  it('names cases that there are', () => {
    const cases = [{ name: 'killed' }, { name: 'hung' }];
    expect(chosenOf('hung', cases)).toEqual([{ name: 'hung' }]);
    expect(() => chosenOf('hung,dead', cases)).toThrow(/There is no 'dead'/);
  });
});
