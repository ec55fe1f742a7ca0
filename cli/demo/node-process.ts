/** @module One node as a real process: this very command, started as a child. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeProcessFailed } from '../errors.ts';
import { PACKAGE } from '../package-root.ts';

/** What a node says when it is up (run-node.ts). */
export interface Ready {
  readonly event: 'ready';
  readonly number: number;
  readonly peer: string;
  readonly addresses: readonly string[];
  readonly pid: number;
}

/** Where a process runs, when not simply here. */
export interface Surroundings {
  /** Program and words that the command is started through: `ip netns exec NAME`, say. It must become the command. */
  readonly through?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface NodeProcessOptions {
  /** For messages. */
  readonly name: string;
  readonly directory: string;
  /** What to run, with everything but --json and --until-stdin-ends: `node start …`, or `cluster join … --start`. */
  readonly words: readonly string[];
  readonly surroundings?: Surroundings;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A node that is not up by then counts as failed: it may ask for a minute to be let in. */
const READY_TIMEOUT_MS = 90_000;
/** What is kept of a node's log, for the message when it fails. */
const TAIL_CHARACTERS = 4_000;

export class NodeProcess {
  readonly name: string;
  readonly directory: string;
  readonly ready: Ready;
  readonly #child: ChildProcess;
  readonly #exited: Promise<Exit>;
  readonly #log: LogTail;

  private constructor(options: NodeProcessOptions, started: StartedChild, ready: Ready) {
    this.name = options.name;
    this.directory = options.directory;
    this.ready = ready;
    this.#child = started.child;
    this.#exited = started.exited;
    this.#log = started.log;
  }

  /** Resolves once the node is up. Its standard input is ours: if this process dies, the node stops. */
  static async start(options: NodeProcessOptions): Promise<NodeProcess> {
    options.signal?.throwIfAborted();
    const started = startChild(options);
    const onAbort = (): void => void started.child.kill('SIGKILL');
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return new NodeProcess(options, started, await readyLine(options.name, started));
    } catch (error) {
      started.child.kill('SIGKILL');
      await started.exited;
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of its log. */
  get logTail(): string {
    return this.#log.text;
  }

  /** Sends `signal` and waits for the end. SIGKILL is what a power cut looks like to a process. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    if (this.isRunning) this.#child.kill(signal);
    return this.#exited;
  }

  /** Sends `signal` (SIGSTOP, SIGCONT) and does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** The words that start this command on this Node: program, then arguments. */
export function commandWords(): readonly [string, ...string[]] {
  const starter = join(PACKAGE.root, 'cli', 'bin.js');
  return [process.execPath, '--disable-warning=ExperimentalWarning', starter];
}

interface StartedChild {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  readonly log: LogTail;
}

class LogTail {
  text = '';

  add(chunk: string): void {
    this.text = (this.text + chunk).slice(-TAIL_CHARACTERS);
  }
}

function startChild({ words, surroundings = {} }: NodeProcessOptions): StartedChild {
  const { through = [], env } = surroundings;
  const [program = '', ...all] = [...through, ...commandWords(), ...words, '--json', '--until-stdin-ends'];
  const child = spawn(program, all, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(env !== undefined && { env: { ...process.env, ...env } }),
  });
  const log = new LogTail();
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => log.add(chunk));
  // The pipe breaks when the node is killed; that it ended is told by `exited`.
  child.stdin.on('error', () => {});
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => {
      log.add(error.message);
      resolve({ code: null, signal: null });
    });
  });
  return { child, exited, log };
}

async function readyLine(name: string, { child, exited, log }: StartedChild): Promise<Ready> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(nodeProcessFailed(name, `was not up after ${READY_TIMEOUT_MS} ms`, log.text)),
    READY_TIMEOUT_MS,
  );
  const ended = exited.then(({ code, signal }) => {
    throw nodeProcessFailed(name, `ended with ${signal ?? `status ${code}`} before it was up`, log.text);
  });
  // Whichever loses the race below may still reject later, when nobody listens any more.
  ended.catch(() => {});
  try {
    return await Promise.race([firstReady(child), ended, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function firstReady(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as Partial<Ready>;
      if (event.event === 'ready') resolve(event as Ready);
    });
  });
}
