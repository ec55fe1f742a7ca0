/**
 * @module Signs who the metadata nodes are, and gathers what the others sign: soon after each change, while they are there. A
 * newcomer brings along what the node that admitted it has signed, which may be gone before anything is gathered.
 */
import { clusterEpochOf, membershipEpoch } from '../../dht/membership-ring.ts';
import { names, namesTheSame, signManifest } from '../../dht/manifest.ts';
import type { ManifestBook } from '../../dht/manifest-book.ts';
import type { ManifestChain } from '../../dht/messages.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { Network } from '../network/network.ts';
import { askForManifest } from '../protocol/manifest-exchange.ts';
import type { MemberDirectory } from './member-directory.ts';

export interface ManifestSignerComponents {
  readonly kademlia: { readonly manifests: ManifestBook };
  readonly machine: Pick<StateMachine, 'cluster' | 'counters' | 'memberByNumber'>;
  readonly members: Pick<MemberDirectory, 'withRole'>;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A metadata node may be taken out half a second after the one that takes its place came. */
const IDLE_MS = 100;
/** Between two questions to those whose signature lacks: at first, and when they go without answer. */
const LONGEST_PAUSE_MS = 1_000;

export class ManifestSigner implements BackgroundWorker {
  readonly name = 'manifest-signatures';
  readonly idleMs: number = IDLE_MS;
  readonly #components: ManifestSignerComponents;
  #changes = 0;
  #membersVersion = -1;
  #pauseMs = 0;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(components: ManifestSignerComponents) {
    this.#components = components;
  }

  /** How often something was signed here or gathered: who publishes looks whether it has grown. */
  get changes(): number {
    return this.#changes;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { machine, clock } = this.#components;
    if (machine.cluster() === undefined) return 'idle';
    const { membersVersion } = machine.counters();
    if (membersVersion !== this.#membersVersion) this.#pauseMs = 0;
    this.#membersVersion = membersVersion;
    this.#sign();
    if (clock.monotonicMs() - this.#askedMs < this.#pauseMs) return 'idle';
    if (await this.#gather(signal)) this.#changes += 1;
    return 'idle';
  }

  /**
   * All signatures that are known here, and among them one of this node for those who are in its registry by now. Who was admitted here
   * is led to by it from whomever a member that was away may know, whoever leaves next.
   */
  chainNow(): ManifestChain {
    this.#sign();
    return this.#components.kademlia.manifests.chain();
  }

  /** Signs what the registry says of the metadata nodes, when that is new. */
  #sign(): void {
    const { network, machine, members, kademlia } = this.#components;
    const cluster = machine.cluster();
    if (cluster === undefined) return;
    const epoch = membershipEpoch(cluster.epoch, machine.counters().membersVersion);
    const nodes = members
      .withRole('meta')
      .filter(({ number }) => machine.memberByNumber(number) !== undefined)
      .map(({ number, peer, addresses }) => ({ number, peer, addresses: [...addresses] }));
    if (epoch === 0 || !nodes.some(({ peer }) => peer === network.localPeer)) return;
    const before = kademlia.manifests.signedBy(network.localPeer);
    const isOfEpoch = before !== undefined && clusterEpochOf(before.epoch) === cluster.epoch;
    if (isOfEpoch && namesTheSame(before.nodes, nodes)) return;
    kademlia.manifests.add(signManifest(network, { cluster: cluster.id, epoch, nodes }));
    this.#changes += 1;
  }

  /**
   * A member that was away may know only one of the others: its signature is wanted here, over a manifest that names this node,
   * before that one goes. Says whether any came.
   */
  async #gather(signal: AbortSignal): Promise<boolean> {
    const { network, members, kademlia, clock } = this.#components;
    const isMissing = (peer: string): boolean => {
      const signed = kademlia.manifests.signedBy(peer);
      return signed === undefined || !names(signed, network.localPeer);
    };
    const asked = members
      .withRole('meta')
      .filter(({ peer }) => peer !== network.localPeer && network.isConnected(peer) && isMissing(peer));
    if (asked.length === 0) return false;
    this.#askedMs = clock.monotonicMs();
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(IDLE_MS, 2 * this.#pauseMs));
    const taken = await Promise.all(
      asked.map(({ peer }) => askForManifest(this.#components, kademlia.manifests, peer, signal)),
    );
    return taken.includes(true);
  }
}
