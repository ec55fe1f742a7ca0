/** @module The receiving end of `block.write-many`: small blocks kept with one fsync and one announcement, and passed on. */
import { toHex } from '../common/bytes.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { type BlockHash, HASH_SIZE_BYTES } from '../common/hashing.ts';
import type { Network } from '../network/network.ts';
import { MAX_BLOCKS_TOGETHER, spreadBlocks } from '../protocol/blocks-push.ts';
import type {
  BlockFailure,
  NodeOutcome,
  WholeBlock,
  WriteBlocksRequest,
  WriteBlocksResponse,
} from '../protocol/messages.ts';
import { MAX_PACKED_BYTES } from '../storage/block-shelf.ts';
import type { WholeNewBlock } from '../storage/block-store.ts';
import { originFrom } from './block-origins.ts';
import { badHeader, notAnnounced } from './errors.ts';
import type { LoadMeter } from './load-meter.ts';
import { LocalCopy, type LocalCopyComponents } from './local-copy.ts';
import type { WriteEras } from './write-eras.ts';

export interface SmallBlockReceiverComponents extends LocalCopyComponents {
  readonly network: Network;
  readonly load: LoadMeter;
  readonly eras: WriteEras;
}

export interface SmallBlockReceiverOptions {
  readonly number: number;
}

/** More hops than anybody wants copies. */
const MAX_CHAIN_NODES = 32;

/** A block that came, and where it stands in the request. */
interface Arrived {
  readonly index: number;
  readonly block: WholeNewBlock;
}

export class SmallBlockReceiver {
  readonly #components: SmallBlockReceiverComponents;
  readonly #node: number;

  constructor(components: SmallBlockReceiverComponents, options: SmallBlockReceiverOptions) {
    this.#components = components;
    this.#node = options.number;
  }

  /**
   * Answers with an outcome for this node and for each after it; neither's failure is the other's, nor one block's
   * another's. When the sender gives up, what is kept is kept without a reference, and collected in time.
   * Errors: DATANODE_BUSY, DATANODE_BAD_HEADER.
   */
  receive(request: WriteBlocksRequest, signal: AbortSignal): Promise<WriteBlocksResponse> {
    const { load } = this.#components;
    return load.during('writes', () =>
      load.forClient(async () => {
        const { chain, era = 0 } = request;
        const arrived = this.#checked(request);
        // First of all: from here on copies that are here already are not collected.
        for (const { block } of arrived) this.#components.eras.note(block.hash, era);
        const onward = { blocks: request.blocks, chain, era, signal };
        const [own, rest] = await Promise.all([
          this.#keep(arrived),
          spreadBlocks(this.#components.network, onward),
        ]);
        return { nodes: [own, ...rest] };
      }),
    );
  }

  /** Never rejects. */
  async #keep(arrived: readonly Arrived[]): Promise<NodeOutcome> {
    const { blocks } = this.#components;
    const fresh = arrived.filter(({ block }) => !blocks.has(block.hash));
    const failures = await Promise.all([
      this.#keepFresh(fresh),
      ...arrived.filter((each) => !fresh.includes(each)).map((each) => this.#compare(each)),
    ]);
    return { node: this.#node, code: '', message: '', failures: failures.flat() };
  }

  async #keepFresh(fresh: readonly Arrived[]): Promise<readonly BlockFailure[]> {
    if (fresh.length === 0) return [];
    const { blocks, indexer } = this.#components;
    const verdicts = await blocks.storeAll(fresh.map(({ block }) => block));
    const stored: Arrived[] = [];
    const failures: BlockFailure[] = [];
    fresh.forEach((each, position) => {
      const verdict = verdicts[position];
      if (verdict?.status === 'fulfilled') stored.push(each);
      else failures.push(this.#failure(each, verdict?.reason));
    });
    if (stored.length === 0 || (await indexer.announce(...stored.map(({ block }) => block.hash))))
      return failures;
    return [...failures, ...stored.map((each) => failureOf(each, notAnnounced(each.block.hash)))];
  }

  /** A block that is here already: worth an acknowledgement only if it can be read. */
  async #compare({ index, block }: Arrived): Promise<readonly BlockFailure[]> {
    const copy = new LocalCopy(this.#components, this.#node, block);
    await copy.write(block.data);
    const { ok, announced, code, message } = await copy.finish();
    if (!ok) return [{ index, code, message }];
    return announced ? [] : [failureOf({ index, block }, notAnnounced(block.hash))];
  }

  #failure(each: Arrived, error: unknown): BlockFailure {
    const { logger } = this.#components;
    logger.warn('datanode.copy-failed', { hash: each.block.hash, error: describeError(error) });
    return failureOf(each, error);
  }

  #checked({ blocks, chain }: WriteBlocksRequest): readonly Arrived[] {
    if (blocks.length > MAX_BLOCKS_TOGETHER)
      throw badHeader(`at most ${MAX_BLOCKS_TOGETHER} blocks travel together`);
    if (chain.length > MAX_CHAIN_NODES) throw badHeader(`the chain has ${chain.length} more nodes`);
    if (chain.some(({ node }) => node === this.#node)) throw badHeader('the chain comes back to this node');
    return blocks.map((block, index) => ({ index, block: checkedBlock(block) }));
  }
}

function checkedBlock({ hash, data, note }: WholeBlock): WholeNewBlock {
  if (hash.byteLength !== HASH_SIZE_BYTES) throw badHeader(`a hash has ${hash.byteLength} bytes`);
  const sizeBytes = data.byteLength;
  if (sizeBytes < 1 || sizeBytes > MAX_PACKED_BYTES)
    throw badHeader(`a small block has 1 to ${MAX_PACKED_BYTES} bytes, not ${sizeBytes}`);
  if (note === undefined) throw badHeader('a block does not say what it is part of');
  const name: BlockHash = toHex(hash);
  return { hash: name, sizeBytes, origin: originFrom(note), data };
}

function failureOf({ index }: Arrived, error: unknown): BlockFailure {
  const code = isHoldfastError(error) ? error.code : 'STORAGE_FAILED';
  return { index, code, message: describeError(error) };
}
