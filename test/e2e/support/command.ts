/** @module The command as its user has it: a process with a working directory, a profile, input, and somebody who may press ctrl-C. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandWords } from '../../../cli/demo/node-process.ts';
import type { LocalCluster } from '../../../cli/demo/local-cluster.ts';

/** Result of `holdfast … --json`, or the error of one. */
export type Json = Record<string, unknown>;

export interface Ended {
  readonly status: number | null;
  /** Exactly what it printed. */
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface CommandError {
  readonly code: string;
  readonly kind: string;
  readonly message: string;
  readonly facts: Json;
}

/** Far above what any command here takes on a busy machine. */
const TIMEOUT_MS = 90_000;

/** Types `holdfast …` on a cluster's profile, in one directory. */
export class Command {
  readonly directory: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(cluster: LocalCluster, directory: string) {
    this.directory = directory;
    // Compiled code is kept, as cli/bin.js does: half of the time of a short command is compilation.
    const NODE_COMPILE_CACHE = join(tmpdir(), 'holdfast-e2e-compile-cache');
    this.#env = { ...process.env, HOLDFAST_PROFILE: cluster.profileDir, NODE_COMPILE_CACHE };
  }

  /** Its standard input stays open until somebody ends it. */
  start(...words: readonly string[]): RunningCommand {
    const [program, ...first] = commandWords();
    const options = { cwd: this.directory, env: this.#env, timeout: TIMEOUT_MS };
    return new RunningCommand(spawn(program, [...first, ...words], options));
  }

  /** Never throws for a status. */
  run(...words: readonly string[]): Promise<Ended> {
    return this.runOn('', ...words);
  }

  /** As run(), with `input` on standard input. */
  async runOn(input: string | Uint8Array, ...words: readonly string[]): Promise<Ended> {
    const running = this.start(...words);
    running.stdin.end(input);
    return running.ended;
  }

  /** Standard output as text; throws unless the command succeeds. */
  async text(...words: readonly string[]): Promise<string> {
    return mustSucceed(words, await this.run(...words)).stdout.toString();
  }

  /** One object for each line of --json; throws unless the command succeeds. */
  async json(...words: readonly string[]): Promise<Json[]> {
    const all = [...words.slice(0, 1), '--json', ...words.slice(1)];
    const { stdout } = mustSucceed(all, await this.run(...all));
    return jsonLines(stdout.toString());
  }

  /** Status and error of a command that must fail, both as --json tells them. */
  async failure(...words: readonly string[]): Promise<readonly [status: number | null, code: string]> {
    const { status, error } = await this.error(...words);
    return [status, error.code];
  }

  async error(...words: readonly string[]): Promise<{ readonly status: number | null; error: CommandError }> {
    const ended = await this.run(...words.slice(0, 1), '--json', ...words.slice(1));
    if (ended.status === 0) throw new Error(`holdfast ${words.join(' ')} should have failed`);
    const last = jsonLines(ended.stderr).at(-1) as { error: CommandError } | undefined;
    if (last === undefined) throw new Error(`holdfast ${words.join(' ')} failed and said nothing`);
    return { status: ended.status, error: last.error };
  }
}

export class RunningCommand {
  readonly ended: Promise<Ended>;
  /** So far. */
  stderr = '';
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    const stdout: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk));
    // A command that ends before it has read all is told by its status.
    child.stdin.on('error', () => {});
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) =>
        resolve({ status, stdout: Buffer.concat(stdout), stderr: this.stderr }),
      );
    });
  }

  get stdin(): ChildProcessWithoutNullStreams['stdin'] {
    return this.#child.stdin;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

export function jsonLines(text: string): Json[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json);
}

function mustSucceed(words: readonly string[], ended: Ended): Ended {
  if (ended.status === 0) return ended;
  throw new Error(`holdfast ${words.join(' ')} ended with ${ended.status}: ${ended.stderr}`);
}
