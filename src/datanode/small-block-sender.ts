/** @module The sending end of `block.read-many`: small blocks, each whole and verified, or the reason why not. */
import { toHex } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import { isHoldfastError } from '../common/errors.ts';
import { type BlockHash, HASH_SIZE_BYTES } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import type { Network } from '../network/network.ts';
import { MAX_BLOCKS_TOGETHER } from '../protocol/blocks-push.ts';
import type { BlockVerdict, ReadBlocksRequest, ReadBlocksResponse } from '../protocol/messages.ts';
import { READ_BLOCKS } from '../protocol/methods.ts';
import { judgeAll, NO_ERROR, type WireVerdict } from '../protocol/verdict.ts';
import { MAX_PACKED_BYTES } from '../storage/block-shelf.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { BlockIndexer } from './block-indexer.ts';
import { checkCopy } from './copy-check.ts';
import { badHeader } from './errors.ts';
import type { LoadMeter } from './load-meter.ts';

export interface SmallBlockSenderComponents {
  readonly network: Network;
  readonly blocks: BlockStore;
  readonly indexer: BlockIndexer;
  readonly load: LoadMeter;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of one answer, in bytes: what all of its blocks may have, were they as large as small ones get, and room for the rest. */
const MAX_ANSWER_BYTES: number = 7 * 1024 * 1024;

export class SmallBlockSender {
  readonly #components: SmallBlockSenderComponents;

  constructor(components: SmallBlockSenderComponents) {
    this.#components = components;
  }

  /** Errors: DATANODE_BUSY, DATANODE_BAD_HEADER. Of single blocks: DATANODE_BAD_HEADER when it is none to be read this way, STORAGE_*. */
  send({ hashes }: ReadBlocksRequest): Promise<ReadBlocksResponse> {
    const { load, blocks } = this.#components;
    return load.during('reads', () =>
      load.forClient(async () => {
        if (hashes.length > MAX_BLOCKS_TOGETHER)
          throw badHeader(`at most ${MAX_BLOCKS_TOGETHER} blocks are read together`);
        const names = hashes.map(blockName);
        const sizeBytes = names.reduce((sum, hash) => sum + (blocks.info(hash)?.sizeBytes ?? 0), 0);
        if (sizeBytes > MAX_ANSWER_BYTES) throw badHeader(`${sizeBytes} bytes are too many for one answer`);
        const refuse = ({ error }: WireVerdict): BlockVerdict => ({ data: NO_ERROR, error });
        const work = async (hash: BlockHash): Promise<BlockVerdict> => ({
          data: await this.#read(hash),
          error: NO_ERROR,
        });
        return { verdicts: await judgeAll(this.#components, READ_BLOCKS.name, names, work, refuse) };
      }),
    );
  }

  async #read(hash: BlockHash): Promise<Uint8Array> {
    const { blocks } = this.#components;
    const { sizeBytes = 0 } = blocks.info(hash) ?? {};
    if (sizeBytes > MAX_PACKED_BYTES)
      throw badHeader(`a small block has 1 to ${MAX_PACKED_BYTES} bytes, not ${sizeBytes}`);
    try {
      const pieces: Uint8Array[] = [];
      for await (const piece of blocks.read(hash)) pieces.push(piece);
      const [only] = pieces;
      return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
    } catch (error) {
      if (isHoldfastError(error, 'STORAGE_CORRUPT_BLOCK')) await checkCopy(this.#components, hash);
      throw error;
    }
  }
}

function blockName(hash: Uint8Array): BlockHash {
  if (hash.byteLength !== HASH_SIZE_BYTES) throw badHeader(`a hash has ${hash.byteLength} bytes`);
  return toHex(hash);
}
