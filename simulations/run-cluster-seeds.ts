/** @module Seeds of whole clusters: progress, what they exercised, and what to type when one fails. */
import { type ClusterRun, runScenario } from './cluster/run-scenario.ts';
import { cutScenario, replayCommand, type ScenarioCut } from './cluster/scenario-cut.ts';
import { shrinkScenario } from './cluster/shrink-scenario.ts';

export interface ClusterSeeds extends Omit<ScenarioCut, 'seed'> {
  readonly first: number;
  readonly last: number;
  readonly isVerbose: boolean;
  readonly asJson: boolean;
  readonly shrink: boolean;
}

/** Last lines of the trace of a failed run; all that is kept of it when one seed is run alone. */
const SHORT_TAIL = 15;
const PROGRESS_EVERY = 50;

/** Says whether all held. */
export async function runClusterSeeds(options: ClusterSeeds): Promise<boolean> {
  const { first, last, isVerbose, asJson, shrink, ...rest } = options;
  const startMs = performance.now();
  const totals = new Map<string, number>();
  const failed: number[] = [];
  for (let seed = first; seed <= last; seed += 1) {
    const cut = { ...rest, seed };
    const run = await runScenario(cutScenario(cut));
    count(totals, run);
    if (asJson) console.log(JSON.stringify({ ...run, seed, failure: run.failure?.message, tail: undefined }));
    else if (isVerbose) console.log(`seed ${seed}: ${run.events} events, trace ${run.hash}`);
    else if ((seed - first + 1) % PROGRESS_EVERY === 0)
      console.log(`seed ${seed}; ${failed.length} failed so far`);
    if (run.failure === undefined) continue;
    failed.push(seed);
    report(run, isVerbose ? run.tail.length : SHORT_TAIL);
    console.error(`  replay: ${replayCommand(cut)}`);
    if (shrink) console.error(`  smaller: ${replayCommand(await shrinkScenario(cut, run.failure))}`);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const simulated = (totals.get('simulatedMs') ?? 0) / 1000;
  const summary = {
    seeds: last - first + 1,
    failed,
    seconds: Math.round(seconds),
    seedsPerMinute: Math.round(((last - first + 1) / seconds) * 60),
    simulatedPerRealSecond: Math.round((simulated / seconds) * 10) / 10,
    ...Object.fromEntries(totals),
  };
  console.log(asJson ? JSON.stringify(summary) : summary);
  return failed.length === 0;
}

function report({ failure, tail }: ClusterRun, lines: number): void {
  for (const line of tail.slice(-lines)) console.error(`  ${line}`);
  console.error(failure?.stack ?? failure?.message);
}

function count(
  totals: Map<string, number>,
  { simulatedMs, events, exercised, operations }: ClusterRun,
): void {
  for (const [name, number] of Object.entries({ simulatedMs, events, ...exercised, ...operations }))
    totals.set(name, (totals.get(name) ?? 0) + number);
}
