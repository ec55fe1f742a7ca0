/** @module A file being written under a lease: blocks are appended in order, and nobody sees it before it is closed. */
import type { Timer } from '../common/clock.ts';
import { orAborted, withDeadline } from '../common/deadline.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { CreateFile, Grant, Precondition, RestoreEntry, Stat } from '../namespace/schema.ts';
import type { ClientContext } from './client-context.ts';
import { grantTooLate } from './errors.ts';
import { PUT_PATIENCE_MS } from './metadata-peers.ts';
import type { MutationCommand } from './mutations.ts';
import { referTo, type WrittenBlocks } from './retained-blocks.ts';
import { grantResult, statOf, statResult } from './result.ts';

/** A writer that is silent for longer loses its file. */
const LEASE_MS = 60_000;
const RENEWAL_PERIOD_MS: number = LEASE_MS / 4;
/** To give the file up when the put has failed; then the lease's end does it. */
const ABANDON_PATIENCE_MS = 3_000;
/** Reasons after which nobody can take note of it. */
const NOBODY_THERE: readonly string[] = ['METADATA_NO_QUORUM', 'CLIENT_NO_METADATA'];

export class OpenFile {
  readonly inode: number;
  readonly #appendedTo: Stat | undefined;
  readonly #context: ClientContext;
  readonly #fencingToken: number;
  readonly #renewal: Timer;
  #blockCount = 0;
  #renewing: Promise<void> | undefined;

  private constructor(context: ClientContext, grant: Grant) {
    this.#context = context;
    this.inode = grant.inode;
    this.#fencingToken = grant.fencingToken;
    this.#appendedTo = grant.appendedTo;
    this.#renewal = context.clock.every(RENEWAL_PERIOD_MS, () => (this.#renewing ??= this.#renew()));
  }

  /** Errors: NAMESPACE_* as of createFile; the signal's reason, once a grant that was on its way is given back. */
  static create(context: ClientContext, file: CreateFile, signal: AbortSignal): Promise<OpenFile> {
    const value = { ...file, leaseMs: LEASE_MS, complete: false, blocks: [] };
    return OpenFile.#open(context, { $case: 'createFile', value }, signal);
  }

  /**
   * To gather what is appended to the file at `path`, at `ifVersion` (0: any). Nobody else can append meanwhile. Errors as
   * of create, NAMESPACE_NOT_FOUND and NAMESPACE_LEASE_HELD among them.
   */
  static append(
    context: ClientContext,
    path: string,
    ifVersion: number,
    signal: AbortSignal,
  ): Promise<OpenFile> {
    const precondition = ifVersion === 0 ? undefined : { ifAbsent: false, ifVersion };
    const value = { path, leaseMs: LEASE_MS, precondition };
    return OpenFile.#open(context, { $case: 'openAppend', value }, signal);
  }

  static async #open(
    context: ClientContext,
    command: MutationCommand,
    signal: AbortSignal,
  ): Promise<OpenFile> {
    signal.throwIfAborted();
    // Not aborted itself: the lease would be granted all the same, to nobody, and last until it expires.
    const granting = context.mutations.run(command);
    const opening = (makesParents(command) ? granting : unseen(granting)).then(
      (result) => new OpenFile(context, grantResult(command.$case, result)),
    );
    try {
      return await orAborted(opening, signal);
    } catch (error) {
      if (signal.aborted) await giveBack(context, opening, signal.reason);
      throw error;
    }
  }

  /** The file as it was when the right to append to it was granted. */
  get appendedTo(): Stat {
    return statOf('openAppend', this.#appendedTo);
  }

  /** One call at a time, in the order of the file. Errors: NAMESPACE_LEASE_EXPIRED, CLIENT_NOT_RETAINED. */
  async append(written: WrittenBlocks, signal: AbortSignal): Promise<void> {
    const { inode } = this;
    const blocks = [...written.blocks];
    const value = { inode, fencingToken: this.#fencingToken, firstBlock: this.#blockCount, blocks };
    this.#blockCount += blocks.length;
    const options = { signal, patienceMs: PUT_PATIENCE_MS };
    await referTo(this.#context, written, signal, (writtenEra) =>
      unseen(
        this.#context.mutations.run({ $case: 'appendBlocks', value: { ...value, writtenEra } }, options),
      ),
    );
  }

  /**
   * Takes over all blocks of the file with this inode, as it is when the last of them are taken; instead of appending. Errors:
   * NAMESPACE_NOT_FOUND when it is removed or replaced meanwhile, NAMESPACE_LEASE_EXPIRED.
   */
  async takeBlocksOf(from: number, signal: AbortSignal): Promise<void> {
    const { inode } = this;
    const options = { signal, patienceMs: PUT_PATIENCE_MS };
    for (let isWhole = false; !isWhole; ) {
      const value = { inode, fencingToken: this.#fencingToken, firstBlock: this.#blockCount, from };
      const result = await unseen(this.#context.mutations.run({ $case: 'copyBlocks', value }, options));
      const grant = grantResult('copyBlocks', result);
      this.#blockCount = grant.blockCount;
      isWhole = grant.blockCount === statOf('copyBlocks', grant.appendedTo).blockCount;
    }
  }

  /** Puts the file at its path, in one step. */
  async close(precondition: Precondition | undefined, mtimeMs: number, signal: AbortSignal): Promise<Stat> {
    const { inode } = this;
    const value = { inode, fencingToken: this.#fencingToken, precondition, mtimeMs };
    const options = { signal, patienceMs: PUT_PATIENCE_MS };
    const result = await this.#context.mutations.run({ $case: 'closeFile', value }, options);
    this.#renewal.cancel();
    return statResult('closeFile', result);
  }

  /** Makes what was written the file's end, after its first `keepBlocks` blocks, in one step. */
  async closeAppend(keepBlocks: number, mtimeMs: number, signal: AbortSignal): Promise<Stat> {
    const { inode } = this;
    const value = { inode, fencingToken: this.#fencingToken, keepBlocks, mtimeMs };
    const options = { signal, patienceMs: PUT_PATIENCE_MS };
    const result = await this.#context.mutations.run({ $case: 'closeAppend', value }, options);
    this.#renewal.cancel();
    return statResult('closeAppend', result);
  }

  /** Puts the file at the path of `entry`, with its times and all else that is said there. */
  async restore(entry: RestoreEntry, signal: AbortSignal): Promise<Stat> {
    const value = { ...entry, inode: this.inode, fencingToken: this.#fencingToken, blocks: [] };
    const options = { signal, patienceMs: PUT_PATIENCE_MS };
    const result = await this.#context.mutations.run({ $case: 'restoreEntry', value }, options);
    this.#renewal.cancel();
    return statResult('restoreEntry', result);
  }

  /**
   * Frees what was written, for that reason. Never throws: a file that could not be given up now is freed when its lease ends,
   * and without a quorum nobody waits to see that it cannot.
   */
  async abandon(reason: unknown): Promise<void> {
    this.#renewal.cancel();
    if (isHoldfastError(reason, ...NOBODY_THERE)) return;
    const value = { inode: this.inode, fencingToken: this.#fencingToken };
    try {
      await this.#context.mutations.run({ $case: 'abandonFile', value }, { patienceMs: ABANDON_PATIENCE_MS });
    } catch (error) {
      this.#context.logger.warn('client.not-abandoned', { inode: this.inode, error: describeError(error) });
    }
  }

  async #renew(): Promise<void> {
    const value = { inode: this.inode, fencingToken: this.#fencingToken };
    try {
      await this.#context.mutations.run({ $case: 'renewLease', value }, { patienceMs: RENEWAL_PERIOD_MS });
    } catch (error) {
      // The next append or close finds out whether the lease is really lost, and says so to the caller.
      this.#context.logger.warn('client.lease-not-renewed', {
        inode: this.inode,
        error: describeError(error),
      });
    } finally {
      this.#renewing = undefined;
    }
  }
}

/** These are seen at once. */
function makesParents(command: MutationCommand): boolean {
  return command.$case === 'createFile' && command.value.parents;
}

/** Of a step before the file is seen by anybody: whether it was done makes no difference to those who ask why it went no further. */
async function unseen<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    const isUnknown = isHoldfastError(error, 'CLIENT_OUTCOME_UNKNOWN');
    throw isUnknown && isHoldfastError(error.cause, 'METADATA_NO_QUORUM') ? error.cause : error;
  }
}

/** Never throws, and waits no longer than for an abandon: whoever gave up does not want to wait. */
async function giveBack(context: ClientContext, creating: Promise<OpenFile>, reason: unknown): Promise<void> {
  const abandoned = creating.then((file) => file.abandon(reason));
  try {
    await withDeadline(context.clock, ABANDON_PATIENCE_MS, abandoned, () =>
      grantTooLate(ABANDON_PATIENCE_MS),
    );
  } catch (error) {
    context.logger.warn('client.not-given-back', { error: describeError(error) });
  }
}
