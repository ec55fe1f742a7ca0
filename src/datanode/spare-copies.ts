/** @module Whether other datanodes have good copies of a block: asked of themselves, since the index may be out of date. */
import { fromHex } from '../common/bytes.ts';
import { describeError } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import { call } from '../network/method.ts';
import type { Holder } from '../protocol/messages.ts';
import { COPIES, LOCATE } from '../protocol/methods.ts';
import { askMetadata, type MetadataQuestionComponents } from './metadata-question.ts';

export interface SpareCopiesOptions {
  /** This datanode, which does not count. */
  readonly number: number;
}

const COPIES_TIMEOUT_MS = 5_000;

export class SpareCopies {
  readonly #components: MetadataQuestionComponents;
  readonly #number: number;

  constructor(components: MetadataQuestionComponents, options: SpareCopiesOptions) {
    this.#components = components;
    this.#number = options.number;
  }

  /**
   * True when at least `wanted` other datanodes say that they have a copy in service. Of two datanodes that have both
   * taken theirs out of service before they ask, each hears that the other has none: never do both delete.
   * Errors: DATANODE_NO_METADATA.
   */
  async areEnough(hash: BlockHash, wanted: number, signal: AbortSignal): Promise<boolean> {
    const { holders } = await askMetadata(this.#components, LOCATE, { hashes: [fromHex(hash)] }, signal);
    const others = holders.filter(({ node }) => node !== this.#number);
    if (others.length < wanted) return false;
    const answers = await Promise.all(others.map((holder) => this.#has(holder, hash, signal)));
    return answers.filter(Boolean).length >= wanted;
  }

  /** A datanode that does not answer counts as having none. */
  async #has({ peer, addresses }: Holder, hash: BlockHash, signal: AbortSignal): Promise<boolean> {
    const { network, logger } = this.#components;
    if (!network.isConnected(peer)) network.learn(peer, addresses);
    const request = { hashes: [fromHex(hash)], verify: false };
    try {
      const answer = await call(network, peer, COPIES, request, { signal, timeoutMs: COPIES_TIMEOUT_MS });
      return answer.copies[0]?.state === 'good';
    } catch (error) {
      signal.throwIfAborted();
      logger.debug('datanode.copy-not-confirmed', { peer, hash, error: describeError(error) });
      return false;
    }
  }
}
