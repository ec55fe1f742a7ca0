/** @module Runs seeds in several programs at a time, tells of each that fails at once, and of all at the end. */
import { formatDuration } from '../duration.ts';
import { seedsFailed } from '../errors.ts';
import { checkReadable, checkWritable } from '../local-file-check.ts';
import { createProgress } from '../progress-bar.ts';
import type { Shell } from '../shell.ts';
import type { Profile, SeedRange } from './seed-range.ts';
import type { SeedReport } from './seed-report.ts';
import { simulationReports } from './simulation-process.ts';
import { SwarmSummary } from './swarm-summary.ts';

export interface SimulateOptions {
  readonly seeds: SeedRange;
  readonly profile: Profile;
  readonly jobs: number;
  /** After which no seed counts any more. */
  readonly minutes?: number;
  readonly scenario?: string;
  readonly shrink?: boolean;
  readonly keep?: string;
}

const MINUTE_MS = 60_000;
/** Of a trace, in the text for people; JSON has all that was kept. */
const TRACE_LINES = 40;

/**
 * With --json one line for each seed, then the summary. Whatever ends it, the summary of what has been run is printed;
 * then throws CLI_SEEDS_FAILED when a seed failed, CLI_SIMULATION_FAILED when some have no verdict, or the reason of the
 * shell's signal. Before anything is run: CLI_LOCAL_NOT_FOUND and CLI_LOCAL_FAILED for files that cannot be used.
 */
export async function runSimulate(shell: Shell, options: SimulateOptions): Promise<void> {
  if (options.scenario !== undefined) await checkReadable(options.scenario);
  if (options.keep !== undefined) await checkWritable(options.keep);
  const startMs = performance.now();
  const summary = new SwarmSummary();
  const failure = await run(shell, options, summary);
  const tookMs = performance.now() - startMs;
  await shell.output.result(summary.facts(tookMs), () => summary.lines(tookMs));
  if (failure !== undefined) throw failure;
  if (summary.failed.length > 0) throw seedsFailed(summary.failed.length, summary.seeds);
}

/** What ended it before its time. */
async function run(shell: Shell, options: SimulateOptions, summary: SwarmSummary): Promise<unknown> {
  const { output, terminal, signal } = shell;
  const { seeds, minutes } = options;
  const over = minutes === undefined ? undefined : AbortSignal.timeout(minutes * MINUTE_MS);
  const stop = new AbortController();
  const anyEnd = AbortSignal.any([signal, stop.signal, ...(over === undefined ? [] : [over])]);
  const startMs = performance.now();
  const progress = createProgress(output, terminal, {
    label: 'simulate',
    text: () => describe(summary, performance.now() - startMs),
  });
  progress.expect(minutes === undefined ? seeds.last - seeds.first + 1 : minutes * MINUTE_MS);
  const show = (): void =>
    progress.update('seeds', minutes === undefined ? summary.seeds : performance.now() - startMs);
  const one = async (job: number): Promise<void> => {
    for await (const report of simulationReports(wordsOf(options, job), anyEnd)) {
      summary.add(report);
      if (output.json) await output.write(`${JSON.stringify(report)}\n`);
      else if (report.failure !== undefined) await output.note(describeFailure(report));
      show();
    }
  };
  try {
    const jobs = Math.min(options.jobs, options.scenario === undefined ? seeds.last - seeds.first + 1 : 1);
    await Promise.all(Array.from({ length: jobs }, (_, job) => one(job)));
    return signal.aborted ? signal.reason : undefined;
  } catch (error) {
    return signal.aborted ? signal.reason : error;
  } finally {
    // One that died takes the others along.
    stop.abort();
    progress.stop();
  }
}

function wordsOf(options: SimulateOptions, job: number): string[] {
  const { seeds, profile, jobs, scenario, shrink = false, keep } = options;
  return [
    '--json',
    ...(scenario === undefined
      ? ['--seeds', `${seeds.first + job}..${seeds.last}`, '--step', `${jobs}`, '--profile', profile]
      : ['--scenario', scenario]),
    ...(shrink ? ['--shrink'] : []),
    ...(keep === undefined ? [] : ['--keep', keep]),
  ];
}

function describe(summary: SwarmSummary, tookMs: number): string {
  const failed = summary.failed.length === 0 ? 'none failed' : `${summary.failed.length} FAILED`;
  const perMinute = Math.round((summary.seeds / Math.max(1, tookMs)) * MINUTE_MS);
  return `${summary.seeds} seeds, ${failed} | ${perMinute} a minute | ${formatDuration(tookMs)}`;
}

function describeFailure({ seed, failure = '', replay = '', trace = [], shrunk }: SeedReport): string {
  return [
    '',
    ...trace.slice(-TRACE_LINES).map((line) => `  ${line}`),
    `Seed ${seed} FAILED: ${failure}`,
    ...(shrunk === undefined ? [] : [`  smaller: ${JSON.stringify(shrunk)}`]),
    `  replay: ${replay}`,
  ].join('\n');
}
