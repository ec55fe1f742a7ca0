/** @module The demo from start to end: tells it in words, sums it up in JSON, and leaves nothing behind. */
import { describeError, isHoldfastError } from '../../src/common/errors.ts';
import { formatBytes } from '../byte-size.ts';
import type { Shell } from '../shell.ts';
import { createDemoFile } from './demo-file.ts';
import { DEMO_STEPS, type StepFacts } from './demo-steps.ts';
import { LocalCluster } from './local-cluster.ts';

export interface DemoOptions {
  readonly sizeBytes: number;
}

interface StepResult {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly [fact: string]: unknown;
}

const METADATA_NODES = 3;
const DATANODES = 4;

/**
 * Throws what the failing step threw. The last line of --json is {"ok","seconds","steps":[{"name","ok","ms",…}]} either way;
 * a step that failed has {"error":{"code","message"}}.
 */
export async function runDemo(shell: Shell, options: DemoOptions): Promise<void> {
  const startMs = performance.now();
  const steps: StepResult[] = [];
  let failure: unknown;
  try {
    await runSteps(shell, options, steps);
  } catch (error) {
    failure = shell.signal.aborted ? shell.signal.reason : error;
  }
  const seconds = Number(((performance.now() - startMs) / 1000).toFixed(1));
  await shell.output.result({ ok: failure === undefined, seconds, steps }, () =>
    failure === undefined
      ? [
          '',
          `Everything held. ${seconds} s, ${steps.length} steps; all processes are stopped and all files removed.`,
        ]
      : ['', `Stopped after ${seconds} s; all processes are ended and all files removed.`],
  );
  if (failure !== undefined) throw failure;
}

async function runSteps(shell: Shell, { sizeBytes }: DemoOptions, results: StepResult[]): Promise<void> {
  const { output, signal } = shell;
  await output.note(
    `${METADATA_NODES} metadata nodes and ${DATANODES} datanodes start as processes of their own on this machine …`,
  );
  await using stack = new AsyncDisposableStack();
  const cluster = await timed(results, 'start-cluster', async () => {
    const started = stack.use(
      await LocalCluster.start({ metadataNodes: METADATA_NODES, dataNodes: DATANODES, signal }),
    );
    return { value: started, facts: { metadataNodes: METADATA_NODES, dataNodes: DATANODES } };
  });
  const processes = cluster.nodes.map(({ name, ready }) => `${name} (pid ${ready.pid})`);
  await output.note(`  Up: ${processes.join(', ')}.`);
  const client = stack.use(await cluster.connect());
  const context = { shell, cluster, client, file: createDemoFile(sizeBytes) };
  for (const [at, step] of DEMO_STEPS.entries()) {
    signal.throwIfAborted();
    await output.note(`\n${at + 1}. ${step.title} (${formatBytes(sizeBytes)}).`);
    await timed(results, step.name, async () => ({ value: undefined, facts: await step.run(context) }));
  }
}

async function timed<T>(
  results: StepResult[],
  name: string,
  work: () => Promise<{ readonly value: T; readonly facts: StepFacts }>,
): Promise<T> {
  const startMs = performance.now();
  const elapsed = (): number => Math.round(performance.now() - startMs);
  try {
    const { value, facts } = await work();
    results.push({ name, ok: true, ms: elapsed(), ...facts });
    return value;
  } catch (error) {
    const code = isHoldfastError(error) ? error.code : 'CLI_DEMO_FAILED';
    results.push({ name, ok: false, ms: elapsed(), error: { code, message: describeError(error) } });
    throw error;
  }
}
