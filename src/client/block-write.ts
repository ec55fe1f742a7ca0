/** @module Brings one block to enough datanodes: through a chain, with dead nodes replaced. */
import { toHex } from '../common/bytes.ts';
import { sleep } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import { call } from '../network/method.ts';
import { CHAIN_BROKEN } from '../protocol/block-push.ts';
import type { CopyOutcome, Holder } from '../protocol/messages.ts';
import { REPLICATE } from '../protocol/methods.ts';
import type { BlockPlacer } from './block-placer.ts';
import type { BlockToWrite } from './block-to-write.ts';
import { pushAlongChain, silentOf } from './chain-push.ts';
import type { ClientContext } from './client-context.ts';
import { writeFailed } from './errors.ts';
import { confirmQuorum } from './quorum-watch.ts';
import { MAX_SMALL_BLOCK_BYTES, type WrittenTogether } from './small-blocks.ts';

export interface BlockWriteOptions {
  /** Copies wanted. */
  readonly copies: number;
  readonly signal: AbortSignal;
  /** Called whenever bytes have left. */
  readonly moved: () => void;
}

/** Chains tried when no datanode of the one before took the block. */
const MAX_CHAINS = 4;
/** After these, somebody who is slow to say hello is taken for overloaded rather than gone. */
const MAX_WATCHED_CHAINS = 2;
/** Nor does it count, for so long in all, when nobody of a chain can be reached: it is this client that was cut off. */
const CUT_OFF_PATIENCE_MS = 20_000;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 1_000;
/** Times that missing copies are asked of further datanodes. */
const MAX_TOP_UPS = 2;
/** One datanode copying the block to another. */
const REPLICATE_TIMEOUT_MS = 20_000;
/** Failures named in an error message, at most. */
const MAX_FAILURES_NAMED = 8;

export interface BlockWritten {
  /** Who holds the block durably and has announced it. */
  readonly holders: readonly Holder[];
  /** Its bytes were sent once, and all of them have arrived: no queue holds any. */
  readonly hasLeft: boolean;
}

/**
 * Resolves once at least placer.requiredCopies() datanodes hold the block.
 * Errors: METADATA_NOT_ENOUGH_DATANODES, METADATA_NO_QUORUM, CLIENT_WRITE_FAILED.
 */
export async function writeBlock(
  context: ClientContext,
  placer: BlockPlacer,
  block: BlockToWrite,
  options: BlockWriteOptions,
): Promise<BlockWritten> {
  const together = await writeTogether(context, placer, block, options);
  if (together?.isKept) return { holders: together.chain, hasLeft: false };
  if (together?.isUnheard) await confirmQuorum(context.metadata, options.signal);
  const copies = new BlockCopies(context);
  if (together !== undefined) copies.triedTogether(together);
  const deadlineMs = context.clock.monotonicMs() + CUT_OFF_PATIENCE_MS;
  let isCutOff = false;
  let hasLeft = false;
  for (let attempt = 0; attempt < MAX_CHAINS || isCutOff; attempt += 1) {
    if (attempt > 0) await sleep(context.clock, backoffMs(attempt), options.signal);
    const chain = await placer.chain(block.sizeBytes);
    copies.offered(chain);
    const { hash, sizeBytes, fileId, pathHint, position, write, era, pieces } = block;
    const header = { hash, sizeBytes, fileId, pathHint, position, write, also: [], era };
    const isWatched = attempt < MAX_WATCHED_CHAINS;
    const { signal, moved } = options;
    const task = { chain, header, pieces, signal, isWatched, moved };
    const { outcomes, silent } = await pushAlongChain(context, task);
    if (isUnheard(outcomes)) await confirmQuorum(context.metadata, options.signal);
    copies.note(chain, outcomes, silent);
    hasLeft = together === undefined && attempt === 0 && outcomes[0]?.ok === true;
    // The head's failure says nothing of the others, who may be as dead: they are not to fail one after the other.
    if (copies.good.size > 0) break;
    const unheard = await silentOf(context, chain, options.signal);
    copies.noteSilent(unheard);
    isCutOff = unheard.length === chain.length && context.clock.monotonicMs() < deadlineMs;
  }
  for (let round = 0; round < MAX_TOP_UPS && isShort(copies, options); round += 1)
    await topUp(context, placer, block, copies, options);
  const required = await placer.requiredCopies();
  if (copies.good.size < required)
    throw writeFailed(toHex(block.hash), required, copies.good.size, copies.failures);
  copies.tellReplaced(toHex(block.hash));
  return { holders: [...copies.good.values()], hasLeft };
}

/** Along with other small blocks; undefined when it is to travel alone. */
async function writeTogether(
  { smallBlocks }: ClientContext,
  placer: BlockPlacer,
  block: BlockToWrite,
  { copies, signal }: BlockWriteOptions,
): Promise<WrittenTogether | undefined> {
  if (block.sizeBytes > MAX_SMALL_BLOCK_BYTES) return undefined;
  return smallBlocks.write(block, { copies, required: await placer.requiredCopies() }, signal);
}

/** Who has the block now, and who proved unable to take it. */
class BlockCopies {
  readonly good = new Map<number, Holder>();
  readonly failed = new Set<number>();
  readonly failures: string[] = [];
  readonly #context: ClientContext;
  /** Of the first chain. */
  #first: readonly number[] | undefined;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  offered(chain: readonly Holder[]): void {
    this.#first ??= chain.map(({ node }) => node);
  }

  /** What it met with along with others; their standing is noted already. */
  triedTogether({ chain, failed }: WrittenTogether): void {
    this.offered(chain);
    for (const node of failed) this.failed.add(node);
  }

  /** Says who took the block in the place of those it was meant for, if anybody did. */
  tellReplaced(hash: string): void {
    const replacements = [...this.good.keys()].filter((node) => this.#first?.includes(node) === false);
    if (replacements.length > 0)
      this.#context.logger.info('client.datanodes-replaced', {
        hash,
        failed: [...this.failed],
        replacements,
      });
  }

  /** With silent nodes the chain was given up for them: nobody else is to blame. */
  note(targets: readonly Holder[], outcomes: readonly CopyOutcome[], silent: readonly number[]): void {
    this.noteSilent(silent);
    for (const outcome of outcomes) {
      const holder = targets.find(({ node }) => node === outcome.node);
      if (holder === undefined) continue;
      if (outcome.ok && outcome.announced) this.good.set(holder.node, holder);
      else if (silent.length === 0) this.#noteFailure(outcome);
    }
  }

  noteSilent(silent: readonly number[]): void {
    for (const node of silent) {
      if (this.failed.has(node)) continue;
      this.failed.add(node);
      if (this.failures.length < MAX_FAILURES_NAMED) this.failures.push(`datanode ${node}: it says nothing`);
      this.#context.standing.silent(node);
      this.#context.logger.warn('client.datanode-silent', { node });
    }
  }

  #noteFailure({ node, ok, code, message }: CopyOutcome): void {
    const reason = ok ? 'stored, but not announced in time' : `${code}: ${message}`;
    if (this.failures.length < MAX_FAILURES_NAMED) this.failures.push(`datanode ${node}: ${reason}`);
    if (code === CHAIN_BROKEN) return;
    this.failed.add(node);
    this.#context.standing.unable(node, code);
    this.#context.logger.warn('client.copy-failed', { node, reason });
  }
}

function backoffMs(attempt: number): number {
  return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt);
}

function isShort(copies: BlockCopies, { copies: wanted }: BlockWriteOptions): boolean {
  return copies.good.size > 0 && copies.good.size < wanted;
}

/** A copy was stored and not announced: hardly the datanode's fault. */
function isUnheard(outcomes: readonly CopyOutcome[]): boolean {
  return outcomes.some(({ ok, announced }) => ok && !announced);
}

/** Datanodes that have the block copy it to others: the client sends it no second time. */
async function topUp(
  context: ClientContext,
  placer: BlockPlacer,
  block: BlockToWrite,
  copies: BlockCopies,
  { copies: wanted, signal }: BlockWriteOptions,
): Promise<void> {
  const sources = [...copies.good.values()];
  const exclude = [...copies.good.keys(), ...copies.failed];
  const targets = await placer.replacements(block.sizeBytes, wanted - sources.length, exclude);
  await Promise.all(
    targets.map(async (target, position) => {
      const source = sources[position % sources.length] as Holder;
      const request = { hash: block.hash, sizeBytes: block.sizeBytes, era: block.era, target };
      try {
        await call(context.network, source.peer, REPLICATE, request, {
          signal,
          timeoutMs: REPLICATE_TIMEOUT_MS,
        });
        copies.good.set(target.node, target);
      } catch (error) {
        signal.throwIfAborted();
        copies.failed.add(target.node);
        copies.failures.push(`datanode ${target.node} from ${source.node}: ${describeError(error)}`);
      }
    }),
  );
}
