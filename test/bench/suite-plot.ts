/** @module A suite's figures as a picture: a bar for each contender's median in each case, a line for its range. SVG. */
import type { SuiteReport } from './measure-suite.ts';
import { round, spread } from './statistics.ts';
import { svgDocument, svgText } from './svg.ts';

const LABEL_WIDTH = 250;
const BAR_WIDTH = 460;
const BAR_HEIGHT = 18;
const CASE_GAP = 16;
const TOP = 46;
const FILLS = ['#2b6cb0', '#b7791f', '#718096', '#c05621'];

/** Self-contained. Cases have units of their own: in each, the longest bar is the largest figure. */
export function suitePlot({ suite, contenders, cases, loadBefore }: SuiteReport): string {
  const rowHeight = contenders.length * BAR_HEIGHT + CASE_GAP;
  const names = contenders.map(({ name }, at) =>
    svgText(LABEL_WIDTH + at * 110, 38, name, { fill: FILLS[at % FILLS.length] ?? '' }),
  );
  const rows = cases.flatMap(({ name, unit, samples }, row) => {
    const spreads = contenders.map((each) => spread((samples[each.name] ?? []).map(({ figure }) => figure)));
    const most = Math.max(...spreads.map(({ highest }) => highest), Number.MIN_VALUE);
    const top = TOP + row * rowHeight;
    const bars = spreads.map(({ median, lowest, highest }, at) => {
      const [y, length] = [top + at * BAR_HEIGHT, (value: number): number => (value / most) * BAR_WIDTH];
      const middle = y + BAR_HEIGHT / 2 - 1;
      return [
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${round(length(median), 1)}" height="${BAR_HEIGHT - 3}" fill="${FILLS[at % FILLS.length]}"/>`,
        `<line x1="${round(LABEL_WIDTH + length(lowest), 1)}" x2="${round(LABEL_WIDTH + length(highest), 1)}" y1="${middle}" y2="${middle}" stroke="#222"/>`,
        svgText(LABEL_WIDTH + length(highest) + 6, y + 12, `${round(median, median >= 100 ? 0 : 1)} ${unit}`),
      ].join('');
    });
    return [svgText(12, top + 12, name), ...bars];
  });
  const title = svgText(12, 20, `${suite}: medians and ranges; load average ${loadBefore} before`, {
    class: 'title',
  });
  const size = {
    width: LABEL_WIDTH + BAR_WIDTH + 130,
    height: TOP + cases.length * rowHeight + 8,
  };
  return svgDocument(size, [title, ...names, ...rows]);
}
