/** @module Runs a suite: the contenders take turns, so that all meet the same machine, and every sample is kept. */
import { cpus, loadavg } from 'node:os';
import { median, round } from './statistics.ts';
import { type Case, type Contender, isRate, type Sample } from './suite.ts';

export interface CaseReport extends Case {
  /** By contender, in the order of the runs. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>;
  /** By peer that can do it: how many times better ours is, of the medians. */
  readonly ratio: Readonly<Record<string, number>>;
}

export interface SuiteReport {
  readonly suite: string;
  readonly runs: number;
  readonly cores: number;
  readonly node: string;
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly contenders: readonly {
    readonly name: string;
    readonly durability: string;
    readonly peakRssMib: number;
  }[];
  readonly cases: readonly CaseReport[];
}

/** `started` are this system and the peers, in this order; they stay the caller's to stop. */
export async function measureSuite(
  suite: string,
  cases: readonly Case[],
  started: readonly [Contender, ...Contender[]],
  { runs, onRun }: { readonly runs: number; readonly onRun: (run: number) => void },
): Promise<SuiteReport> {
  const loadBefore = round(loadavg()[0] ?? 0, 2);
  const rows = cases.map((what) => ({ what, samples: new Map<string, Sample[]>() }));
  for (let run = 0; run < runs; run += 1) {
    onRun(run);
    // Who goes first changes from run to run.
    for (const { what, samples } of rows)
      for (const contender of run % 2 === 0 ? started : started.toReversed()) {
        const before = samples.get(contender.name) ?? [];
        const sample = await contender.measure(what);
        samples.set(contender.name, sample === undefined ? before : [...before, sample]);
      }
  }
  const [ours, ...peers] = started;
  return {
    suite,
    runs,
    cores: cpus().length,
    node: process.version,
    loadBefore,
    loadAfter: round(loadavg()[0] ?? 0, 2),
    contenders: started.map((contender) => ({
      name: contender.name,
      durability: contender.durability,
      peakRssMib: round(contender.peakRssMib()),
    })),
    cases: rows.map(({ what, samples }) => ({
      ...what,
      samples: Object.fromEntries(samples),
      ratio: Object.fromEntries(
        peers
          .filter(({ name }) => (samples.get(name) ?? []).length > 0)
          .map(({ name }) => [name, ratioOf(what, samples.get(ours.name), samples.get(name))]),
      ),
    })),
  };
}

function ratioOf(what: Case, ours: readonly Sample[] = [], theirs: readonly Sample[] = []): number {
  const [own, other] = [ours, theirs].map((samples) => median(samples.map(({ figure }) => figure)));
  const better = isRate(what) ? (own ?? 0) / (other ?? 0) : (other ?? 0) / (own ?? 0);
  return round(better, 2);
}
