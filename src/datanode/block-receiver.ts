/** @module The receiving end of `block.write`: keeps a copy and passes the bytes on while they come. */
import { onceLeftBy, toHex } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import { HASH_SIZE_BYTES } from '../common/hashing.ts';
import { MAX_BLOCK_SIZE_BYTES } from '../namespace/limits.ts';
import { giveBackBody } from '../network/frame.ts';
import type { IncomingChannel, Network } from '../network/network.ts';
import { BlockWriteHeader, BlockWriteResponse } from '../protocol/messages.ts';
import type { BackgroundPace } from './background-pace.ts';
import { ChainTail } from './chain-tail.ts';
import { badHeader, tooManyBytes } from './errors.ts';
import { MAX_FURTHER_ORIGINS } from '../storage/block-store.ts';
import { originFrom } from './block-origins.ts';
import type { LoadMeter } from './load-meter.ts';
import { LocalCopy, type LocalCopyComponents } from './local-copy.ts';
import type { WriteEras } from './write-eras.ts';

export interface BlockReceiverComponents extends LocalCopyComponents {
  readonly network: Network;
  readonly load: LoadMeter;
  readonly eras: WriteEras;
  readonly clock: Clock;
  readonly pace: BackgroundPace;
}

export interface BlockReceiverOptions {
  readonly number: number;
}

/** More hops than anybody wants copies. */
const MAX_CHAIN_NODES = 32;

export class BlockReceiver {
  readonly #components: BlockReceiverComponents;
  readonly #node: number;

  constructor(components: BlockReceiverComponents, options: BlockReceiverOptions) {
    this.#components = components;
    this.#node = options.number;
  }

  /**
   * Memory per write: one chunk beyond the channel's credit. The answer names an outcome for this node and for each after
   * it; neither's failure is the other's. When the sender gives up, nothing is kept anywhere along the chain.
   * Errors, through the channel: DATANODE_BUSY, DATANODE_BAD_HEADER, DATANODE_TOO_MANY_BYTES.
   */
  receive(channel: IncomingChannel): Promise<void> {
    const { load } = this.#components;
    return load.during('writes', async () => {
      const header = checkHeader(BlockWriteHeader.decode(channel.header), this.#node);
      const receiving = (): Promise<void> => this.#receive(channel, header);
      return header.background === true ? receiving() : load.forClient(receiving);
    });
  }

  async #receive(channel: IncomingChannel, header: BlockWriteHeader): Promise<void> {
    const { sizeBytes } = header;
    const block = { hash: toHex(header.hash), sizeBytes, origin: originFrom(header) };
    const tail = new ChainTail(this.#components, header);
    // First of all: from here on a copy that is here already is not collected.
    this.#components.eras.note(block.hash, header.era ?? 0);
    const local = new LocalCopy(this.#components, this.#node, block, header.also.map(originFrom));
    try {
      let receivedBytes = 0;
      for await (const chunk of channel) {
        const chunkBytes = chunk.byteLength;
        receivedBytes += chunkBytes;
        if (receivedBytes > sizeBytes) throw tooManyBytes(block.hash, sizeBytes);
        const left = onceLeftBy(2, () => giveBackBody(chunk));
        await Promise.all([tail.write(chunk, left), local.write(chunk, left)]);
        if (header.background === true) await this.#components.pace.pass(chunkBytes, channel.signal);
      }
    } catch (error) {
      tail.abort(error as Error);
      await local.abort();
      throw error;
    }
    const [copies, own] = await Promise.all([tail.finish(), local.finish()]);
    await channel.write(BlockWriteResponse.encode({ copies: [own, ...copies] }).finish());
    await channel.end();
  }
}

function checkHeader(header: BlockWriteHeader, node: number): BlockWriteHeader {
  if (header.hash.byteLength !== HASH_SIZE_BYTES)
    throw badHeader(`the hash has ${header.hash.byteLength} bytes`);
  if (header.sizeBytes < 1 || header.sizeBytes > MAX_BLOCK_SIZE_BYTES)
    throw badHeader(`a block has 1 to ${MAX_BLOCK_SIZE_BYTES} bytes, not ${header.sizeBytes}`);
  if (header.chain.length > MAX_CHAIN_NODES)
    throw badHeader(`the chain has ${header.chain.length} more nodes`);
  if (header.also.length > MAX_FURTHER_ORIGINS)
    throw badHeader(`a block has at most ${MAX_FURTHER_ORIGINS} further places`);
  if (header.chain.some((next) => next.node === node)) throw badHeader('the chain comes back to this node');
  return header;
}
