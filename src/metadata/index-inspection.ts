/** @module The location index for people: every holder's figures, and one lookup step by step. */
import type { Locator } from '../../dht/locator.ts';
import type { LookupStep } from '../../dht/lookup-walk.ts';
import type {
  IndexLookupRequest,
  IndexLookupResponse,
  IndexNode,
  IndexOverviewRequest,
  IndexOverviewResponse,
} from '../../dht/messages.ts';
import type { MetadataRing } from '../../dht/ports.ts';
import { HOLDERS_PER_SHARD, SHARD_COUNT, shardOfHash } from '../../dht/shard.ts';
import { toHex } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import { HASH_SIZE_BYTES } from '../common/hashing.ts';
import type { Member } from '../namespace/schema.ts';
import { call, serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { INDEX_LOOKUP, INDEX_OVERVIEW, INDEX_STATUS } from '../protocol/methods.ts';
import { badRequest } from './errors.ts';
import type { MemberDirectory } from './member-directory.ts';

export interface IndexInspectionComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly kademlia: MetadataRing;
  readonly locator: Locator;
  readonly clock: Clock;
}

/** A holder that does not answer within this is shown with the reason. */
const PROBE_TIMEOUT_MS = 2_000;

export class IndexInspection {
  readonly #components: IndexInspectionComponents;

  constructor(components: IndexInspectionComponents) {
    this.#components = components;
  }

  start(): void {
    const { network } = this.#components;
    serve(network, INDEX_OVERVIEW, (request, { signal }) => this.#overview(request, signal));
    serve(network, INDEX_LOOKUP, (request, { signal }) => this.#lookup(request, signal));
  }

  async #overview({ holders }: IndexOverviewRequest, signal: AbortSignal): Promise<IndexOverviewResponse> {
    const { members, kademlia, network } = this.#components;
    const nodes = await Promise.all(members.withRole('meta').map((member) => this.#node(member, signal)));
    const shards = holders ? Array.from({ length: SHARD_COUNT }, (_, shard) => shard) : [];
    return {
      answeredBy: this.#numberOf(network.localPeer),
      epoch: kademlia.epoch,
      nodes,
      holders: shards.flatMap((shard) => this.#holdersOf(shard)),
      perShard: this.#holdersOf(0).length,
    };
  }

  async #node({ number, name, peer, away = false }: Member, signal: AbortSignal): Promise<IndexNode> {
    const { network, clock } = this.#components;
    const startMs = clock.monotonicMs();
    const facts = { number, name, away };
    try {
      const status = await call(network, peer, INDEX_STATUS, {}, { signal, timeoutMs: PROBE_TIMEOUT_MS });
      return { ...facts, status, failure: '', milliseconds: clock.monotonicMs() - startMs };
    } catch (error) {
      return {
        ...facts,
        status: undefined,
        failure: describeError(error),
        milliseconds: clock.monotonicMs() - startMs,
      };
    }
  }

  async #lookup({ hash }: IndexLookupRequest, signal: AbortSignal): Promise<IndexLookupResponse> {
    if (hash.length !== HASH_SIZE_BYTES) throw badRequest(`a block hash has ${HASH_SIZE_BYTES} bytes`);
    const { locator, kademlia, network, clock } = this.#components;
    const startMs = clock.monotonicMs();
    const steps: LookupStep[] = [];
    const found = await locator
      .lookup([toHex(hash)], signal, (step) => steps.push(step))
      .then(([nodes = []]) => ({ nodes, failure: '' }))
      .catch((error: unknown) => ({ nodes: [], failure: describeError(error) }));
    const shard = shardOfHash(toHex(hash));
    return {
      answeredBy: this.#numberOf(network.localPeer),
      shard,
      epoch: kademlia.epoch,
      holders: this.#holdersOf(shard),
      ...found,
      steps: steps.map(({ peer, failure = '', ...step }) => ({
        ...step,
        asked: this.#numberOf(peer),
        failure,
      })),
      milliseconds: clock.monotonicMs() - startMs,
    };
  }

  #holdersOf(shard: number): number[] {
    return this.#components.kademlia.closest(shard, HOLDERS_PER_SHARD).map((peer) => this.#numberOf(peer));
  }

  /** 0 for one that is in the ring, and not yet in the registry here. */
  #numberOf(peer: PeerId): number {
    return this.#components.members.byPeer(peer)?.number ?? 0;
  }
}
