/** @module A violation as a picture: a line for each client, a bar for each operation, and how far an explanation goes. SVG. */
import type { Model } from './model.ts';
import type { Operation } from './operation.ts';
import type { SmallestViolation } from './smallest-violation.ts';

const LABEL_WIDTH = 90;
const STEP_WIDTH = 74;
const ROW_HEIGHT = 46;
const BAR_HEIGHT = 30;
const TOP = 74;
/** Of the others, which stand by: the last ones before the contradiction. */
const MOST_OTHERS = 30;
/** Of what contradicts itself, where it could not be made small: the last ones. */
const MOST_CORE = 200;
const MOST_CHARACTERS = 60;

const STYLE = `
text { font: 12px ui-monospace, monospace; fill: #222 }
.title { font-size: 15px; font-weight: bold }
.note { fill: #666 }
.core { fill: #cfe3f7; stroke: #2b6cb0 }
.other { fill: #f2f2f2; stroke: #bbb; stroke-dasharray: 4 3 }
.stuck { fill: #fbd5d5; stroke: #c53030; stroke-width: 2 }
.line { stroke: #ddd }`;

/** Self-contained; its text also says everything that its colours say. */
export function drawViolation<State, Call>(
  model: Model<State, Call>,
  violation: SmallestViolation<Call>,
): string {
  const { part, core, others, order, stuckAt } = violation;
  const standingBy = others.toSorted((left, right) => left.start - right.start).slice(-MOST_OTHERS);
  const drawn = core.toSorted((left, right) => left.start - right.start).slice(-MOST_CORE);
  const shown = [...drawn, ...standingBy];
  const columns = columnsOf(shown);
  const clients = [...new Set(shown.map(({ client }) => String(client)))].toSorted(byNumber);
  const width = LABEL_WIDTH + (columns.size + 2) * STEP_WIDTH;
  const rows = rowsOf(clients, shown);
  const isCore = new Set(core);
  const height = TOP + rows.count * ROW_HEIGHT + 24;
  const lanes = clients.map((client) => lane(client, rows.first(client), width));
  const bars = shown.map((operation) => {
    const place = order.findIndex((other) => isSame(other, operation));
    const isStuck = isSame(stuckAt, operation);
    const style = isStuck ? 'stuck' : isCore.has(operation) ? 'core' : 'other';
    const from = LABEL_WIDTH + (columns.get(operation.start) ?? 0) * STEP_WIDTH;
    const to =
      operation.end === undefined
        ? width - 8
        : LABEL_WIDTH + (columns.get(operation.end) ?? 0) * STEP_WIDTH + STEP_WIDTH / 2;
    const note = isStuck ? 'no explanation' : place === -1 ? '' : `${place + 1}`;
    return bar({ from, to, top: rows.of(operation), style, note, text: model.describe(operation.call) });
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<style>${STYLE}</style><rect width="100%" height="100%" fill="#fff"/>`,
    `<text class="title" x="12" y="24">${escape(part)}: not linearizable</text>`,
    `<text class="note" x="12" y="44">${core.length} operations contradict each other (blue, red${drawn.length < core.length ? `; the last ${drawn.length} are shown` : ''}). Numbers: the order that explains most of them.</text>`,
    `<text class="note" x="12" y="60">Dashed: changes that may have happened at any time after their start, or never (${standingBy.length} of ${others.length}).</text>`,
    ...lanes,
    ...bars,
    '</svg>',
  ].join('\n');
}

/** Instants side by side, whatever lies between them. */
function columnsOf(operations: readonly Operation<unknown>[]): ReadonlyMap<number, number> {
  const instants = operations.flatMap(({ start, end }) => (end === undefined ? [start] : [start, end]));
  const sorted = [...new Set(instants)].toSorted((left, right) => left - right);
  return new Map(sorted.map((instant, column) => [instant, column]));
}

interface Rows {
  readonly count: number;
  first(client: string): number;
  of(operation: Operation<unknown>): number;
}

/** A client's unended operations would cover what it did later: they get lines of their own below it. */
function rowsOf(clients: readonly string[], shown: readonly Operation<unknown>[]): Rows {
  const rowOf = new Map<Operation<unknown>, number>();
  const firstOf = new Map<string, number>();
  let count = 0;
  for (const client of clients) {
    firstOf.set(client, count);
    const ends: number[] = [];
    const own = shown.filter((operation) => String(operation.client) === client);
    for (const operation of own.toSorted((left, right) => left.start - right.start)) {
      const free = ends.findIndex((end) => end < operation.start);
      const row = free === -1 ? ends.length : free;
      ends[row] = operation.end ?? Infinity;
      rowOf.set(operation, count + row);
    }
    count += ends.length;
  }
  return { count, first: (client) => firstOf.get(client) ?? 0, of: (operation) => rowOf.get(operation) ?? 0 };
}

function lane(client: string, row: number, width: number): string {
  const y = TOP + row * ROW_HEIGHT;
  return `<line class="line" x1="0" x2="${width}" y1="${y - 6}" y2="${y - 6}"/><text x="12" y="${y + 20}">client ${escape(client)}</text>`;
}

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly top: number;
  readonly style: string;
  readonly note: string;
  readonly text: string;
}

function bar({ from, to, top, style, note, text }: Bar): string {
  const y = TOP + top * ROW_HEIGHT;
  const label = escape(text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text);
  return [
    `<g><title>${escape(text)}</title>`,
    `<rect class="${style}" x="${from}" y="${y}" width="${Math.max(to - from, 8)}" height="${BAR_HEIGHT}" rx="4"/>`,
    `<text x="${from + 6}" y="${y + 13}">${label}</text>`,
    `<text class="note" x="${from + 6}" y="${y + 26}">${escape(note)}</text></g>`,
  ].join('');
}

function isSame(left: Operation<unknown>, right: Operation<unknown>): boolean {
  return left.call === right.call && left.start === right.start && left.client === right.client;
}

function byNumber(left: string, right: string): number {
  return Number(left) - Number(right);
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
