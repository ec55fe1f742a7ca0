/** @module A dimension's figures as a picture: both axes logarithmic, each line with its slope. SVG. */
import { svgDocument, svgText } from '../svg.ts';
import type { Growth, Point, Series } from './growth.ts';
import { shortFigure } from './growth-table.ts';

const LEFT = 70;
const TOP = 44;
const WIDTH = 440;
const HEIGHT = 360;
const LEGEND_WIDTH = 380;
const LINES = ['#2b6cb0', '#b7791f', '#2f855a', '#c05621', '#6b46c1', '#b83280', '#718096', '#234e52'];

/** Maps a decade-wise rounded range of values to [0, 1]. */
interface Axis {
  readonly decades: readonly number[];
  at(value: number): number;
}

export function growthPlot({ name, of, series, loadBefore }: Growth): string {
  const drawn = series.filter(({ points }) => points.some(({ value }) => value > 0));
  const points = drawn.flatMap((each) => each.points).filter(({ value }) => value > 0);
  const across = axisOf(points.map(({ size }) => size));
  const up = axisOf(points.map(({ value }) => value));
  const x = (size: number): number => LEFT + across.at(size) * WIDTH;
  const y = (value: number): number => TOP + (1 - up.at(value)) * HEIGHT;
  const grid = [
    ...across.decades.map(
      (at) => line(x(at), TOP, x(at), TOP + HEIGHT) + svgText(x(at) - 12, TOP + HEIGHT + 18, power(at)),
    ),
    ...up.decades.map((at) => line(LEFT, y(at), LEFT + WIDTH, y(at)) + svgText(14, y(at) + 4, power(at))),
  ];
  const curves = drawn.map((each, at) => curve(each, at, x, y));
  const title = svgText(14, 22, `${name}, by ${of}; load average ${loadBefore}`, { class: 'title' });
  const size = {
    width: LEFT + WIDTH + LEGEND_WIDTH,
    height: Math.max(TOP + HEIGHT + 30, TOP + drawn.length * 34 + 20),
  };
  return svgDocument(size, [title, ...grid, ...curves]);
}

function curve(
  { name, unit, slope, isWorse, points }: Series,
  at: number,
  x: (size: number) => number,
  y: (value: number) => number,
): string {
  const colour = LINES[at % LINES.length] ?? '';
  const shown = points.filter(({ value }) => value > 0);
  const path = shown.map(({ size, value }) => `${x(size).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const dots = shown.map(
    ({ size, value }) =>
      `<circle cx="${x(size).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${colour}"/>`,
  );
  const legend = TOP + 12 + at * 34;
  const said = slope === undefined ? '' : `slope ${slope}${isWorse ? ', worse than n log n' : ''}; `;
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...dots,
    svgText(LEFT + WIDTH + 16, legend, `${name}, ${unit}`, { fill: colour }),
    svgText(LEFT + WIDTH + 16, legend + 14, `${said}${ends(shown)}`, { class: 'note' }),
  ].join('');
}

function ends(points: readonly Point[]): string {
  const [first, last] = [points[0], points.at(-1)];
  return first === undefined || last === undefined
    ? ''
    : `${shortFigure(first.value)} to ${shortFigure(last.value)}`;
}

function axisOf(values: readonly number[]): Axis {
  const lowest = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const highest = Math.max(lowest + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return {
    decades: Array.from({ length: highest - lowest + 1 }, (_, at) => 10 ** (lowest + at)),
    at: (value) => (Math.log10(value) - lowest) / (highest - lowest),
  };
}

function power(value: number): string {
  return `1e${Math.round(Math.log10(value))}`;
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((each) => each.toFixed(1));
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="#ddd"/>`;
}
