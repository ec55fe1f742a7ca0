/** @module Seeds of whole clusters, one after the other: what each exercised, and what to type when one fails. */
import { type ClusterRun, runScenarioLean } from './cluster/run-scenario.ts';
import { cutScenario, type ScenarioCut } from './cluster/scenario-cut.ts';
import { keepScenario, loadScenario } from './cluster/scenario-file.ts';
import type { Scenario } from './cluster/scenario.ts';
import { shrinkScenario } from './cluster/shrink-scenario.ts';

export interface ClusterSeeds extends Omit<ScenarioCut, 'seed'> {
  readonly seeds: Iterable<number>;
  /** Runs this one instead of the seeds. */
  readonly scenarioFile?: string;
  /** One JSON object for each seed, on a line of its own, and nothing else. */
  readonly asJson: boolean;
  /** Looks for the smallest part of each failing scenario that still fails. */
  readonly shrink: boolean;
  /** Where the (shrunk) scenario of a seed that fails is left; the last one stays. */
  readonly keepFile?: string;
}

/** One seed, as it is told to people and programs. */
interface SeedReport extends Omit<ClusterRun, 'failure' | 'tail'> {
  readonly seed: number;
  readonly profile: string;
  readonly failure?: string;
  /** Only of one that failed: what to type to see it again, and the last lines of its trace. */
  readonly replay?: string;
  readonly trace?: readonly string[];
  /** With `shrink`: what is left of it. */
  readonly shrunk?: Pick<Scenario, 'faults' | 'clients' | 'nodes' | 'datanodes' | 'workloads'>;
}

/** Says whether all held. */
export async function runClusterSeeds(options: ClusterSeeds): Promise<boolean> {
  const startMs = performance.now();
  const totals = new Map<string, number>();
  let failures = 0;
  let seeds = 0;
  for (const scenario of scenariosOf(options)) {
    const report = await runOne(scenario, options);
    seeds += 1;
    if (report.failure !== undefined) failures += 1;
    if (options.asJson) console.log(JSON.stringify(report));
    else tell(report);
    count(totals, report);
  }
  if (!options.asJson) console.log(summary(seeds, failures, performance.now() - startMs, totals));
  return failures === 0;
}

function* scenariosOf(options: ClusterSeeds): Generator<Scenario> {
  if (options.scenarioFile !== undefined) return yield loadScenario(options.scenarioFile);
  for (const seed of options.seeds) yield cutScenario({ ...options, seed });
}

async function runOne(scenario: Scenario, options: ClusterSeeds): Promise<SeedReport> {
  const { failure, tail, ...run } = await runScenarioLean(scenario);
  const { seed, profile } = scenario;
  const report = { seed, profile, ...run };
  if (failure === undefined) return report;
  const small = options.shrink ? await shrinkScenario(scenario, failure) : scenario;
  if (options.keepFile !== undefined) keepScenario(options.keepFile, small, failure);
  const { faults, clients, nodes, datanodes, workloads } = small;
  return {
    ...report,
    failure: failure instanceof Error ? (failure.stack ?? failure.message) : String(failure),
    replay: replayCommand(options.scenarioFile ?? options.keepFile, seed, profile),
    trace: tail,
    ...(options.shrink && { shrunk: { faults, clients, nodes, datanodes, workloads } }),
  };
}

/** What to type to see a run again. */
export function replayCommand(file: string | undefined, seed: number, profile: string): string {
  return `holdfast simulate ${file === undefined ? `--seed ${seed} --profile ${profile}` : `--scenario ${file}`}`;
}

function tell({ seed, events, hash, failure, trace = [], replay, shrunk }: SeedReport): void {
  if (failure === undefined) return console.log(`seed ${seed}: ${events} events, trace ${hash}`);
  for (const line of trace) console.error(`  ${line}`);
  console.error(`seed ${seed}: ${failure}\n  replay: ${replay ?? ''}`);
  if (shrunk !== undefined) console.error(`  smaller: ${JSON.stringify(shrunk)}`);
}

function summary(
  seeds: number,
  failures: number,
  tookMs: number,
  totals: ReadonlyMap<string, number>,
): unknown {
  const seconds = tookMs / 1000;
  const simulatedSeconds = (totals.get('simulatedMs') ?? 0) / 1000;
  return {
    seeds,
    failures,
    seconds: Math.round(seconds),
    simulatedPerRealSecond: Math.round((simulatedSeconds / seconds) * 10) / 10,
    ...Object.fromEntries(totals),
  };
}

function count(
  totals: Map<string, number>,
  { simulatedMs, events, exercised, operations }: SeedReport,
): void {
  for (const [name, number] of Object.entries({ simulatedMs, events, ...exercised, ...operations }))
    totals.set(name, (totals.get(name) ?? 0) + number);
}
