/** @module A datanode of the code that ships, run after run, on one simulated machine. */
import type { Membership } from '../../dht/membership-ring.ts';
import { DataNode } from '../../src/datanode/data-node.ts';
import type { Timer } from '../../src/common/clock.ts';
import type { KnownMetadataNode } from '../../src/datanode/member-directory.ts';
import type { BlockStore } from '../../src/storage/block-store.ts';
import type { ClusterWorld } from './cluster-world.ts';
import { CLUSTER_ID } from './founding.ts';
import { NodeNotes } from './node-notes.ts';
import { type Run, SimulatedProcess, type SimulatedProcessOptions } from './simulated-process.ts';
import { SimulatedKademlia } from './simulated-kademlia.ts';

export interface DataProcessOptions extends SimulatedProcessOptions {
  /** Those the join answer named. */
  readonly seeds: readonly KnownMetadataNode[];
  /** The machine as the cluster knows it: copies are spread over machines. */
  readonly host: string;
}

interface DataService {
  readonly node: DataNode;
  readonly blocks: BlockStore;
  readonly kademlia: SimulatedKademlia;
  readonly notes: Timer;
}

/** How often the others are noted for the next run, in milliseconds; as src/node/peer-book.ts does. */
const NOTE_PERIOD_MS = 1_000;

export class DataProcess extends SimulatedProcess<DataService> {
  readonly #options: DataProcessOptions;
  readonly #noted: NodeNotes;
  /** On the disk: counts the starts that went as far as to be counted. */
  #generation = 0;

  constructor(shared: ClusterWorld, options: DataProcessOptions) {
    super(shared, options);
    this.#options = options;
    this.#noted = new NodeNotes(options.seeds);
  }

  /** What it has open; undefined unless it serves. */
  get blocks(): BlockStore | undefined {
    return this.service?.blocks;
  }

  /** Somebody put an empty disk into the machine while it was down. Who it is it still knows. */
  wipe(): void {
    this.machine.platter.wipe();
  }

  protected override ran(): void {}

  protected override crashed(): void {}

  protected override async close({ node, kademlia, blocks, notes }: DataService): Promise<void> {
    notes.cancel();
    this.#noted.take(node.members(), kademlia.manifests);
    await node.stop();
    kademlia.stop();
    await blocks.close();
  }

  protected override async open(run: Run): Promise<void> {
    const { network, clock, gate } = run;
    const { number, host } = this.#options;
    const blocks = this.machine.openBlocks(gate);
    // The last step of each round of garbage collection.
    const reclaim = blocks.reclaim.bind(blocks);
    blocks.reclaim = async () => {
      this.shared.coverage.saw('collection rounds');
      return reclaim();
    };
    await this.machine.openQueue(gate, 'generation').write(() => {
      this.#generation += 1;
    });
    let node: DataNode | undefined;
    const noted = { epoch: 0, peers: this.#noted.metadata.map(({ peer }) => peer) };
    const membership = (): Membership => node?.indexMembership() ?? noted;
    const kademlia = new SimulatedKademlia(run, {
      ownsShards: false,
      membership,
      knownMetadata: () => node?.knownMetadata() ?? noted,
    });
    this.#noted.restore(kademlia.manifests);
    node = new DataNode(
      { ...run, blocks, kademlia },
      {
        number,
        generation: this.#generation,
        clusterId: CLUSTER_ID,
        epoch: 1,
        bootstrap: this.#noted.metadata,
        earlier: this.#noted.datanodes,
        host,
        onFatal: (error) => this.fatal(error),
      },
    );
    network.authorize(node.authorizer);
    await network.start();
    kademlia.start();
    await node.start();
    const service = node;
    const notes = clock.every(NOTE_PERIOD_MS, () => this.#noted.take(service.members(), kademlia.manifests));
    this.serve(run, { node, blocks, kademlia, notes });
  }
}
