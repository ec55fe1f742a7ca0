/** @module Chaos from beginning to end: a real cluster, clients at work, faults; then everything is put right, read and judged. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '../../src/common/errors.ts';
import type { Client } from '../../src/index.ts';
import { BLOCK_RESERVE_BYTES } from '../../src/storage/block-room.ts';
import { LocalCluster } from '../demo/local-cluster.ts';
import { chaosFailed } from '../errors.ts';
import { createProgress } from '../progress-bar.ts';
import type { Shell } from '../shell.ts';
import { type ChaosResult, summarize } from './chaos-result.ts';
import { ContentWorkload } from './content-workload.ts';
import { FaultInjector } from './fault-injector.ts';
import { HistoryFile } from './history-file.ts';
import { judgeHistory } from './history-verdict.ts';
import { Machines } from './machines.ts';
import { NamespaceWorkload } from './namespace-workload.ts';
import { Recorder } from './recorder.ts';
import { RegisterWorkload } from './register-workload.ts';
import { checkWritable } from '../local-file-check.ts';
import { reportPage } from './report-page.ts';
import { SeededChoice } from './seeded-choice.ts';
import type { Worker, Workload } from './workload.ts';

export interface ChaosOptions {
  readonly minutes: number;
  readonly seed: number;
  /** File for the HTML page. */
  readonly report?: string;
}

const METADATA_NODES = 3;
const DATANODES = 4;
const CLIENTS = 3;
/** What a datanode leaves free on its disk, and room for the files of an hour. */
const DISK_SIZE_BYTES: number = BLOCK_RESERVE_BYTES + 768 * 1024 * 1024;
const MINUTE_MS = 60_000;
/** Between two operations of one worker, at most: a person who reads and writes all the time, not a benchmark. */
const THINK_MS = 120;
const LOOK_MS = 500;

/**
 * Prints a summary, also with --json. Errors: CLI_CHAOS_FAILED when a promise did not hold; CLI_CHECK_FAILED without a
 * verdict; the reason of the shell's signal, without a verdict too; CLI_LOCAL_NOT_FOUND and CLI_LOCAL_FAILED, before it
 * begins, where the page cannot be left. All processes and files are gone afterwards.
 */
export async function runChaos(shell: Shell, options: ChaosOptions): Promise<void> {
  const { output, signal } = shell;
  if (options.report !== undefined) await checkWritable(options.report);
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-chaos-'));
  try {
    const result = await run(shell, options, directory);
    if (options.report !== undefined) await leaveReport(options.report, result);
    await output.result(summarize(result).facts, () => summarize(result).lines);
    if (result.violations.length > 0) throw chaosFailed(result.violations);
    signal.throwIfAborted();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** With histories and logs beside it when something did not hold: `npm run check:history` judges the histories again. */
async function leaveReport(file: string, result: ChaosResult): Promise<void> {
  await writeFile(file, reportPage(result));
  if (result.violations.length === 0) return;
  for (const history of result.histories) await copyFile(history, `${file}.${basename(history)}`);
  for (const [name, log] of result.logs) await writeFile(`${file}.${name}.log`, log);
}

async function run(shell: Shell, options: ChaosOptions, directory: string): Promise<ChaosResult> {
  const { signal, output } = shell;
  const { seed } = options;
  await using stack = new AsyncDisposableStack();
  const machines = stack.use(await Machines.open({ directory, diskSizeBytes: DISK_SIZE_BYTES }));
  for (const [ability, reason] of machines.missing)
    await output.note(`  Not possible here: ${ability} (${reason}).`);
  await output.note(`${METADATA_NODES} metadata nodes and ${DATANODES} datanodes start …`);
  const cluster = stack.use(
    await LocalCluster.start({
      metadataNodes: METADATA_NODES,
      dataNodes: DATANODES,
      place: (name, home) => machines.place(name, home),
      vacate: () => machines.vacate(),
      signal,
    }),
  );
  const clients: Client[] = [];
  for (let count = 0; count < CLIENTS; count += 1) clients.push(stack.use(await cluster.connect()));
  const recorder = new Recorder();
  const registers = new HistoryFile(join(directory, 'registers.jsonl'), 'register');
  const names = new HistoryFile(join(directory, 'names.jsonl'), 'namespace');
  const content = new ContentWorkload({ recorder });
  const workloads = [
    new RegisterWorkload({ recorder, history: registers }),
    new NamespaceWorkload({ recorder, history: names }),
    content,
  ];
  for (const workload of workloads) await workload.setUp(clients[0] as Client);

  const choice = new SeededChoice(seed, 'faults');
  const nodes = cluster.nodes.map(({ name }) => name);
  const injector = new FaultInjector(
    { cluster, machines, choice, names: nodes },
    { now: () => recorder.now() },
  );
  const workers = hire(workloads, clients, seed);
  await underFaults(shell, options, { injector, workers, recorder });
  const healedMs = recorder.now();
  await output.note('The faults have ended; everything is read once more.');
  const unsettled = await settle(cluster, signal);
  await Promise.all(workers.map(({ workload, worker }) => workload.lookAtAll(worker)));
  signal.throwIfAborted();

  await Promise.all([registers.close(), names.close()]);
  const verdicts = {
    registers: await judgeHistory(registers.path, signal),
    names: await judgeHistory(names.path, signal),
  };
  const unjust = Object.entries(verdicts)
    .filter(([, { verdict }]) => verdict !== 'linearizable')
    .map(([name, { part = '' }]) => `the history of ${name} is not linearizable (${part})`);
  return {
    seed,
    machines,
    recorder,
    faults: injector.faults,
    nodes,
    healedMs,
    verdicts,
    content,
    histories: [registers.path, names.path],
    logs: new Map(cluster.nodes.map(({ name, logTail }) => [name, logTail])),
    violations: [...unjust, ...content.violations, ...injector.surprises, ...unsettled],
  };
}

/** What is to be said against it. */
async function settle(cluster: LocalCluster, signal: AbortSignal): Promise<readonly string[]> {
  try {
    await cluster.settled();
    return [];
  } catch (error) {
    signal.throwIfAborted();
    return [`not every node was alive again soon after the last fault: ${describeError(error)}`];
  }
}

interface Hired {
  readonly workload: Workload;
  readonly worker: Worker;
}

function hire(workloads: readonly Workload[], clients: readonly Client[], seed: number): readonly Hired[] {
  const jobs = workloads.flatMap((workload) => Array.from({ length: workload.workers }, () => workload));
  return jobs.map((workload, id) => {
    const client = clients[id % clients.length] as Client;
    return { workload, worker: { id, client, choice: new SeededChoice(seed, `worker ${id}`) } };
  });
}

interface Chaos {
  readonly injector: FaultInjector;
  readonly workers: readonly Hired[];
  readonly recorder: Recorder;
}

/** Resolves when the time is over, the last operation has ended and the last fault is healed. */
async function underFaults(
  { output, terminal, signal }: Shell,
  { minutes }: ChaosOptions,
  { injector, workers, recorder }: Chaos,
): Promise<void> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(minutes * MINUTE_MS)]);
  const progress = createProgress(output, terminal, {
    label: 'chaos',
    text: () => describe(recorder, injector),
  });
  progress.expect(minutes * MINUTE_MS);
  const startMs = recorder.now();
  const watching = watch(over, () => progress.update('time', recorder.now() - startMs));
  try {
    await Promise.all([injector.run(over), watching, ...workers.map((hired) => work(hired, over))]);
  } finally {
    progress.stop();
  }
  signal.throwIfAborted();
  await injector.heal();
}

async function work({ workload, worker }: Hired, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await workload.one(worker);
    await pause(worker.choice.between(0, THINK_MS), undefined, { signal: over }).catch(() => {});
  }
}

async function watch(over: AbortSignal, look: () => void): Promise<void> {
  while (!over.aborted) {
    look();
    await pause(LOOK_MS, undefined, { signal: over }).catch(() => {});
  }
}

function describe({ totals }: Recorder, { lasting, faults }: FaultInjector): string {
  const now = lasting.length === 0 ? 'all is well' : lasting.join('; ');
  return `${totals.done} done, ${totals.unknown} unknown | ${faults.length + lasting.length} faults, now: ${now}`;
}
