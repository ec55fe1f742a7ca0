/** @module Where blocks are and where new ones shall go. */
import type { Locator } from '../../dht/locator.ts';
import { fromHex, toHex } from '../common/bytes.ts';
import { describeError } from '../common/errors.ts';
import { type BlockHash, HASH_SIZE_BYTES } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { FileBlocks } from '../namespace/reads.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { type CallContext, call, serve } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type {
  LocatedBlock,
  PlaceRequest,
  PlaceResponse,
  ReadPlanRequest,
  ReadPlanResponse,
  ReadPlansResponse,
  ReadPlanVerdict,
  ReportBadBlockRequest,
} from '../protocol/messages.ts';
import { COPIES, LOCATE, PLACE, READ_PLAN, READ_PLANS, REPORT_BAD_BLOCK } from '../protocol/methods.ts';
import { judgeAll, NO_ERROR, type WireVerdict } from '../protocol/verdict.ts';
import type { BadCopies } from './bad-copies.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import type { DatanodeStates } from './datanode-states.ts';
import { EarlyReads } from './early-reads.ts';
import { badRequest, fromDht, notSurveyed } from './errors.ts';
import { holdersOf } from './holders.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';
import type { PlacementPolicy } from './placement.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface BlockServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
  readonly barrier: ReadBarrier;
  readonly locator: Locator;
  readonly badCopies: BadCopies;
  readonly placement: PlacementPolicy;
  readonly random: Random;
  readonly logger: Logger;
}

/** Blocks in one answer, at most. */
const MAX_PLAN_BLOCKS = 512;
/** Files in one answer, at most; all their blocks are no more than MAX_LOCATE_HASHES, but one a file. */
const MAX_PLANS = 512;
const MAX_LOCATE_HASHES = 1_024;
const MAX_PLACE_BLOCKS = 256;
/** For a datanode to read a copy whole. */
const VERIFY_TIMEOUT_MS = 60_000;
/** Copies of one block, at most. */
export const MAX_COPIES = 32;

export class BlockService {
  readonly #components: BlockServiceComponents;
  readonly #early: EarlyReads;

  constructor(components: BlockServiceComponents) {
    this.#components = components;
    this.#early = new EarlyReads(components);
  }

  start(): void {
    const { network } = this.#components;
    serve(network, READ_PLAN, (request, { signal }) => this.#readPlan(request, signal));
    serve(network, READ_PLANS, ({ requests }, { signal }) => this.#readPlans(requests, signal));
    serve(network, PLACE, async (request) => this.#place(request));
    serve(network, LOCATE, async ({ hashes }, { signal }) => {
      if (hashes.length > MAX_LOCATE_HASHES)
        throw badRequest(`at most ${MAX_LOCATE_HASHES} blocks may be located at once`);
      const blocks = await this.#locate(
        hashes.map((hash) => ({ hash, sizeBytes: 0 })),
        signal,
      );
      return { blocks, holders: this.#holders(blocks) };
    });
    serve(network, REPORT_BAD_BLOCK, async (request, context) => {
      this.#reportBadBlock(request, context);
      return {};
    });
  }

  async #readPlan(request: ReadPlanRequest, signal: AbortSignal): Promise<ReadPlanResponse> {
    const plan = async (): Promise<ReadPlanResponse> => {
      const page = await this.#page(request, MAX_PLAN_BLOCKS);
      const blocks = await this.#locate(page.blocks, signal);
      return { stat: page.stat, firstBlock: request.firstBlock, blocks, holders: this.#holders(blocks) };
    };
    return request.stale ? plan() : this.#early.read(plan, signal);
  }

  async #readPlans(requests: readonly ReadPlanRequest[], signal: AbortSignal): Promise<ReadPlansResponse> {
    if (requests.length > MAX_PLANS) throw badRequest(`at most ${MAX_PLANS} files are planned together`);
    const plans = (): Promise<ReadPlansResponse> => this.#plans(requests, signal);
    return requests.every(({ stale }) => stale) ? plans() : this.#early.read(plans, signal);
  }

  /** Files side by side; their blocks are looked up together, unless that fails for one of them. */
  async #plans(requests: readonly ReadPlanRequest[], signal: AbortSignal): Promise<ReadPlansResponse> {
    const mostBlocks = Math.max(1, Math.floor(MAX_LOCATE_HASHES / requests.length));
    const pages = await Promise.allSettled(requests.map((request) => this.#page(request, mostBlocks)));
    const all = pages.flatMap((page) => (page.status === 'fulfilled' ? page.value.blocks : []));
    const together = await this.#locate(all, signal).catch(() => undefined);
    let next = 0;
    const work = async (position: number): Promise<ReadPlanVerdict> => {
      const page = pages[position];
      if (page?.status !== 'fulfilled') throw page?.reason;
      const { stat, blocks: wanted } = page.value;
      const from = next;
      next += wanted.length;
      const blocks = together?.slice(from, next) ?? (await this.#locate(wanted, signal));
      const { firstBlock = 0 } = requests[position] ?? {};
      return { plan: { stat, firstBlock, blocks, holders: [] }, error: NO_ERROR };
    };
    const refuse = ({ error }: WireVerdict): ReadPlanVerdict => ({ plan: undefined, error });
    const positions = [...requests.keys()];
    const verdicts = await judgeAll(this.#components, READ_PLANS.name, positions, work, refuse);
    return { verdicts, holders: this.#holders(verdicts.flatMap(({ plan }) => plan?.blocks ?? [])) };
  }

  #page(request: ReadPlanRequest, mostBlocks: number): Promise<FileBlocks> {
    const limit = request.limit === 0 ? mostBlocks : Math.min(request.limit, mostBlocks);
    const { path, inode, version, firstBlock } = request;
    return this.#components.machine.fileBlocks(
      inode === 0 ? { path } : { inode, version },
      firstBlock,
      limit,
    );
  }

  #place(request: PlaceRequest): PlaceResponse {
    const { members, registry, states, placement, random } = this.#components;
    if (request.sizes.length > MAX_PLACE_BLOCKS || request.copies > MAX_COPIES)
      throw badRequest(`at most ${MAX_PLACE_BLOCKS} blocks of ${MAX_COPIES} copies may be placed at once`);
    const candidates = states.candidates();
    const placements = placement.place(candidates, request, random);
    if (placements.some((nodes) => nodes.length < request.copies)) {
      const awaited = members
        .withRole('data')
        .find(({ number }) => registry.isAwaited(number) && !request.exclude.includes(number));
      if (awaited !== undefined) throw notSurveyed(awaited.number);
    }
    placements.forEach((nodes, position) => {
      for (const node of nodes) registry.expect(node, request.sizes[position] ?? 0);
    });
    return {
      placements: placements.map((nodes) => ({ nodes: [...nodes] })),
      holders: holdersOf(this.#components, placements.flat()),
      usableNodes: candidates.length,
    };
  }

  async #locate(
    blocks: readonly { readonly hash: Uint8Array; readonly sizeBytes: number }[],
    signal: AbortSignal,
  ): Promise<LocatedBlock[]> {
    const { locator, badCopies } = this.#components;
    const hashes = blocks.map(({ hash }) => hexHash(hash));
    const nodes = await locator.lookup(hashes, signal).catch((error: unknown) => {
      throw fromDht(error);
    });
    return hashes.map((hash, position) => ({
      hash: fromHex(hash),
      sizeBytes: blocks[position]?.sizeBytes ?? 0,
      nodes: (nodes[position] ?? []).filter((node) => !badCopies.isBad(hash, node)),
    }));
  }

  #holders(blocks: readonly LocatedBlock[]): ReturnType<typeof holdersOf> {
    return holdersOf(
      this.#components,
      blocks.flatMap(({ nodes }) => nodes),
    );
  }

  #reportBadBlock(request: ReportBadBlockRequest, { peer }: CallContext): void {
    const { badCopies, logger, members } = this.#components;
    const hash = hexHash(request.hash);
    const isPassedOn = hasRole(members.activeByPeer(peer), 'meta');
    if (isPassedOn && request.found !== '') return this.#settle(hash, request);
    logger.warn('block.bad-copy', { hash, node: request.node, reason: request.reason, reporter: peer });
    badCopies.report(hash, request.node);
    if (isPassedOn) return;
    this.#tellOthers({ ...request, found: '' });
    this.#haveVerified(request);
  }

  #settle(hash: BlockHash, { node, found }: ReportBadBlockRequest): void {
    const { badCopies } = this.#components;
    if (found === 'good') badCopies.forgive(hash, node);
    else badCopies.withdrawn(hash, node);
  }

  /**
   * The datanode reads its copy whole: one that is bad leaves service and the index there, and is made anew from the others;
   * one that is gone leaves the index; one that is good is offered again, whatever a reader had. All metadata nodes are told.
   */
  #haveVerified(request: ReportBadBlockRequest): void {
    const { members, network, logger } = this.#components;
    const { hash, node } = request;
    const holder = members.byNumber(node);
    if (holder === undefined) return;
    const named = { hash: toHex(hash), node };
    call(
      network,
      holder.peer,
      COPIES,
      { hashes: [hash], verify: true },
      { timeoutMs: VERIFY_TIMEOUT_MS },
    ).then(
      ({ copies: [copy] }) => {
        const settled = { ...request, found: copy?.state ?? '' };
        logger.info('block.verified', { ...named, state: settled.found });
        if (settled.found === '') return;
        this.#settle(named.hash, settled);
        this.#tellOthers(settled);
      },
      (error: unknown) => logger.warn('block.not-verified', { ...named, error: describeError(error) }),
    );
  }

  /** Best effort: a metadata node that does not hear of it offers the copy, and the next reader reports it there. */
  #tellOthers(request: ReportBadBlockRequest): void {
    const { members, network, logger } = this.#components;
    for (const { peer } of members.withRole('meta')) {
      if (peer === network.localPeer) continue;
      call(network, peer, REPORT_BAD_BLOCK, request).catch((error: unknown) =>
        logger.debug('block.report-not-passed-on', { peer, error: describeError(error) }),
      );
    }
  }
}

function hexHash(hash: Uint8Array): BlockHash {
  if (hash.length !== HASH_SIZE_BYTES) throw badRequest(`a block hash has ${HASH_SIZE_BYTES} bytes`);
  return toHex(hash);
}
