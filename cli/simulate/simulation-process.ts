/** @module The simulations as programs of their own: nothing that ships imports them, and each takes a core for itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { simulationFailed } from '../errors.ts';
import { simulationWords } from '../simulation-program.ts';
import { parseReport, type SeedReport } from './seed-report.ts';

/** What is kept of a program's last words, for the message when it dies. */
const TAIL_CHARACTERS = 4_000;
/** All seeds held. */
const HELD_STATUS = 0;
/** Some did not; but a program that dies of an exception has this status as well. */
const FAILED_STATUS = 1;

/**
 * Runs simulations/main.ts (or its built twin) with `words` and yields what it reports, until it or `signal` ends it.
 * Throws CLI_NO_SIMULATIONS where the installed package does not carry it, CLI_SIMULATION_FAILED when it dies.
 */
export async function* simulationReports(
  words: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<SeedReport> {
  const [program, ...first] = simulationWords('main');
  const child = spawn(program, [...first, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const tail = tailOf(child);
  const ended = once(child, 'close');
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  if (signal.aborted) kill();
  let hasFailed = false;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const report = parseReport(line);
      if (report === undefined) continue;
      hasFailed ||= report.failure !== undefined;
      yield report;
    }
    await ended;
    const isVerdict = child.exitCode === (hasFailed ? FAILED_STATUS : HELD_STATUS);
    if (!signal.aborted && !isVerdict) throw simulationFailed(tail());
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}

function tailOf({ stderr }: ChildProcess): () => string {
  let tail = '';
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-TAIL_CHARACTERS);
  });
  return () => tail;
}
