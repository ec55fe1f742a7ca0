/** @module Which blocks files refer to, as a linearizable read of the namespace says: the fence of every deletion. */
import { fromHex } from '../common/bytes.ts';
import { assert } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { Collection } from '../namespace/schema.ts';
import { REFERENCES } from '../protocol/methods.ts';
import { staleAnswer } from './errors.ts';
import type { MemberDirectory } from './member-directory.ts';
import { askMetadata, type MetadataQuestionComponents } from './metadata-question.ts';

/** True at `index` of the log of `epoch`. */
export interface References {
  /** Copies wanted of each block asked about, in that order; 0 when no file refers to it. */
  readonly copies: readonly number[];
  readonly index: number;
  readonly epoch: number;
  readonly collection: Collection;
  /** What the metadata node asks to wait before the next question of a round, in milliseconds. */
  readonly pauseMs: number;
}

export interface ReferenceReader {
  /** Errors: DATANODE_NO_METADATA, DATANODE_STALE_ANSWER. */
  read(hashes: readonly BlockHash[], signal: AbortSignal): Promise<References>;
}

export interface NamespaceReferencesComponents extends MetadataQuestionComponents {
  readonly members: Pick<MemberDirectory, 'metadataPeers' | 'epoch'>;
}

export class NamespaceReferences implements ReferenceReader {
  readonly #components: NamespaceReferencesComponents;
  /** Of the newest answer so far. */
  #epoch = 0;
  #index = 0;

  constructor(components: NamespaceReferencesComponents) {
    this.#components = components;
  }

  async read(hashes: readonly BlockHash[], signal: AbortSignal): Promise<References> {
    const askedAt = { epoch: Math.max(this.#epoch, this.#components.members.epoch), index: this.#index };
    const request = { hashes: hashes.map(fromHex) };
    const answer = await askMetadata(this.#components, REFERENCES, request, signal);
    const { copies, index, epoch, collection, pauseMs = 0 } = answer;
    // Whoever was left behind by a recovered cluster may still answer; and no read is older than one that ended before it.
    if (epoch < askedAt.epoch || (epoch === askedAt.epoch && epoch === this.#epoch && index < askedAt.index))
      throw staleAnswer(epoch, index, askedAt);
    assert(copies.length === hashes.length && collection !== undefined, 'the answer is about what was asked');
    this.#epoch = epoch;
    this.#index = index;
    return { copies, index, epoch, collection, pauseMs };
  }
}
