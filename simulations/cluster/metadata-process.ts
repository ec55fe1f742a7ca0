/** @module A metadata node of the code that ships, run after run, on one simulated machine. */
import { bootstrapCluster } from '../../src/metadata/genesis.ts';
import { MetadataNode } from '../../src/metadata/metadata-node.ts';
import type { Genesis, Member } from '../../src/namespace/schema.ts';
import type { Timer } from '../../src/common/clock.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import {
  indexMembership,
  type ListVersion,
  metadataMembership,
} from '../../src/protocol/index-membership.ts';
import { MemoryRaftLog } from '../../src/storage/memory-raft-log.ts';
import type { ClusterWorld } from './cluster-world.ts';
import { CLUSTER_ID } from './founding.ts';
import type { Scenario } from './scenario.ts';
import { type Run, SimulatedProcess, type SimulatedProcessOptions } from './simulated-process.ts';
import { SimulatedKademlia } from './simulated-kademlia.ts';

export interface MetadataProcessOptions extends Omit<SimulatedProcessOptions, 'seed'> {
  /** Those the join answer named. */
  readonly seeds: readonly Member[];
  readonly scenario: Scenario;
  /** Feature level of its version. */
  readonly level: number;
}

interface MetadataService {
  readonly node: MetadataNode;
  readonly machine: StateMachine;
  readonly kademlia: SimulatedKademlia;
  readonly notes: Timer;
}

/** How often manifests are written down, in milliseconds; as src/node/manifest-file.ts does. */
const NOTE_PERIOD_MS = 1_000;

const PAGE_SIGHTS = {
  read: 'location records read from disk',
  written: 'location records written to disk',
  lost: 'location records that could not be read',
  refused: 'location records that found no room on disk',
  spoilt: 'location records spoilt on disk',
} as const;

export class MetadataProcess extends SimulatedProcess<MetadataService> {
  readonly #options: MetadataProcessOptions;
  /** Feature level of the version that is installed; runs begin with it. */
  #level: number;
  #membersSeen: readonly Member[] = [];

  constructor(shared: ClusterWorld, options: MetadataProcessOptions) {
    super(shared, { ...options, seed: options.scenario.seed });
    this.#options = options;
    this.#level = options.level;
  }

  /** Its log becomes that of a new cluster. */
  async found(genesis: Genesis): Promise<void> {
    const log = new MemoryRaftLog();
    await bootstrapCluster(log, genesis);
    const { hardState, confState } = log.initialState();
    const snapshot = { metadata: { index: 0, term: 0, confState }, data: new Uint8Array(0) };
    const entries = log.entries(1, log.lastIndex() + 1, Infinity);
    this.machine.log.found({ kind: 'append', snapshot, hardState, entries }, hardState);
  }

  /** Another version, from the next run on. */
  install(level: number): void {
    this.#level = level;
  }

  get node(): MetadataNode | undefined {
    return this.service?.node;
  }

  get state(): StateMachine | undefined {
    return this.service?.machine;
  }

  protected override ran(): void {
    this.shared.oracle.ran(this);
    const members = this.state?.members();
    if (members === undefined || members === this.#membersSeen) return;
    this.#membersSeen = members;
    const metadata = members.filter(({ roles, state }) => roles.includes('meta') && state === 'active');
    if (metadata.length > 0) this.machine.book = metadata;
  }

  protected override crashed(): void {
    this.shared.oracle.crashed(this);
  }

  protected override async close({ node, kademlia, notes }: MetadataService): Promise<void> {
    notes.cancel();
    await node.stop();
    kademlia.stop();
  }

  protected override async open(run: Run): Promise<void> {
    const { gate, network, clock } = run;
    const { oracle, coverage, handovers, listings } = this.shared;
    const { number, seeds, scenario } = this.#options;
    const { files } = this.machine;
    oracle.started(this);
    handovers.watch(run);
    const log = this.machine.openLog(gate, {
      ordered: (write, open) => oracle.sawWrite(this, write, open),
      compacted: () => oracle.sawCompaction(this),
    });
    if (log.wasTorn) coverage.saw('torn log tails');
    const store = this.machine.openRows(gate);
    void store.damaged.then((error) => this.fatal(error));
    const witnessStore = this.machine.openWitness(gate);
    const machine = await StateMachine.open({ store }, { ...scenario, supportedFeatureLevel: this.#level });
    oracle.watch(this, machine);
    listings.watch(machine);
    const kademlia = new SimulatedKademlia(run, {
      ownsShards: true,
      membership: () => indexMembership(machine.members(), listVersion(machine)),
      knownMetadata: () => metadataMembership(machine.members(), listVersion(machine)),
    });
    kademlia.manifests.restore(this.machine.manifests);
    const locationPages = this.machine.openPages(gate, (what) => coverage.saw(PAGE_SIGHTS[what]));
    const node = new MetadataNode(
      {
        ...run,
        log,
        machine,
        files,
        witnessStore,
        kademlia,
        ...(scenario.indexMemoryBytes !== undefined && { locationPages }),
      },
      {
        ...scenario,
        number,
        seeds: this.machine.book.length > 0 ? this.machine.book : seeds,
        cluster: CLUSTER_ID,
        epoch: 1,
        snapshotDir: '/snapshots',
        onFatal: (error) => this.fatal(error),
      },
    );
    network.authorize(node.authorizer);
    await node.start();
    await network.start();
    kademlia.start();
    const notes = clock.every(NOTE_PERIOD_MS, () => {
      this.machine.manifests = kademlia.manifests.chain();
    });
    this.serve(run, { node, machine, kademlia, notes });
    await node.takePart();
  }
}

function listVersion(machine: StateMachine): ListVersion {
  const { membersVersion: version } = machine.counters();
  return { version, epoch: machine.cluster()?.epoch ?? 0 };
}
