/** @module What every suite of the benchmarks is made of: cases, contenders that are measured side by side, and samples. */
import type { PeerScripts } from './peer-scripts.ts';

/** One row of a suite's table. */
export interface Case {
  readonly name: string;
  /** Of a sample's figure. With times and bytes less is better, with rates more. */
  readonly unit: '/s' | 'MB/s' | 'ms' | 's' | 'B';
  /** What a sample's CPU seconds are counted for, e.g. '1,000 files'. */
  readonly per: string;
}

/** One measurement of one case. */
export interface Sample {
  readonly figure: number;
  /** Of all its processes together, client and servers, for what Case.per says. */
  readonly cpuSeconds?: number | undefined;
  /** What else was seen; only with --json. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** One of the systems measured beside each other. Started and warmed up when it is made. */
export interface Contender<What extends Case = Case> {
  readonly name: string;
  /** What an acknowledgement of it promises; said beside its figures. */
  readonly durability: string;
  /** Cases come in the order of the suite, run after run. Undefined: this contender cannot do that. */
  measure(what: What): Promise<Sample | undefined>;
  /** Of its largest server process since the start, in MiB. Before stop(). */
  peakRssMib(): number;
  stop(): Promise<void>;
}

export type ContenderStart<What extends Case = Case> = (peers: PeerScripts) => Promise<Contender<What>>;

export interface Plan<What extends Case = Case> {
  readonly cases: readonly What[];
  /** Ours. */
  readonly holdfast: () => Promise<Contender<What>>;
  /** What `--against` may name. */
  readonly peers: Readonly<Record<string, ContenderStart<What>>>;
  /** Those of them that need no folder of scripts. */
  readonly withoutScripts?: readonly string[];
}

/** Own options of a suite, as they are when not given; those that are numbers here take positive ones only. */
export type SuiteOptions = Readonly<Record<string, string | number>>;

export interface Suite<What extends Case = Case, Options extends SuiteOptions = SuiteOptions> {
  readonly options: Options;
  /** When nothing else is asked for. */
  readonly runs: number;
  /** Throws BadRequest (bench-request.ts) for options that make no sense. */
  plan(options: Widened<Options>): Plan<What>;
}

type Widened<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends number ? number : string;
};

/** Whether a larger figure is the better one. */
export function isRate({ unit }: Case): boolean {
  return unit === '/s' || unit === 'MB/s';
}
