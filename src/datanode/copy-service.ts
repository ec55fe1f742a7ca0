/** @module What others ask of the copies held here: what state they are in, to keep them longer, to drop one too many. */
import { toHex } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import { HASH_SIZE_BYTES, type BlockHash } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import { type CallContext, serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type {
  CollectionReport,
  CopiesRequest,
  CopyState,
  DropSurplusRequest,
  RetainRequest,
} from '../protocol/messages.ts';
import { COLLECTION_REPORT, COPIES, DROP_SURPLUS, RETAIN } from '../protocol/methods.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { BlockIndexer } from './block-indexer.ts';
import { checkCopy } from './copy-check.ts';
import { badHeader, onlyMetadata, tooManyHashes } from './errors.ts';
import type { GarbageCollector } from './garbage-collector.ts';
import type { LoadMeter } from './load-meter.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { ReferenceReader } from './references.ts';
import type { Scrubber } from './scrubber.ts';
import type { SpareCopies } from './spare-copies.ts';
import type { WriteEras } from './write-eras.ts';

export interface CopyServiceComponents {
  readonly network: Network;
  readonly members: Pick<MemberDirectory, 'byPeer'>;
  readonly blocks: BlockStore;
  readonly indexer: BlockIndexer;
  readonly eras: WriteEras;
  readonly references: ReferenceReader;
  readonly spares: SpareCopies;
  readonly collector: GarbageCollector;
  readonly scrubber: Pick<Scrubber, 'verifiedMs'>;
  readonly load: LoadMeter;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface CopyServiceOptions {
  readonly number: number;
}

const MAX_HASHES = 1_024;
/** Each is read whole. */
const MAX_VERIFIED_HASHES = 64;

export class CopyService {
  readonly #components: CopyServiceComponents;
  readonly #number: number;

  constructor(components: CopyServiceComponents, options: CopyServiceOptions) {
    this.#components = components;
    this.#number = options.number;
  }

  /** Errors: DATANODE_TOO_MANY_HASHES, DATANODE_BAD_HEADER, DATANODE_NOT_ALLOWED, DATANODE_NO_METADATA, STORAGE_*. */
  start(): void {
    const { network } = this.#components;
    serve(network, COPIES, async (request) => ({ copies: await this.#copies(request) }));
    serve(network, RETAIN, async (request) => ({ retained: await this.#retain(request) }));
    serve(network, DROP_SURPLUS, async (request, context) => ({
      dropped: await this.#dropSurplus(request, context),
    }));
    serve(network, COLLECTION_REPORT, ({ preview }, { signal }) => this.#report(preview, signal));
  }

  async #copies({ hashes, verify }: CopiesRequest): Promise<CopyState[]> {
    const named = hexHashes(hashes, verify ? MAX_VERIFIED_HASHES : MAX_HASHES);
    if (verify) for (const hash of named) await this.#verify(hash);
    return named.map((hash) => this.#state(hash));
  }

  /** Somebody thinks that it is here: if not, the index is told so. */
  async #verify(hash: BlockHash): Promise<void> {
    const { blocks, indexer, load } = this.#components;
    if (blocks.has(hash)) await load.during('reads', () => checkCopy(this.#components, hash));
    else indexer.withdraw(hash);
  }

  #state(hash: BlockHash): CopyState {
    const { blocks, scrubber } = this.#components;
    const info = blocks.info(hash);
    if (info !== undefined)
      return { state: 'good', sizeBytes: info.sizeBytes, sinceMs: 0, verifiedMs: scrubber.verifiedMs(hash) };
    const aside = blocks.quarantineOf(hash);
    if (aside === undefined) return { state: 'absent', sizeBytes: 0, sinceMs: 0, verifiedMs: 0 };
    return { state: aside.reason, sizeBytes: aside.sizeBytes, sinceMs: aside.sinceMs, verifiedMs: 0 };
  }

  /** Noted before it is looked whether they are there: from then on they are not collected. */
  async #retain({ hashes, era }: RetainRequest): Promise<boolean[]> {
    const { blocks, eras, indexer } = this.#components;
    const retained: boolean[] = [];
    for (const hash of hexHashes(hashes, MAX_HASHES)) {
      eras.note(hash, era);
      const isBack = !blocks.has(hash) && (await blocks.release(hash));
      if (isBack) await indexer.announce(hash);
      retained.push(blocks.has(hash));
    }
    return retained;
  }

  async #dropSurplus({ hashes }: DropSurplusRequest, { peer, signal }: CallContext): Promise<boolean[]> {
    this.#checkMetadata(peer, 'have copies dropped');
    const named = hexHashes(hashes, MAX_HASHES);
    const references = await this.#components.references.read(named, signal);
    const { era } = references.collection;
    const dropped: boolean[] = [];
    for (const [position, hash] of named.entries()) {
      const wanted = references.copies[position] ?? 0;
      dropped.push(wanted > 0 && (await this.#drop(hash, { wanted, era, index: references.index }, signal)));
    }
    return dropped;
  }

  /** Asked before: a copy that is needed is not missed for a moment. Asked after: two that drop theirs at once both take it back. */
  async #drop(
    hash: BlockHash,
    { wanted, era, index }: { readonly wanted: number; readonly era: number; readonly index: number },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { blocks, spares, indexer, clock, logger } = this.#components;
    if (!blocks.has(hash) || !(await spares.areEnough(hash, wanted, signal)) || !blocks.has(hash))
      return false;
    await blocks.quarantine(hash, { reason: 'surplus', era, index, sinceMs: clock.wallMs() });
    indexer.withdraw(hash);
    let areEnough = false;
    try {
      areEnough = await spares.areEnough(hash, wanted, signal);
      return areEnough;
    } finally {
      if (!areEnough && (await blocks.release(hash))) await indexer.announce(hash);
      logger.info('datanode.surplus', { hash, dropped: areEnough });
    }
  }

  async #report(preview: boolean, signal: AbortSignal): Promise<CollectionReport> {
    const { blocks, collector } = this.#components;
    const survey = preview ? await collector.preview(signal) : undefined;
    const { quarantinedBytes, quarantinedCount } = await blocks.usage();
    return {
      ...collector.report(),
      ...(survey && {
        collectableBlocks: survey.collectable.blocks,
        collectableBytes: survey.collectable.bytes,
        youngBlocks: survey.young.blocks,
        youngBytes: survey.young.bytes,
      }),
      node: this.#number,
      quarantinedBlocks: quarantinedCount,
      quarantinedBytes,
      oldestMs: oldestOf(blocks),
    };
  }

  #checkMetadata(peer: PeerId, what: string): void {
    const member = this.#components.members.byPeer(peer);
    if (member?.roles.includes('meta') !== true) throw onlyMetadata(what, peer);
  }
}

function oldestOf(blocks: BlockStore): number {
  let oldestMs = 0;
  for (let after: BlockHash | undefined; ; ) {
    const page = blocks.quarantined(after, MAX_HASHES);
    for (const { sinceMs } of page) if (oldestMs === 0 || sinceMs < oldestMs) oldestMs = sinceMs;
    if (page.length < MAX_HASHES) return oldestMs;
    after = page.at(-1)?.hash;
  }
}

function hexHashes(hashes: readonly Uint8Array[], limit: number): BlockHash[] {
  if (hashes.length > limit) throw tooManyHashes(hashes.length, limit);
  const odd = hashes.find((hash) => hash.byteLength !== HASH_SIZE_BYTES);
  if (odd !== undefined) throw badHeader(`a hash has ${odd.byteLength} bytes`);
  return hashes.map(toHex);
}
