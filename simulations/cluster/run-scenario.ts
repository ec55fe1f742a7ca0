/** @module One scenario from beginning to end. */
import { Trace } from '../trace.ts';
import type { Outcome } from './journal.ts';
import type { Scenario } from './scenario.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

/** What a run saw; two runs of one scenario are equal in all of it. */
export interface ClusterRun {
  readonly hash: string;
  readonly simulatedMs: number;
  readonly events: number;
  /** How often each thing happened that is worth seeing (coverage.ts). */
  readonly exercised: Readonly<Record<string, number>>;
  readonly operations: Readonly<Record<Outcome, number>>;
  readonly failure?: Error;
  /** Last lines of the trace. */
  readonly tail: readonly string[];
}

/** Never throws for what it finds: that is `failure`. */
export async function runScenario(scenario: Scenario): Promise<ClusterRun> {
  const trace = new Trace();
  const cluster = new SimulatedCluster(scenario, trace);
  const failure = await outcomeOf(cluster);
  cluster.world.end();
  return {
    hash: trace.hash,
    simulatedMs: Math.round(cluster.world.nowMs),
    events: cluster.world.steps,
    exercised: cluster.coverage.counts(),
    operations: cluster.journal.counts,
    ...(failure !== undefined && { failure }),
    tail: trace.tail(),
  };
}

/**
 * As runScenario, for many of them: errors, of which a run has thousands that are ordinary answers, carry no traces. One that
 * fails is run again with traces.
 */
export async function runScenarioLean(scenario: Scenario): Promise<ClusterRun> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  let run: ClusterRun;
  try {
    run = await runScenario(scenario);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  if (run.failure === undefined) return run;
  const again = await runScenario(scenario);
  return again.failure === undefined ? run : again;
}

async function outcomeOf(cluster: SimulatedCluster): Promise<Error | undefined> {
  try {
    await cluster.setUp();
    await cluster.runFaulty();
    await cluster.healAndCheck();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
