/** @module One run of this command as a process of its own, from its words to its end. */
import { execFile } from 'node:child_process';
import { commandWords, type Surroundings } from './node-process.ts';

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandRunOptions extends Surroundings {
  /** For its standard input, which then ends. */
  readonly input?: string | Uint8Array;
  /** Kills it. */
  readonly signal?: AbortSignal;
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Never throws for a status. */
export function runCommand(
  words: readonly string[],
  { through = [], env: own = {}, input, signal }: CommandRunOptions,
): Promise<CommandResult> {
  const [program = '', ...all] = [...through, ...commandWords(), ...words];
  const env = { ...process.env, ...own };
  return new Promise((resolve) => {
    let result: CommandResult = { status: 1, stdout: '', stderr: '' };
    const child = execFile(
      program,
      all,
      { env, maxBuffer: MAX_OUTPUT_BYTES, killSignal: 'SIGKILL', ...(signal && { signal }) },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        result = { status: typeof code === 'number' ? code : 1, stdout, stderr };
      },
    );
    // When aborted, the callback comes before the process is gone, which may be writing still.
    child.once('close', () => resolve(result));
    child.stdin?.on('error', () => {}).end(input);
  });
}
