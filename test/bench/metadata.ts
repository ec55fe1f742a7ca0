/**
 * @module Namespace operations through three metadata processes, beside etcd where asked:
 * `npm run bench -- metadata [--against etcd --peers DIR] [--runs 3] [--seconds 4] [--json]`.
 *
 * Changes are `touch` of distinct names, each committed by Raft before it counts; reads are linearizable `stat`. Real
 * processes, libp2p and SQLite, all on this machine. Runs of the contenders alternate, so that both meet the same
 * machine; README.md beside this file says how to read the figures. DIR, or HOLDFAST_BENCH_PEERS, has the peer's scripts.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { EtcdMetadata } from './etcd-metadata.ts';
import { HoldfastMetadata } from './holdfast-metadata.ts';
import { markdownTable } from './markdown-table.ts';
import { CASES, type Case, type Contender, type Sample } from './metadata-case.ts';
import { median, round, spread } from './statistics.ts';

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    peers: { type: 'string', default: process.env['HOLDFAST_BENCH_PEERS'] ?? '' },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const seconds = Number(values.seconds);

interface Row extends Case {
  readonly samples: Readonly<Record<string, readonly Sample[]>>;
}

const loadBefore = loadavg()[0] ?? 0;
const contenders: Contender[] = [];
let rows: readonly Row[] = [];
let peaksMib: readonly number[] = [];
try {
  contenders.push(await HoldfastMetadata.start());
  if (values.against !== undefined) contenders.push(await peerNamed(values.against));
  rows = await measureAll();
  peaksMib = contenders.map((contender) => contender.peakRssMib());
} finally {
  await Promise.all(contenders.map((contender) => contender.stop()));
}

const report = {
  suite: 'metadata',
  runs,
  seconds,
  cores: cpus().length,
  node: process.version,
  loadBefore: round(loadBefore, 2),
  loadAfter: round(loadavg()[0] ?? 0, 2),
  contenders: contenders.map(({ name, durability }, at) => ({
    name,
    durability,
    peakRssMib: round(peaksMib[at] ?? 0),
  })),
  cases: rows.map(({ samples, ...what }) => ({ ...what, samples, ratio: ratioOf(samples) })),
};
if (values.json) console.log(JSON.stringify(report));
else print();

async function peerNamed(name: string): Promise<Contender> {
  if (name !== 'etcd') throw new Error(`There is no peer ${name} to measure metadata against: try etcd.`);
  if (values.peers === '')
    throw new Error('Say with --peers DIR or HOLDFAST_BENCH_PEERS where the scripts of etcd are.');
  return EtcdMetadata.start(values.peers);
}

async function measureAll(): Promise<Row[]> {
  const measuredRows = CASES.map((what) => {
    const samples: Record<string, Sample[]> = {};
    for (const { name } of contenders) samples[name] = [];
    return { ...what, samples };
  });
  for (let run = 0; run < runs; run += 1)
    // Who goes first changes from run to run.
    for (const row of measuredRows)
      for (const contender of run % 2 === 0 ? contenders : contenders.toReversed())
        row.samples[contender.name]?.push(await contender.measure(row, seconds));
  return measuredRows;
}

/** Ours to the peer's, of the medians; undefined without a peer. */
function ratioOf(samples: Row['samples']): number | undefined {
  const [ours, theirs] = contenders.map(({ name }) =>
    median((samples[name] ?? []).map((each) => each.perSecond)),
  );
  return ours === undefined || theirs === undefined ? undefined : round(ours / theirs, 2);
}

function print(): void {
  const perContender = contenders.flatMap(({ name }) => [
    `${name} /s`,
    'range',
    'p50 ms',
    'p99 ms',
    'CPU s/1,000',
  ]);
  const lines = report.cases.map(({ operation, through, inFlight, samples, ratio }) => [
    `${operation}, ${inFlight} in flight, ${through}`,
    ...contenders.flatMap(({ name }) => cellsOf(samples[name] ?? [])),
    ratio === undefined ? '' : `${ratio}x`,
  ]);
  console.log(markdownTable(['', ...perContender, 'ratio'], lines));
  for (const { name, durability, peakRssMib } of report.contenders)
    console.log(`\n${name}: ${durability}; peak ${peakRssMib} MiB a process`);
  console.log(
    `\n${runs} runs of ${seconds} s, alternating; ${report.cores} cores, Node ${report.node}; load average ${report.loadBefore} before, ${report.loadAfter} after`,
  );
}

function cellsOf(samples: readonly Sample[]): string[] {
  const rate = spread(samples.map(({ perSecond }) => perSecond));
  const middle = (value: (sample: Sample) => number): number => median(samples.map(value));
  return [
    String(round(rate.median)),
    `${rate.lowest}-${rate.highest}`,
    String(
      round(
        middle((sample) => sample.p50Ms),
        2,
      ),
    ),
    String(
      round(
        middle((sample) => sample.p99Ms),
        2,
      ),
    ),
    String(
      round(
        middle((sample) => sample.cpuSecondsPer1000),
        3,
      ),
    ),
  ];
}
