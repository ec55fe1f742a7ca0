/** @module A file being written under a lease: blocks are appended in order, and nobody sees it before it is closed. */
import type { Timer } from '../common/clock.ts';
import { orAborted, withDeadline } from '../common/deadline.ts';
import { describeError } from '../common/errors.ts';
import type { BlockRef, CreateFile, Precondition, Stat } from '../namespace/schema.ts';
import type { ClientContext } from './client-context.ts';
import { grantTooLate } from './errors.ts';
import { grantResult, statResult } from './result.ts';

/** A writer that is silent for longer loses its file. */
const LEASE_MS = 60_000;
const RENEWAL_PERIOD_MS: number = LEASE_MS / 4;
/** Once bytes have been sent it pays to wait out an election or a restart, in milliseconds. */
export const PUT_PATIENCE_MS = 30_000;
/** To give the file up when the put has failed; then the lease's end does it. */
const ABANDON_PATIENCE_MS = 3_000;

export class OpenFile {
  readonly inode: number;
  readonly #context: ClientContext;
  readonly #fencingToken: number;
  readonly #renewal: Timer;
  #blockCount = 0;
  #renewing: Promise<void> | undefined;

  private constructor(context: ClientContext, inode: number, fencingToken: number) {
    this.#context = context;
    this.inode = inode;
    this.#fencingToken = fencingToken;
    this.#renewal = context.clock.every(RENEWAL_PERIOD_MS, () => (this.#renewing ??= this.#renew()));
  }

  /** Errors: NAMESPACE_* as of createFile; the signal's reason, once a grant that was on its way is given back. */
  static async create(context: ClientContext, file: CreateFile, signal: AbortSignal): Promise<OpenFile> {
    signal.throwIfAborted();
    // Not aborted itself: the lease would be granted all the same, to nobody, and last until it expires.
    const creating = OpenFile.#create(context, file);
    try {
      return await orAborted(creating, signal);
    } catch (error) {
      if (signal.aborted) await giveBack(context, creating);
      throw error;
    }
  }

  static async #create(context: ClientContext, file: CreateFile): Promise<OpenFile> {
    const value = { ...file, leaseMs: LEASE_MS, complete: false, blocks: [] };
    const result = await context.mutations.run({ $case: 'createFile', value });
    const { inode, fencingToken } = grantResult('createFile', result);
    return new OpenFile(context, inode, fencingToken);
  }

  /** One call at a time, in the order of the file. Errors: NAMESPACE_LEASE_EXPIRED. */
  async append(blocks: readonly BlockRef[], signal: AbortSignal): Promise<void> {
    const { inode } = this;
    const value = {
      inode,
      fencingToken: this.#fencingToken,
      firstBlock: this.#blockCount,
      blocks: [...blocks],
    };
    this.#blockCount += blocks.length;
    await this.#context.mutations.run(
      { $case: 'appendBlocks', value },
      { signal, patienceMs: PUT_PATIENCE_MS },
    );
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

  /** Frees what was written. Never throws: a file that could not be given up now is freed when its lease ends. */
  async abandon(): Promise<void> {
    this.#renewal.cancel();
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

/** Never throws, and waits no longer than for an abandon: whoever gave up does not want to wait. */
async function giveBack(context: ClientContext, creating: Promise<OpenFile>): Promise<void> {
  const abandoned = creating.then((file) => file.abandon());
  try {
    await withDeadline(context.clock, ABANDON_PATIENCE_MS, abandoned, () =>
      grantTooLate(ABANDON_PATIENCE_MS),
    );
  } catch (error) {
    context.logger.warn('client.not-given-back', { error: describeError(error) });
  }
}
