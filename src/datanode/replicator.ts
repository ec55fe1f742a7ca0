/** @module Copies a block held here to another datanode, on request. */
import { toHex } from '../common/bytes.ts';
import { HASH_SIZE_BYTES } from '../common/hashing.ts';
import { BlockPush, type BlockPushComponents } from '../protocol/block-push.ts';
import type { CopyOutcome, ReplicateRequest, ReplicateResponse } from '../protocol/messages.ts';
import type { BlockStore } from '../storage/block-store.ts';
import { badHeader, replicationFailed } from './errors.ts';
import type { LoadMeter } from './load-meter.ts';
import type { WriteEras } from './write-eras.ts';

export interface ReplicatorComponents extends BlockPushComponents {
  readonly blocks: BlockStore;
  readonly load: LoadMeter;
  readonly eras: WriteEras;
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
        this.#push(hash, target, request.era ?? 0, signal),
      );
    } catch (error) {
      throw replicationFailed(hash, target.node, error);
    }
    if (outcome?.ok !== true || !outcome.announced)
      throw replicationFailed(hash, target.node, new Error(outcome?.message || 'the copy was not announced'));
    return { node: target.node };
  }

  async #push(
    hash: string,
    target: NonNullable<ReplicateRequest['target']>,
    era: number,
    signal: AbortSignal,
  ): Promise<CopyOutcome | undefined> {
    const { blocks, eras } = this.#components;
    const sizeBytes = blocks.info(hash)?.sizeBytes ?? 0;
    const header = {
      ...(await blocks.origin(hash)),
      hash: Buffer.from(hash, 'hex'),
      sizeBytes,
      chain: [],
      // Whoever writes the block counts on both copies.
      era: Math.max(era, eras.noted(hash)),
    };
    const push = new BlockPush(this.#components, { target, header, signal });
    try {
      for await (const chunk of blocks.read(hash)) await push.write(chunk);
      return (await push.finish())[0];
    } catch (error) {
      push.abort(error as Error);
      throw error;
    }
  }
}
