/** @module The page about a run of chaos: verdicts, figures, and a timeline of faults and operations. One file, no scripts. */
import { formatDuration } from '../duration.ts';
import { type ChaosResult, countKinds, describeVerdict } from './chaos-result.ts';
import { escapeHtml } from './escape-html.ts';
import { drawTimeline } from './report-timeline.ts';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; color: #1a202c; margin: 2rem auto; max-width: 1240px; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.held { color: #22763f } .broken { color: #b42318 }
table { border-collapse: collapse } td, th { padding: .2rem 1rem .2rem 0; text-align: left; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.wide { overflow-x: auto }`;

export function reportPage(result: ChaosResult): string {
  const { seed, healedMs, violations, verdicts, machines } = result;
  const held = violations.length === 0;
  const title = held ? 'All promises held' : `${violations.length} promises did not hold`;
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8">',
    `<title>Chaos: ${title}</title><style>${STYLE}</style>`,
    `<h1 class="${held ? 'held' : 'broken'}">${title}</h1>`,
    `<p>${formatDuration(healedMs)} under faults, seed ${seed}, ${result.nodes.length} nodes.</p>`,
    section('What did not hold', list(violations)),
    ...Object.values(verdicts).map(({ picture }) =>
      picture === undefined ? '' : `<div class="wide">${picture}</div>`,
    ),
    section('Verdicts', table(verdictRows(result))),
    section('Timeline', `<div class="wide">${drawTimeline(result)}</div>`),
    section('Operations', table(Object.entries(result.recorder.totals))),
    section('Faults', table(Object.entries(countKinds(result.faults)))),
    section(
      'Errors that clients met',
      table([...result.recorder.codes].toSorted(([left], [right]) => (left < right ? -1 : 1))),
    ),
    section('Not possible on this machine', table([...machines.missing])),
    section('Every fault', table(faultRows(result))),
    '</html>',
  ].join('\n');
}

type Cell = string | number;

function verdictRows({ verdicts, content }: ChaosResult): readonly (readonly Cell[])[] {
  const lost = content.violations.length;
  return [
    ['registers (files read, replaced, replaced by version)', describeVerdict(verdicts.registers)],
    ['names (mkdir, put, mv, rm, rmdir, ls, stat)', describeVerdict(verdicts.names)],
    [
      'files that carry their checksum',
      `${content.acknowledged} acknowledged, ${content.compared} reads compared, ${lost} lost or altered`,
    ],
  ];
}

function faultRows({ faults }: ChaosResult): readonly (readonly Cell[])[] {
  return faults
    .toSorted((left, right) => left.fromMs - right.fromMs)
    .map(({ what, fromMs, toMs }) => [seconds(fromMs), seconds(toMs), what]);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Nothing where there is nothing to tell. */
function section(title: string, content: string): string {
  return content === '' ? '' : `<h2>${title}</h2>\n${content}`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? '' : `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
}

function table(rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return '';
  const cell = (value: Cell): string =>
    typeof value === 'number' ? `<td class="number">${value}</td>` : `<td>${escapeHtml(value)}</td>`;
  return `<table>${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}</table>`;
}
