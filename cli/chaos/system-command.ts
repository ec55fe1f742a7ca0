/** @module Programs of the system that chaos needs: `ip`, `tc`, `mount`. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TIMEOUT_MS = 10_000;

/** Throws what the program said when it fails. */
export async function system(...[program = '', ...words]: readonly string[]): Promise<string> {
  const { stdout } = await run(program, words, { timeout: TIMEOUT_MS });
  return stdout;
}

/** Does it work here? For finding out what a machine has. */
export async function works(...words: readonly string[]): Promise<boolean> {
  try {
    await system(...words);
    return true;
  } catch {
    return false;
  }
}
