/** @module Makes the metadata nodes findable: provider records and the signed manifest, in step with the registry. */
import type { ManifestBook } from '../../dht/manifest-book.ts';
import type { MetadataRing } from '../../dht/ports.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { Network } from '../network/network.ts';
import { askForManifest, searchManifest } from '../protocol/manifest-exchange.ts';
import type { ManifestSigner } from './manifest-signer.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { RaftDriver } from './raft-driver.ts';

/** What a metadata node needs of dht/kademlia.ts. Started and stopped by whoever composed it. */
export interface MetadataDiscovery extends MetadataRing {
  readonly manifests: ManifestBook;
  /** The membership changed: compute the ring anew. */
  refresh(): void;
  /** Publishes this node as a metadata node of the cluster; how many peers keep the record. */
  provide(clusterId: string, signal?: AbortSignal): Promise<number>;
  /** Publishes the manifests; how many peers keep them. */
  publishManifest(clusterId: string, signal?: AbortSignal): Promise<number>;
}

export interface DiscoveryWorkerComponents {
  readonly kademlia: MetadataDiscovery;
  readonly signer: Pick<ManifestSigner, 'changes'>;
  readonly machine: StateMachine;
  readonly members: Pick<MemberDirectory, 'withRole'>;
  readonly driver: Pick<RaftDriver, 'leader'>;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
}

const IDLE_MS = 1_000;
/** Everything is published again this often, for those who keep records. */
export const MANIFEST_RENEWAL_MS = 600_000;
/**
 * The same while members come, go and move: some of them should keep records by now. Each publication asks some forty peers,
 * and a cluster that is being founded or restarted changes with every node.
 */
export const CHANGED_RENEWAL_MS = 60_000;
/** Between two searches for the others while none of them leads, or is connected. */
const SEARCH_PERIOD_MS = 10_000;
/**
 * A node that was just started looks for nobody: who knows where it is comes by itself, datanodes with their next heartbeat. To dial all
 * of them meanwhile is most of what the restart of one of many metadata nodes cost the others.
 */
export const SETTLING_MS = 4_000;
/** Datanodes that are not connected, and are called on in one such period. */
const MAX_CALLED_ON = 16;

export class DiscoveryWorker implements BackgroundWorker {
  readonly name = 'discovery';
  readonly idleMs: number = IDLE_MS;
  readonly #components: DiscoveryWorkerComponents;
  #membersVersion = -1;
  /** Of what was published. */
  #signerChanges = 0;
  /** As of the last publication: the version, and where the metadata nodes were. */
  #publishedVersion = -1;
  #publishedNodes = '';
  #keptBy = 0;
  #publishedMs = Number.NEGATIVE_INFINITY;
  #startedMs: number | undefined;
  #searchedMs = Number.NEGATIVE_INFINITY;
  #calledMs = Number.NEGATIVE_INFINITY;
  /** Calls on missing datanodes up to now: where among them to go on. */
  #called = 0;

  constructor(components: DiscoveryWorkerComponents) {
    this.#components = components;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { kademlia, machine, clock, signer, driver } = this.#components;
    this.#startedMs ??= clock.monotonicMs();
    const isSettled = clock.monotonicMs() - this.#startedMs >= SETTLING_MS;
    if (isSettled) await this.#maybeSearch(signal);
    const cluster = machine.cluster();
    if (cluster === undefined) return 'idle';
    const { membersVersion } = machine.counters();
    if (membersVersion !== this.#membersVersion) kademlia.refresh();
    this.#membersVersion = membersVersion;
    // Where everything was restarted nobody reads records yet: a leader comes first, whom each question to the DHT delays.
    if (!isSettled && driver.leader === 0) return 'idle';
    const isDue = this.#isDue(membersVersion);
    const nodes = this.#whereabouts();
    // A record kept by nobody is no record; and newcomers among the metadata nodes should keep it at once.
    if (isDue || this.#keptBy === 0 || nodes !== this.#publishedNodes)
      this.#keptBy = await kademlia.provide(cluster.id, signal);
    this.#publishedNodes = nodes;
    const { changes } = signer;
    if (isDue || changes !== this.#signerChanges) await this.#publish(cluster.id, membersVersion, signal);
    this.#signerChanges = changes;
    if (isSettled) await this.#callOnMissing(signal);
    return 'idle';
  }

  #isDue(membersVersion: number): boolean {
    const periodMs = membersVersion === this.#publishedVersion ? MANIFEST_RENEWAL_MS : CHANGED_RENEWAL_MS;
    return this.#components.clock.monotonicMs() - this.#publishedMs > periodMs;
  }

  #whereabouts(): string {
    const nodes = this.#components.members.withRole('meta');
    return JSON.stringify(nodes.map(({ peer, addresses }) => [peer, addresses]));
  }

  /** Everybody may have moved while this node was away: any node that is where it was can tell where to. */
  async #maybeSearch(signal: AbortSignal): Promise<void> {
    const { network, members, driver, kademlia, clock } = this.#components;
    const others = members.withRole('meta').filter(({ peer }) => peer !== network.localPeer);
    const isAlone = driver.leader === 0 && !others.some(({ peer }) => network.isConnected(peer));
    const nowMs = clock.monotonicMs();
    if (!isAlone || others.length === 0 || nowMs - this.#searchedMs < SEARCH_PERIOD_MS) return;
    this.#searchedMs = nowMs;
    const asked = [...members.withRole('data'), ...others].map(({ peer }) => peer);
    await searchManifest(this.#components, kademlia.manifests, asked, signal);
  }

  /**
   * Datanodes look for a metadata node that has moved where it was. Where it is the only one, or all have moved, nobody else
   * could tell them: it shows itself. Who is away is called on again and again, a few at a time.
   */
  async #callOnMissing(signal: AbortSignal): Promise<void> {
    const { network, members, clock, kademlia } = this.#components;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#calledMs < SEARCH_PERIOD_MS) return;
    this.#calledMs = nowMs;
    const missing = members
      .withRole('data')
      .filter(({ peer }) => peer !== network.localPeer && !network.isConnected(peer));
    const start = missing.length === 0 ? 0 : this.#called % missing.length;
    const asked = [...missing.slice(start), ...missing.slice(0, start)].slice(0, MAX_CALLED_ON);
    this.#called += asked.length;
    await Promise.all(
      asked.map(({ peer }) => askForManifest(this.#components, kademlia.manifests, peer, signal)),
    );
  }

  async #publish(cluster: string, membersVersion: number, signal: AbortSignal): Promise<void> {
    const { kademlia, clock } = this.#components;
    const kept = await kademlia.publishManifest(cluster, signal);
    if (kept === 0) return;
    this.#publishedMs = clock.monotonicMs();
    this.#publishedVersion = membersVersion;
  }
}
