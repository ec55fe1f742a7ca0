/** @module Our own side of a suite whose figures come several at a time: a part is run whole, and its cases read from its report. */
import { measureFamily } from './process-family.ts';
import { round } from './statistics.ts';
import type { Case, Contender, Sample } from './suite.ts';

/** Figures that cases read, among others that are seen with --json alone. */
export type Reported<Figures> = Figures & Readonly<Record<string, unknown>>;

/** A part of a suite, and how one figure is read from what it reported. */
export interface PartCase extends Case {
  /** Starts and stops all that it needs. The same function for all cases of a part. */
  readonly run: () => Promise<object>;
  readonly figure: (report: never) => number;
  /** CPU seconds for what `per` says; those of the whole part when absent. */
  readonly cpuSeconds?: (report: never) => number;
}

interface PartRun {
  readonly report: object;
  readonly cpuSeconds: number;
  /** Names of cases: who asks again wants a new run. */
  readonly read: Set<string>;
}

export class PartContender implements Contender<PartCase> {
  readonly name = 'holdfast';
  readonly durability: string;
  readonly #runs = new Map<PartCase['run'], PartRun>();
  #peakRssMib = 0;

  constructor(durability: string) {
    this.durability = durability;
  }

  async measure({ name, run, figure, cpuSeconds }: PartCase): Promise<Sample> {
    const last = this.#runs.get(run);
    const current = last === undefined || last.read.has(name) ? await this.#run(run) : last;
    const isFirst = current.read.size === 0;
    current.read.add(name);
    const report = current.report as never;
    return {
      figure: figure(report),
      cpuSeconds: cpuSeconds === undefined ? round(current.cpuSeconds, 1) : cpuSeconds(report),
      ...(isFirst && { details: { ...current.report } }),
    };
  }

  peakRssMib(): number {
    return this.#peakRssMib;
  }

  async stop(): Promise<void> {}

  async #run(run: PartCase['run']): Promise<PartRun> {
    const { result: report, cpuSeconds, peakRssMib } = await measureFamily(run);
    this.#peakRssMib = Math.max(this.#peakRssMib, peakRssMib);
    const started = { report, cpuSeconds, read: new Set<string>() };
    this.#runs.set(run, started);
    return started;
  }
}
