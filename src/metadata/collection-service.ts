/** @module What datanodes ask before they collect anything, and the settings of garbage collection. */
import { toHex } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import { HASH_SIZE_BYTES } from '../common/hashing.ts';
import { collectionOf } from '../namespace/collection.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { type CallContext, serve } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type {
  ConfigureCollectionRequest,
  ConfigureCollectionResponse,
  ReferencesRequest,
  ReferencesResponse,
} from '../protocol/messages.ts';
import { CONFIGURE_COLLECTION, REFERENCES } from '../protocol/methods.ts';
import { collectionPauseMs } from './collection-pace.ts';
import { badRequest, notAllowed } from './errors.ts';
import { hasRole, type MemberDirectory } from './member-directory.ts';
import type { Proposer } from './proposer.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface CollectionServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly barrier: ReadBarrier;
  readonly proposer: Proposer;
  readonly clock: Clock;
}

export interface CollectionServiceOptions {
  readonly epoch: () => number;
}

/** Blocks of one question, at most. */
const MAX_HASHES = 1_024;

export class CollectionService {
  readonly #components: CollectionServiceComponents;
  readonly #options: CollectionServiceOptions;

  constructor(components: CollectionServiceComponents, options: CollectionServiceOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Errors: METADATA_BAD_REQUEST, METADATA_NO_QUORUM, METADATA_NOT_READY, METADATA_NOT_ALLOWED, NAMESPACE_INVALID_ARGUMENT. */
  start(): void {
    const { network } = this.#components;
    serve(network, REFERENCES, (request, { signal }) => this.#references(request, signal));
    serve(network, CONFIGURE_COLLECTION, (request, context) => this.#configure(request, context));
  }

  /** Never answered from a state that may be behind: blocks are deleted on the strength of it. */
  async #references({ hashes }: ReferencesRequest, signal: AbortSignal): Promise<ReferencesResponse> {
    if (hashes.length > MAX_HASHES || hashes.some(({ byteLength }) => byteLength !== HASH_SIZE_BYTES))
      throw badRequest(`at most ${MAX_HASHES} hashes of ${HASH_SIZE_BYTES} bytes may be asked about at once`);
    const { barrier, machine, members, clock } = this.#components;
    await barrier.wait(signal);
    const startMs = clock.monotonicMs();
    const { copies, index, collection } = await machine.references(hashes.map(toHex));
    const pauseMs = collectionPauseMs(
      clock.monotonicMs() - startMs,
      members.withRole('data').length,
      members.withRole('meta').length,
    );
    return { copies, index, collection, epoch: this.#options.epoch(), pauseMs };
  }

  async #configure(
    request: ConfigureCollectionRequest,
    { peer, signal }: CallContext,
  ): Promise<ConfigureCollectionResponse> {
    const { proposer, machine, members } = this.#components;
    if (!hasRole(members.activeByPeer(peer), 'client', 'meta'))
      throw notAllowed('a datanode may not change the cluster', { peer });
    const command = { $case: 'configureCollection' as const, value: request };
    const { index } = await proposer.submitInternal(command, signal);
    await proposer.settled(index, signal);
    return { collection: collectionOf(machine.cluster()) };
  }
}
