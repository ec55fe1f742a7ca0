/** @module One trial in a process of its own, watched: a bug may also make the code run for ever. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Order, TrialEvent } from './trial-order.ts';

export interface Trial {
  /** By name; what each saw, undefined where it saw nothing. */
  readonly scenarios: ReadonlyMap<string, string | undefined>;
  /** Seeds that were run, and those of them that found something. */
  readonly seedsRun: number;
  readonly found: readonly { readonly seed: number; readonly failure: string }[];
  /** Why it was no trial. */
  readonly broken?: string;
}

/** A scenario or a seed that takes longer does not end at all; the slowest seed there is takes some seconds, and a minute where others want the processor. */
const SILENCE_LIMIT_MS = 300_000;
const TRIAL = fileURLToPath(new URL('trial.ts', import.meta.url));
const ENDLESS = 'it does not end';

/** Resolves whatever happens; kills what runs for ever. */
export async function hunt(order: Order, signal?: AbortSignal): Promise<Trial> {
  const child = spawn(process.execPath, [TRIAL, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal !== undefined && { signal }),
  });
  const record = new TrialRecord();
  const exited = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, cause) => resolve(code === 0 ? undefined : `it ended with ${code ?? cause}`));
  });
  let errorText = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errorText = `${errorText}${chunk.toString('utf8')}`.slice(-2_000);
  });
  const silence = setTimeout(() => child.kill('SIGKILL'), SILENCE_LIMIT_MS);
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    silence.refresh();
    record.add(JSON.parse(line) as TrialEvent);
  });
  const failure = await exited;
  clearTimeout(silence);
  return record.close(child.killed ? ENDLESS : failure, errorText);
}

class TrialRecord {
  readonly #scenarios = new Map<string, string | undefined>();
  readonly #found: { readonly seed: number; readonly failure: string }[] = [];
  #seedsRun = 0;
  /** What is under way. */
  #scenario = '';
  #seed: number | undefined;
  #broken: string | undefined;
  #hasEnded = false;

  add(event: TrialEvent): void {
    switch (event.event) {
      case 'begin':
        this.#scenario = event.name;
        return;
      case 'scenario':
        this.#scenarios.set(event.name, event.failure);
        return;
      case 'seed':
        this.#seedsRun += 1;
        this.#seed = event.seed;
        return;
      case 'found':
        this.#found.push({ seed: event.seed, failure: event.failure });
        return;
      case 'broken':
        this.#broken = event.failure;
        return;
      case 'end':
        this.#hasEnded = true;
    }
  }

  /** A process that ended in the midst of a seed, or ran for ever in it, has found what it was looking for. */
  close(failure: string | undefined, errorText: string): Trial {
    if (!this.#hasEnded && this.#broken === undefined) {
      const why = failure ?? 'it ended early';
      if (this.#seed !== undefined) this.#found.push({ seed: this.#seed, failure: why });
      else if (failure === ENDLESS) this.#scenarios.set(this.#scenario, ENDLESS);
      else this.#broken = `${why}: ${errorText.trim()}`;
    }
    return {
      scenarios: this.#scenarios,
      seedsRun: this.#seedsRun,
      found: this.#found,
      ...(this.#broken !== undefined && { broken: this.#broken }),
    };
  }
}
