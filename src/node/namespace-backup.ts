/** @module The leader keeps backups of the namespace in the cluster itself, as files: what is found of them on datanodes is exact. */
import type { Clock } from '../common/clock.ts';
import { isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { Client } from '../client/client.ts';
import { BACKUP_DIRECTORY, backupOf, treeDigest } from '../namespace/backup-rows.ts';
import { isRecovering } from '../namespace/collection.ts';
import { DEFAULT_BACKUP_PERIOD_MS, DEFAULT_BACKUPS_KEPT, MAX_LIST_ENTRIES } from '../namespace/limits.ts';
import type { Listing } from '../namespace/reads.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { backupDuringRecovery } from './errors.ts';
import type { Network } from '../network/network.ts';

export interface NamespaceBackupComponents {
  readonly machine: Pick<StateMachine, 'cluster' | 'list' | 'pin'>;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A client in the name of this node; opened by the first backup. */
  readonly connect: () => Promise<Client>;
}

export interface NamespaceBackupOptions {
  readonly isLeader: () => boolean;
}

const IDLE_MS = 5_000;
const RETRY_MS = 60_000;
/** The leader has other things to do: what has passed since the last look is at least so many times as long as that look took. */
const PAUSE_PER_LOOK = 3;

/**
 * Once a period, when anything has changed. Not while a recovery is open: a backup of half a namespace would pass for a
 * later state than the whole one.
 */
export class NamespaceBackup implements BackgroundWorker, AsyncDisposable {
  readonly name = 'namespace-backup';
  readonly idleMs: number = IDLE_MS;
  readonly isPausable = true;
  readonly #components: NamespaceBackupComponents;
  readonly #options: NamespaceBackupOptions;
  #client: Promise<Client> | undefined;
  #isWanted = false;
  /** When it was last found that nothing has changed; after a failure a time that brings the next attempt. */
  #lookedMs = 0;
  /** For the last look at all of the namespace, with the backup that came of it, in milliseconds. */
  #tookMs = 0;
  /** treeDigest of the last backup made here. */
  #digest = '';
  #progress = 'none made by this node yet';

  constructor(components: NamespaceBackupComponents, options: NamespaceBackupOptions) {
    this.#components = components;
    this.#options = options;
  }

  hurry(): void {
    this.#isWanted = true;
  }

  progress(): string {
    return this.#progress;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const isWanted = this.#isWanted;
    this.#isWanted = false;
    const cluster = this.#components.machine.cluster();
    if (!this.#options.isLeader() || cluster === undefined) return 'idle';
    if (isRecovering(cluster)) {
      if (isWanted) throw backupDuringRecovery();
      return 'idle';
    }
    const nowMs = this.#components.clock.wallMs();
    const periodMs = Math.max(
      cluster.backupPeriodMs ?? DEFAULT_BACKUP_PERIOD_MS,
      PAUSE_PER_LOOK * this.#tookMs,
    );
    const lastMs = Math.max(await this.#newestMs(), this.#lookedMs, cluster.createdMs);
    if (!isWanted && nowMs - lastMs < periodMs) return 'idle';
    // Until it has succeeded it is tried again after this time: each attempt reads all of the namespace.
    this.#lookedMs = nowMs - periodMs + Math.min(periodMs, RETRY_MS);
    const startMs = this.#components.clock.monotonicMs();
    const isMade = await this.#make(nowMs, isWanted, signal);
    this.#tookMs = this.#components.clock.monotonicMs() - startMs;
    if (isMade) await this.#prune(cluster.backupsKept ?? DEFAULT_BACKUPS_KEPT, signal);
    else this.#lookedMs = nowMs;
    return 'idle';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#client)?.close();
  }

  /** False when nothing has changed. `nowMs` is before the moment of the rows: all that was closed by then is in them. */
  async #make(nowMs: number, isWanted: boolean, signal: AbortSignal): Promise<boolean> {
    const { machine, clock, logger } = this.#components;
    const { at, rows } = await machine.pin();
    await using pinned = rows;
    const digest = await treeDigest(pinned);
    if (digest === this.#digest && !isWanted) return false;
    const state = { cluster: machine.cluster()?.id ?? '', index: at.index, timeMs: nowMs };
    const path = `${BACKUP_DIRECTORY}/${new Date(nowMs).toISOString()}-${at.index}`;
    const client = await this.#connected();
    const startMs = clock.monotonicMs();
    const { stat } = await client.saveBackup(path, backupOf(pinned, state), { mark: state, signal });
    this.#digest = digest;
    this.#progress = `the last one made here is ${path}`;
    const tookMs = Math.round(clock.monotonicMs() - startMs);
    logger.info('namespace.backup', { path, index: at.index, sizeBytes: stat.sizeBytes, tookMs });
    return true;
  }

  /** The oldest go, once a newer one is there. */
  async #prune(kept: number, signal: AbortSignal): Promise<void> {
    const client = await this.#connected();
    const paths: string[] = [];
    for await (const { name, stat } of client.list(BACKUP_DIRECTORY, { signal }))
      if (stat?.kind === 'file') paths.push(`${BACKUP_DIRECTORY}/${name}`);
    // Names begin with the time.
    for (const path of paths.toSorted().slice(0, -kept)) await client.unlink(path, { signal });
  }

  async #newestMs(): Promise<number> {
    let newestMs = 0;
    for (let after = ''; ; ) {
      const { entries, more } = await this.#page(after);
      for (const { stat } of entries) newestMs = Math.max(newestMs, stat?.mtimeMs ?? 0);
      after = entries.at(-1)?.name ?? '';
      if (!more) return newestMs;
    }
  }

  async #page(after: string): Promise<Pick<Listing, 'entries' | 'more'>> {
    try {
      return await this.#components.machine.list(BACKUP_DIRECTORY, after, MAX_LIST_ENTRIES);
    } catch (error) {
      if (isHoldfastError(error, 'NAMESPACE_NOT_FOUND')) return { entries: [], more: false };
      throw error;
    }
  }

  #connected(): Promise<Client> {
    this.#client ??= this.#components.connect().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }
}
