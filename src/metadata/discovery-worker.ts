/** @module Makes this metadata node findable, and keeps the ring of shard holders in step with the registry. */
import type { MetadataRing } from '../../dht/ports.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';

/** What a metadata node needs of dht/kademlia.ts. Started and stopped by whoever composed it. */
export interface MetadataDiscovery extends MetadataRing {
  /** The membership changed: compute the ring anew. */
  refresh(): void;
  /** Publishes this node as a metadata node of the cluster; how many peers keep the record. */
  provide(clusterId: string, signal?: AbortSignal): Promise<number>;
}

export interface DiscoveryWorkerComponents {
  readonly kademlia: MetadataDiscovery;
  readonly machine: StateMachine;
}

const IDLE_MS = 1_000;

export class DiscoveryWorker implements BackgroundWorker {
  readonly name = 'discovery';
  readonly idleMs: number = IDLE_MS;
  readonly #kademlia: MetadataDiscovery;
  readonly #machine: StateMachine;
  #membersVersion = -1;
  #keptBy = 0;

  constructor(components: DiscoveryWorkerComponents) {
    this.#kademlia = components.kademlia;
    this.#machine = components.machine;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const cluster = this.#machine.cluster();
    if (cluster === undefined) return 'idle';
    const { membersVersion } = this.#machine.counters();
    const changed = membersVersion !== this.#membersVersion;
    if (changed) this.#kademlia.refresh();
    // A record kept by nobody is no record; and newcomers among the metadata nodes should keep it too.
    if (changed || this.#keptBy === 0) this.#keptBy = await this.#kademlia.provide(cluster.id, signal);
    this.#membersVersion = membersVersion;
    return 'idle';
  }
}
