/** @module This datanode's blocks in the location index: every change announced, and a digest of everything with each heartbeat. */
import { Announcer } from '../../dht/announcer.ts';
import type { LaneRoot } from '../../dht/holder-lane.ts';
import type { HeldBlocks, MetadataRing } from '../../dht/ports.ts';
import type { Clock } from '../common/clock.ts';
import { withDeadline } from '../common/deadline.ts';
import { describeError } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import type { Network, PeerId } from '../network/network.ts';
import { locationRpc } from '../protocol/location-rpc.ts';
import { announcedLate } from './errors.ts';

/** The ring of metadata nodes, and word of its changes: dht/kademlia.ts. */
export interface ChangingRing extends MetadataRing {
  /** Calls `listener` after each change until the returned function is called. */
  onChange(listener: () => void): () => void;
}

export interface BlockIndexerComponents {
  readonly network: Network;
  readonly blocks: HeldBlocks;
  readonly kademlia: ChangingRing;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface BlockIndexerOptions {
  readonly number: number;
  readonly generation: number;
}

/** A writer waits no longer for the index, in milliseconds; the announcement itself goes on. */
const ANNOUNCE_PATIENCE_MS = 5_000;

export class BlockIndexer {
  readonly #announcer: Announcer;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #unsubscribe: () => void;

  constructor(components: BlockIndexerComponents, { number: node, generation }: BlockIndexerOptions) {
    const { network, blocks, kademlia: ring, clock, logger } = components;
    this.#clock = clock;
    this.#logger = logger;
    const parts = { rpc: locationRpc(network), ring, held: blocks, clock, logger };
    this.#announcer = new Announcer(parts, { node, generation });
    this.#unsubscribe = ring.onChange(() => this.#announcer.holdersChanged());
  }

  /** True when enough holders took the records of all `hashes` in time. When false they go on being announced. Never throws. */
  async announce(...hashes: readonly BlockHash[]): Promise<boolean> {
    const [hash = ''] = hashes;
    try {
      const taken = this.#announcer.announce(hashes);
      await withDeadline(this.#clock, ANNOUNCE_PATIENCE_MS, taken, () =>
        announcedLate(hash, ANNOUNCE_PATIENCE_MS),
      );
      return true;
    } catch (error) {
      this.#logger.warn('datanode.not-announced', {
        hash,
        blocks: hashes.length,
        error: describeError(error),
      });
      return false;
    }
  }

  /** For a copy that is no longer served. Returns at once; holders are told until they have heard it. */
  withdraw(hash: BlockHash): void {
    this.#announcer
      .withdraw([hash])
      .catch((error: unknown) =>
        this.#logger.warn('datanode.not-withdrawn', { hash, error: describeError(error) }),
      );
  }

  /** What a heartbeat to `peer` says of the blocks held; undefined while something is under way to it. */
  heldRoot(peer: PeerId): LaneRoot | undefined {
    return this.#announcer.heldRoot(peer);
  }

  /** A metadata node said which life of its index this is, and whether it knows something else than is held here. */
  onAnswer(peer: PeerId, answer: { readonly boot: string; readonly differs: boolean }): void {
    this.#announcer.onAnswer(peer, answer);
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#announcer.stop();
  }
}
