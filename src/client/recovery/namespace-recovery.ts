/** @module Finding the files of a lost namespace on datanodes: look at everything, decide, show, and only then restore. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteBudget } from '../../common/byte-budget.ts';
import { describeError, type HoldfastError, isHoldfastError } from '../../common/errors.ts';
import type { BackupMark } from '../../protocol/messages.ts';
import type { ClientContext } from '../client-context.ts';
import { recoveryIncomplete } from '../errors.ts';
import { BackupEntries } from './backup-entries.ts';
import { BlockChains } from './block-chain.ts';
import { surveyDatanodes, type SurveyedNode } from './block-survey.ts';
import { blockRef, EntryRestorer, type RestorableEntry, type Restoration } from './entry-restorer.ts';
import { FoundBlocks, type FoundCounts } from './found-blocks.ts';
import { newestBackup, type PassedBackup, type TakenBackup } from './newest-backup.ts';
import { entryFromBackup, entryFromBlocks } from './planned-content.ts';
import { type PlanCounts, type PlannedEntry, RecoveryPlan } from './recovery-plan.ts';

export interface RecoveryOptions {
  /** Where a temporary file of all that is found goes: some 300 bytes a block. */
  readonly directory: string;
  /** As if there were no backups. */
  readonly ignoreBackups?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: RecoveryProgress) => void) | undefined;
}

export interface RecoveryProgress {
  readonly phase: 'survey' | 'plan' | 'restore';
  /** Blocks, paths or entries since the last call. */
  readonly count: number;
}

export interface RestoreTally extends Readonly<Record<Restoration, number>> {
  readonly failed: readonly { readonly path: string; readonly code: string; readonly message: string }[];
}

/** Commands under way at a time. */
const RESTORES_IN_FLIGHT = 32;
/** Paths that could not be restored are named up to this many. */
const MAX_FAILURES = 1_000;

export class NamespaceRecovery implements AsyncDisposable {
  /** Of every datanode of the cluster; with those that did not answer, the plan may be missing what only they have. */
  readonly nodes: readonly SurveyedNode[];
  /** The one in use. */
  readonly backup: BackupMark | undefined;
  readonly passedBackups: readonly PassedBackup[];
  readonly plan: RecoveryPlan;
  readonly #context: ClientContext;
  readonly #options: RecoveryOptions;
  readonly #found: FoundBlocks;
  readonly #entries: BackupEntries;
  readonly #chains: BlockChains;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    context: ClientContext,
    options: RecoveryOptions,
    parts: Prepared & { readonly plan: RecoveryPlan; readonly cleanup: AsyncDisposableStack },
  ) {
    this.#context = context;
    this.#options = options;
    this.nodes = parts.nodes;
    this.backup = parts.backup;
    this.passedBackups = parts.passed;
    this.plan = parts.plan;
    this.#found = parts.found;
    this.#entries = parts.entries;
    this.#chains = parts.chains;
    this.#cleanup = parts.cleanup;
  }

  /** Changes nothing. Errors: CLIENT_NO_METADATA, STORAGE_* of the temporary file. */
  static async prepare(context: ClientContext, options: RecoveryOptions): Promise<NamespaceRecovery> {
    await using cleanup = new AsyncDisposableStack();
    const directory = await mkdtemp(join(options.directory, 'holdfast-recovery-'));
    cleanup.defer(() => rm(directory, { recursive: true, force: true }));
    const found = await FoundBlocks.create(join(directory, 'found.db'));
    cleanup.defer(() => found.close());
    const { signal, onProgress } = options;
    const nodes = await surveyDatanodes(context, found, {
      signal,
      onProgress: (count) => onProgress?.({ phase: 'survey', count }),
    });
    const chains = new BlockChains(found);
    const taken = options.ignoreBackups
      ? { entries: await BackupEntries.empty(found.database), backup: undefined, passed: [] }
      : await newestBackup(context, { found, chains }, signal);
    const prepared = { nodes, found, chains, ...taken };
    const plan = await RecoveryPlan.make(
      { found, chains, backup: taken.entries, sizes: (hashes) => found.sizes(hashes) },
      { signal, onProgress: (count) => onProgress?.({ phase: 'plan', count }) },
    );
    return new NamespaceRecovery(context, options, { ...prepared, plan, cleanup: cleanup.move() });
  }

  counts(): Promise<PlanCounts> {
    return this.plan.counts();
  }

  found(): Promise<FoundCounts> {
    return this.#found.counts();
  }

  /** Datanodes that did not tell all they have. */
  get silent(): readonly SurveyedNode[] {
    return this.nodes.filter(({ failure }) => failure !== undefined);
  }

  /**
   * Restores what is planned. Cut short anywhere, it is done again from the beginning: what is there is left as it is.
   * A path that is refused is named in the answer; anything else ends it. What an older backup brings back under an old
   * name stays there when the newer one is found: therefore a plan from less than everything is refused unless
   * `evenIncomplete`. Errors: CLIENT_RECOVERY_INCOMPLETE, NAMESPACE_RECOVERY_NOT_OPEN, CLIENT_*.
   */
  async carryOut({
    evenIncomplete = false,
  }: {
    readonly evenIncomplete?: boolean | undefined;
  } = {}): Promise<RestoreTally> {
    const silent = this.silent.map(({ name }) => name);
    const unread = this.passedBackups.map(({ path }) => path);
    if (!evenIncomplete && silent.length + unread.length > 0) throw recoveryIncomplete(silent, unread);
    const { onProgress, signal } = this.#options;
    const cluster = await this.#context.cluster();
    const restorer = new EntryRestorer(this.#context, { signal, openedMs: cluster.createdMs });
    const tally = { restored: 0, there: 0, kept: 0, failed: [] as RestoreTally['failed'][number][] };
    const put = async (planned: PlannedEntry): Promise<void> => {
      try {
        tally[await restorer.restore(await this.#contentOf(planned))] += 1;
      } catch (error) {
        if (!isRefusedPath(error)) throw error;
        const failure = { path: planned.path, code: error.code, message: describeError(error) };
        if (tally.failed.length < MAX_FAILURES) tally.failed.push(failure);
      }
      onProgress?.({ phase: 'restore', count: 1 });
    };
    const isDirectory = ({ kind }: PlannedEntry): boolean => kind === 'directory';
    await inParallel(this.plan.entries('coming'), isDirectory, put, signal);
    // What was put into a directory has changed its times.
    const redate = async (planned: PlannedEntry): Promise<void> => {
      if (isDirectory(planned)) await restorer.restore(await this.#contentOf(planned));
    };
    await inParallel(this.plan.entries('coming'), () => false, redate, signal);
    return tally;
  }

  async #contentOf(planned: PlannedEntry): Promise<RestorableEntry> {
    const saved = await this.#entries.at(planned.origin);
    if (planned.from === 'backup' && saved !== undefined) {
      const blocks = await this.#entries.blocksOf(saved);
      return { entry: entryFromBackup(planned.path, saved), blocks: blocks.map(blockRef) };
    }
    const version = await this.#found.version(planned.write);
    const blocks = version && (await this.#chains.blocksOf(version)).blocks;
    if (version === undefined || blocks === undefined)
      throw new Error(`What was planned for ${planned.path} is not there any more.`);
    return { entry: entryFromBlocks(planned.path, version, saved), blocks: blocks.map(blockRef) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

interface Prepared extends TakenBackup {
  readonly nodes: readonly SurveyedNode[];
  readonly found: FoundBlocks;
  readonly chains: BlockChains;
}

/** Of this path, not of all of them. */
function isRefusedPath(error: unknown): error is HoldfastError {
  return (
    isHoldfastError(error) &&
    error.kind === 'refused' &&
    error.code.startsWith('NAMESPACE_') &&
    error.code !== 'NAMESPACE_RECOVERY_NOT_OPEN'
  );
}

/** Those that `alone` names one after the other, in order; of the others a bounded number at a time. */
async function inParallel<T>(
  items: AsyncIterable<T>,
  alone: (item: T) => boolean,
  work: (item: T) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const slots = new ByteBudget(RESTORES_IN_FLIGHT);
  const failing = new AbortController();
  const stopped = AbortSignal.any([signal, failing.signal]);
  const underWay = new Set<Promise<void>>();
  for await (const item of items) {
    await slots.acquire(1, stopped);
    const done = work(item).finally(() => {
      slots.release(1);
      underWay.delete(done);
    });
    underWay.add(done);
    done.catch((error: unknown) => failing.abort(error));
    if (alone(item)) await done;
  }
  await Promise.all(underWay);
}
