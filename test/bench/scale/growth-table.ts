/** @module A dimension's figures as a Markdown table: a column for each size, the slope last. */
import { markdownTable } from '../markdown-table.ts';
import { round } from '../statistics.ts';
import type { Growth, Series } from './growth.ts';

export function growthTable({ name, of, series, loadBefore, loadAfter }: Growth): string {
  const sizes = [...new Set(series.flatMap(({ points }) => points.map(({ size }) => size)))].toSorted(
    (a, b) => a - b,
  );
  const head = [`${name}, by ${of}`, ...sizes.map((size) => size.toLocaleString('en')), 'slope'];
  const rows = series.map((each) => [
    `${each.name}, ${each.unit}`,
    ...sizes.map((size) => cellOf(each, size)),
    `${each.slope ?? ''}${each.isWorse ? ' WORSE' : ''}`,
  ]);
  return `${markdownTable(head, rows)}\n\nload average ${loadBefore} before, ${loadAfter} after`;
}

function cellOf({ points }: Series, size: number): string {
  const point = points.find((each) => each.size === size);
  return point === undefined ? '' : shortFigure(point.value);
}

/** Three digits. */
export function shortFigure(value: number): string {
  return String(round(value, value >= 100 ? 0 : value >= 10 ? 1 : 2));
}
