/** @module Backups of the namespace as an administrator sees them: which there are, and one now. */
import { type Clock, sleep } from '../common/clock.ts';
import { isHoldfastError } from '../common/errors.ts';
import { BACKUP_DIRECTORY } from '../namespace/backup-rows.ts';
import type { ClientContext } from './client-context.ts';
import type { OperationOptions } from './client-options.ts';
import { backupNotMade } from './errors.ts';
import { listDirectory } from './tree.ts';
import { WorkersClient } from './workers-client.ts';

export interface KeptBackup {
  readonly path: string;
  /** Of the state that it holds. */
  readonly timeMs: number;
  readonly sizeBytes: number;
}

/** Of the metadata nodes' worker: the leader's makes them. */
const BACKUP_WORKER = 'namespace-backup';
const POLL_MS = 500;
/** A namespace of millions of files is written in this time. */
const MADE_WITHIN_MS = 10 * 60_000;

export class BackupsClient {
  readonly #context: ClientContext;
  readonly #clock: Clock;

  constructor(context: ClientContext) {
    this.#context = context;
    this.#clock = context.clock;
  }

  /** The oldest first. */
  async list(options: OperationOptions = {}): Promise<readonly KeptBackup[]> {
    const backups: KeptBackup[] = [];
    try {
      for await (const { name, stat } of listDirectory(this.#context.metadata, BACKUP_DIRECTORY, options))
        if (stat?.kind === 'file')
          backups.push({
            path: `${BACKUP_DIRECTORY}/${name}`,
            timeMs: stat.mtimeMs,
            sizeBytes: stat.sizeBytes,
          });
    } catch (error) {
      if (!isHoldfastError(error, 'NAMESPACE_NOT_FOUND')) throw error;
    }
    return backups.toSorted((a, b) => a.timeMs - b.timeMs || (a.path < b.path ? -1 : 1));
  }

  /** Has the leader make one, and waits for it. Errors: CLIENT_BACKUP_NOT_MADE with what the worker says. */
  async make(options: OperationOptions = {}): Promise<KeptBackup> {
    const before = new Set((await this.list(options)).map(({ path }) => path));
    const workers = new WorkersClient(this.#context);
    const untilMs = this.#clock.monotonicMs() + MADE_WITHIN_MS;
    await workers.control('meta', BACKUP_WORKER, 'run', options);
    for (;;) {
      await sleep(this.#clock, POLL_MS, options.signal);
      const made = (await this.list(options)).find(({ path }) => !before.has(path));
      if (made !== undefined) return made;
      const answers = await workers.list('meta', options);
      const stuck = answers
        .flatMap(({ answer }) => answer?.workers ?? [])
        .find(({ name, state }) => name === BACKUP_WORKER && state === 'stuck');
      if (stuck !== undefined) throw backupNotMade(stuck.stuckMessage);
      if (this.#clock.monotonicMs() > untilMs) throw backupNotMade('it takes longer than ten minutes');
    }
  }
}
