/** @module Which background workers people have paused on this node: kept over restarts. */
import { readFile } from 'node:fs/promises';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { WorkerRunnerOptions } from '../common/worker-runner.ts';
import { writeDurably } from './durable-file.ts';
import { systemCode } from './errors.ts';

type Paused = Readonly<Record<string, readonly string[]>>;

export class WorkerPauses {
  readonly #path: string;
  #paused: Paused;

  private constructor(path: string, paused: Paused) {
    this.#path = path;
    this.#paused = paused;
  }

  /** A file that cannot be read counts as none, and is logged: work that goes on does no harm. */
  static async load(path: string, logger: Logger): Promise<WorkerPauses> {
    try {
      return new WorkerPauses(path, JSON.parse(await readFile(path, 'utf8')) as Paused);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        logger.warn('node.pauses-not-read', { path, error: describeError(error) });
      return new WorkerPauses(path, {});
    }
  }

  /** For the runner of one role. */
  of(role: string): WorkerRunnerOptions {
    return {
      paused: this.#paused[role] ?? [],
      keepPaused: async (names) => {
        this.#paused = { ...this.#paused, [role]: names };
        await writeDurably(this.#path, `${JSON.stringify(this.#paused)}\n`);
      },
    };
  }
}
