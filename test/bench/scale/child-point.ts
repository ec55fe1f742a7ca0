/** @module One size measured in a process of its own: nothing compiled, cached or collected for another size counts there. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 1024 * 1024;

/** Runs `module`, beside this file, with `words`; it prints its figures as one line of JSON. */
export async function pointOf(
  module: string,
  words: readonly (string | number)[],
): Promise<Readonly<Record<string, number>>> {
  const file = fileURLToPath(new URL(`./${module}`, import.meta.url));
  const nodeOptions = ['--expose-gc', '--disable-warning=ExperimentalWarning'];
  const { stdout } = await run(process.execPath, [...nodeOptions, file, ...words.map(String)], {
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return JSON.parse(stdout) as Record<string, number>;
}

/** Of this process: what `work` took of the processor, in microseconds, and of time, in milliseconds. */
export async function cost<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly cpuMicroseconds: number; readonly ms: number }> {
  const [before, startMs] = [process.cpuUsage(), performance.now()];
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMicroseconds: user + system, ms: performance.now() - startMs };
}
