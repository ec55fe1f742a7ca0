/** @module A machine of its own, as far as the command can tell: a home directory, and somebody who types. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

export interface Typed {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const COMMAND = fileURLToPath(new URL('../../../cli/bin.js', import.meta.url));
const READY_MS = 30_000;
/** Of the nodes; what they say is kept for the message of a failure. */
const LOG_LEVEL = process.env['HOLDFAST_TEST_LOG_LEVEL'] ?? 'warn';

export class Machine {
  readonly home: string;
  /** Where `holdfast` keeps a node when nobody names a directory. */
  readonly nodeDirectory: string;
  readonly #running: RunningCommand[] = [];

  readonly #prefix: readonly string[];

  private constructor(home: string, prefix: readonly string[]) {
    this.home = home;
    this.#prefix = prefix;
    this.nodeDirectory = join(home, '.holdfast', 'node');
  }

  /** With a network namespace, its processes live in that one. */
  static async create(parent: string, name: string, namespace?: string): Promise<Machine> {
    const home = join(parent, name);
    await mkdir(home, { recursive: true });
    return new Machine(home, namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace]);
  }

  /** Types `holdfast …` in the home directory and waits for its end. Never throws for a status. */
  async type(...words: readonly string[]): Promise<Typed> {
    return new RunningCommand(this.home, words, this.#prefix).ended;
  }

  /** As type(), but the last line of standard output is JSON. Throws when the command fails. */
  async ask<T>(...words: readonly string[]): Promise<T> {
    const { status, stdout, stderr } = await this.type(...words, '--json');
    if (status !== 0) throw new Error(`holdfast ${words.join(' ')} ended with ${status}: ${stderr}`);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
  }

  /** Types a command that stays in the foreground, and waits until it says that its node is up. */
  async run(...words: readonly string[]): Promise<RunningCommand> {
    const level = words.includes('--log-level') ? [] : ['--log-level', LOG_LEVEL];
    const command = new RunningCommand(this.home, [...words, ...level], this.#prefix);
    this.#running.push(command);
    await eventually(`holdfast ${words.join(' ')} is up`, READY_MS, () => {
      if (command.hasEnded) throw new Error(`It ended: ${command.stdout}${command.stderr}`);
      return command.stdout.includes('is up as') ? true : undefined;
    });
    return command;
  }

  /** Ends at once whatever was started by run(). */
  async turnOff(): Promise<void> {
    await Promise.all(this.#running.map((command) => command.end('SIGKILL')));
  }
}

/** One process of the command. */
export class RunningCommand {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Typed>;
  readonly #child: ChildProcess;

  /** `prefix`: the words of a program that starts the command in its place. */
  constructor(home: string, words: readonly string[], prefix: readonly string[] = []) {
    const { HOLDFAST_DIR: _dir, HOLDFAST_PROFILE: _profile, ...env } = process.env;
    const [program = process.execPath, ...before] = [...prefix, process.execPath];
    const child = spawn(program, [...before, COMMAND, ...words], {
      cwd: home,
      env: { ...env, HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once('close', (status) => resolve({ status, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<Typed> {
    this.#child.kill(signal);
    return this.ended;
  }
}

/** The stable code at the end of the last line that a failed command printed, e.g. NODE_ALREADY_RUNNING. */
export function codeOf({ stderr }: Typed): string | undefined {
  return /\[([A-Z_]+)\]\s*$/.exec(stderr)?.[1];
}
