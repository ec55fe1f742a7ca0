/** @module A suite's figures as a Markdown table, with what they mean below it. */
import { markdownTable } from './markdown-table.ts';
import type { CaseReport, SuiteReport } from './measure-suite.ts';
import { median, round, spread } from './statistics.ts';
import type { Sample } from './suite.ts';

export function suiteTable({ contenders, cases, ...report }: SuiteReport): string {
  const [, ...peers] = contenders;
  const head = [
    report.suite,
    ...contenders.flatMap(({ name }) => [name, 'range', 'CPU s']),
    ...peers.map(({ name }) => `to ${name}`),
  ];
  const rows = cases.map((row) => [
    `${row.name}, ${row.unit} (CPU s per ${row.per})`,
    ...contenders.flatMap(({ name }) => cellsOf(row.samples[name] ?? [])),
    ...peers.map(({ name }) => (row.ratio[name] === undefined ? '' : `${row.ratio[name]}x`)),
  ]);
  const notes = contenders.map(
    ({ name, durability, peakRssMib }) => `${name}: ${durability}; peak ${peakRssMib} MiB a process`,
  );
  const runs = `median of ${report.runs}${peers.length > 0 ? ', alternating' : ''}`;
  const machine = `${report.cores} cores, Node ${report.node}`;
  const load = `load average ${report.loadBefore} before, ${report.loadAfter} after`;
  return [markdownTable(head, rows), ...notes, `${runs}; ${machine}; ${load}`].join('\n\n');
}

function cellsOf(samples: CaseReport['samples'][string]): string[] {
  if (samples.length === 0) return ['', '', ''];
  const { median: middle, lowest, highest } = spread(samples.map(({ figure }) => figure));
  const cpu = samples.map(({ cpuSeconds }) => cpuSeconds).filter((each) => each !== undefined);
  return [short(middle), `${short(lowest)}-${short(highest)}`, cpu.length === 0 ? '' : short(median(cpu))];
}

/** Three digits tell all that a benchmark knows. */
function short(value: Sample['figure']): string {
  return String(round(value, value >= 100 ? 0 : value >= 10 ? 1 : 3));
}
