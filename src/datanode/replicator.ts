/** @module Copies a block held here to another datanode, on request. */
import { toHex } from '../common/bytes.ts';
import { isHoldfastError } from '../common/errors.ts';
import { HASH_SIZE_BYTES } from '../common/hashing.ts';
import type { PieceMemory } from '../common/piece-memory.ts';
import { BlockPush, type BlockPushComponents } from '../protocol/block-push.ts';
import type {
  BlockNote,
  CopyOutcome,
  Holder,
  ReplicateRequest,
  ReplicateResponse,
} from '../protocol/messages.ts';
import type { Logger } from '../common/logger.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { BackgroundPace } from './background-pace.ts';
import type { BlockIndexer } from './block-indexer.ts';
import { checkCopy } from './copy-check.ts';
import { noteFrom } from './block-origins.ts';
import { badHeader, replicationFailed } from './errors.ts';
import type { LoadMeter } from './load-meter.ts';
import type { WriteEras } from './write-eras.ts';

export interface ReplicatorComponents extends BlockPushComponents {
  readonly blocks: BlockStore;
  readonly load: LoadMeter;
  /** Of CHUNK_BYTES each: what is read lies there until it has left. */
  readonly memory: PieceMemory;
  readonly eras: WriteEras;
  readonly indexer: BlockIndexer;
  readonly pace: BackgroundPace;
  readonly logger: Logger;
}

interface PushOptions {
  readonly era: number;
  readonly background: boolean;
  readonly signal: AbortSignal;
}

export class Replicator {
  readonly #components: ReplicatorComponents;

  constructor(components: ReplicatorComponents) {
    this.#components = components;
  }

  /** Resolves when the target holds and has announced the block. Errors: DATANODE_BUSY, DATANODE_REPLICATION_FAILED. */
  async replicate(request: ReplicateRequest, signal: AbortSignal): Promise<ReplicateResponse> {
    const { target } = request;
    if (target === undefined || request.hash.byteLength !== HASH_SIZE_BYTES)
      throw badHeader('a block and a target are needed');
    const hash = toHex(request.hash);
    let outcome: CopyOutcome | undefined;
    try {
      outcome = await this.#components.load.during('replications', () =>
        this.#inTurn(request, target, signal),
      );
    } catch (error) {
      await this.#noteBadCopy(hash, error);
      throw replicationFailed(hash, target.node, error);
    }
    // What left here passed its checksums, and is not what its name says: it would be sent again and again.
    if (outcome?.code === 'STORAGE_HASH_MISMATCH') await checkCopy(this.#components, hash);
    if (outcome?.ok !== true || !outcome.announced)
      throw replicationFailed(hash, target.node, new Error(outcome?.message || 'the copy was not announced'));
    return { node: target.node };
  }

  #inTurn(
    { hash, era = 0, background = false }: ReplicateRequest,
    target: Holder,
    signal: AbortSignal,
  ): Promise<CopyOutcome | undefined> {
    const push = (): Promise<CopyOutcome | undefined> =>
      this.#push(toHex(hash), target, { era, background, signal });
    const { load, pace } = this.#components;
    return background ? pace.inTurn(signal, push) : load.forClient(push);
  }

  /** Whoever sent us here believes in a copy that is not: it would be sent again and again. */
  async #noteBadCopy(hash: string, error: unknown): Promise<void> {
    const { blocks, indexer } = this.#components;
    if (isHoldfastError(error, 'STORAGE_NO_BLOCK') && !blocks.has(hash)) indexer.withdraw(hash);
    if (isHoldfastError(error, 'STORAGE_CORRUPT_BLOCK')) await checkCopy(this.#components, hash);
  }

  async #push(
    hash: string,
    target: Holder,
    { era, background, signal }: PushOptions,
  ): Promise<CopyOutcome | undefined> {
    const { blocks, pace, eras, memory } = this.#components;
    const sizeBytes = blocks.info(hash)?.sizeBytes ?? 0;
    const [first, ...further] = (await blocks.origins(hash)).map(noteFrom);
    const header = {
      ...(first as BlockNote),
      also: further,
      hash: Buffer.from(hash, 'hex'),
      sizeBytes,
      chain: [],
      // Whoever writes the block counts on both copies.
      era: Math.max(era, eras.noted(hash)),
      background,
    };
    const push = new BlockPush(this.#components, { target, header, signal });
    try {
      for await (const chunk of blocks.read(hash, undefined, memory)) {
        if (background) await pace.pass(chunk.byteLength, signal);
        await push.write(chunk, () => memory.takeBack(chunk));
      }
      return (await push.finish())[0];
    } catch (error) {
      push.abort(error as Error);
      throw error;
    }
  }
}
