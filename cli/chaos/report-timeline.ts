/** @module The timeline of a run: a line for each node with its faults, and below it what clients got in each moment. SVG. */
import type { ChaosResult } from './chaos-result.ts';
import { escapeHtml } from './escape-html.ts';
import type { RecordedFault } from './fault-injector.ts';
import type { Outcome } from './history-file.ts';

const WIDTH = 1200;
const LEFT = 60;
const ROW_HEIGHT = 22;
const CHART_HEIGHT = 120;
const SLOWEST_HEIGHT = 60;
const GAP = 26;
/** Bars of the chart: more could not be told apart. */
const MOST_COLUMNS = 380;

const FAULT_COLOURS: Readonly<Record<string, string>> = {
  kill: '#c53030',
  'power-cut': '#742a2a',
  pause: '#dd6b20',
  cut: '#6b46c1',
  'one-way': '#b794f4',
  'slow-link': '#90cdf4',
  'full-disk': '#2c7a7b',
  'clock-step': '#d69e2e',
};
const OUTCOME_COLOURS: Readonly<Record<Outcome, string>> = {
  done: '#68b984',
  refused: '#cbd5e0',
  unavailable: '#f6ad55',
  unknown: '#e53e3e',
};
const OUTCOMES: readonly Outcome[] = ['done', 'refused', 'unavailable', 'unknown'];

interface Column {
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly slowestMs: number;
}

export function drawTimeline({ nodes, faults, recorder }: ChaosResult): string {
  const totalMs = recorder.seconds.length * 1000;
  const x = (ms: number): number => LEFT + ((WIDTH - LEFT) * ms) / Math.max(totalMs, 1);
  const chartTop = nodes.length * ROW_HEIGHT + GAP;
  const slowestTop = chartTop + CHART_HEIGHT + GAP;
  const height = slowestTop + SLOWEST_HEIGHT + 2 * GAP;
  const columns = columnsOf(recorder.seconds);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="system-ui" font-size="12">`,
    ...nodes.map((name, row) => `<text x="4" y="${row * ROW_HEIGHT + 15}">${escapeHtml(name)}</text>`),
    ...faults.flatMap((fault) => fault.names.map((name) => faultBar(fault, nodes.indexOf(name), x))),
    `<text x="4" y="${chartTop - 8}">operations that ended, by outcome</text>`,
    ...countBars(columns, chartTop),
    `<text x="4" y="${slowestTop - 8}">the slowest of them, up to ${Math.round(slowestOf(columns))} ms</text>`,
    ...slowestBars(columns, slowestTop),
    legend(height - 8),
    '</svg>',
  ].join('\n');
}

function faultBar(
  { kind, what, fromMs, toMs }: RecordedFault,
  row: number,
  x: (ms: number) => number,
): string {
  const width = Math.max(2, x(toMs) - x(fromMs));
  const place = `x="${x(fromMs).toFixed(1)}" y="${row * ROW_HEIGHT + 3}" width="${width.toFixed(1)}" height="${ROW_HEIGHT - 6}"`;
  return `<rect ${place} fill="${FAULT_COLOURS[kind] ?? '#718096'}"><title>${escapeHtml(what)}</title></rect>`;
}

/** Seconds side by side, several in one where there are too many. */
function columnsOf(seconds: readonly Column[]): readonly Column[] {
  const each = Math.ceil(seconds.length / MOST_COLUMNS) || 1;
  return Array.from({ length: Math.ceil(seconds.length / each) }, (_, index) => {
    const own = seconds.slice(index * each, (index + 1) * each);
    const sum = (outcome: Outcome): number => own.reduce((total, { counts }) => total + counts[outcome], 0);
    return {
      counts: {
        done: sum('done'),
        refused: sum('refused'),
        unavailable: sum('unavailable'),
        unknown: sum('unknown'),
      },
      slowestMs: slowestOf(own),
    };
  });
}

function countBars(columns: readonly Column[], top: number): readonly string[] {
  const most = Math.max(
    1,
    ...columns.map(({ counts }) => OUTCOMES.reduce((sum, name) => sum + counts[name], 0)),
  );
  return columns.flatMap(({ counts }, index) => {
    let y = top + CHART_HEIGHT;
    return OUTCOMES.filter((name) => counts[name] > 0).map((name) => {
      const height = (CHART_HEIGHT * counts[name]) / most;
      y -= height;
      return columnBar(columns.length, index, y, height, OUTCOME_COLOURS[name]);
    });
  });
}

function slowestBars(columns: readonly Column[], top: number): readonly string[] {
  const most = Math.max(1, slowestOf(columns));
  return columns.map(({ slowestMs }, index) => {
    const height = (SLOWEST_HEIGHT * slowestMs) / most;
    return columnBar(columns.length, index, top + SLOWEST_HEIGHT - height, height, '#4a5568');
  });
}

function columnBar(count: number, index: number, y: number, height: number, colour: string): string {
  const width = (WIDTH - LEFT) / Math.max(count, 1);
  const x = LEFT + index * width;
  return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="${colour}"/>`;
}

function slowestOf(columns: readonly Column[]): number {
  return columns.reduce((most, { slowestMs }) => Math.max(most, slowestMs), 0);
}

function legend(y: number): string {
  let x = LEFT;
  return Object.entries({ ...FAULT_COLOURS, ...OUTCOME_COLOURS })
    .map(([name, colour]) => {
      const item = `<rect x="${x}" y="${y - 10}" width="10" height="10" fill="${colour}"/><text x="${x + 14}" y="${y}">${name}</text>`;
      x += 30 + name.length * 7;
      return item;
    })
    .join('');
}
