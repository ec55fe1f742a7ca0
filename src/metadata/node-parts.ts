/** @module What a running metadata node is made of, and how the parts hang together. */
import { Locator } from '../../dht/locator.ts';
import { message } from '../../raft/messages.ts';
import type { Message } from '../../raft/types.ts';
import type { BackgroundWorker } from '../common/worker.ts';
import { WorkerRunner } from '../common/worker-runner.ts';
import { AddressWorker } from './address-worker.ts';
import { BadCopies } from './bad-copies.ts';
import { BlockInquiry } from './block-inquiry.ts';
import { BlockService } from './block-service.ts';
import { CopyAdoption } from './copy-adoption.ts';
import { DatanodeRegistry } from './datanode-registry.ts';
import { DatanodeStates } from './datanode-states.ts';
import { DatanodeService } from './datanode-service.ts';
import { DiscoveryWorker } from './discovery-worker.ts';
import { FeatureGateWorker } from './feature-gate-worker.ts';
import { FeatureLevelService } from './feature-level-service.ts';
import { FlushWorker } from './flush-worker.ts';
import { ClusterService } from './cluster-service.ts';
import { CollectionService } from './collection-service.ts';
import { DrainService } from './drain-service.ts';
import { EraWorker } from './era-worker.ts';
import { Forwarder } from './forwarder.ts';
import { HousekeepingWorker } from './housekeeping-worker.ts';
import { lookupsOf } from './index-lookups.ts';
import { JoinService } from './join-service.ts';
import { livenessSettings } from './liveness-judge.ts';
import { LivenessWorker } from './liveness-worker.ts';
import { IndexHandoverWorker } from './index-handover-worker.ts';
import { IndexInspection } from './index-inspection.ts';
import { LocationIndex } from './location-index.ts';
import { LocationService } from './location-service.ts';
import { LogClock } from './log-clock.ts';
import { LogCompactor } from './log-compactor.ts';
import { MemberAuthorizer } from './member-authorizer.ts';
import { MemberChanges } from './member-changes.ts';
import { ManifestSigner } from './manifest-signer.ts';
import { MemberDirectory } from './member-directory.ts';
import { MemberService } from './member-service.ts';
import { MembershipManager } from './membership-manager.ts';
import type { MetadataNodeComponents, MetadataNodeOptions } from './metadata-node-options.ts';
import { NamespaceService } from './namespace-service.ts';
import { FreeSpacePlacement } from './free-space-placement.ts';
import { PositionService } from './position-service.ts';
import { PresenceWorker } from './presence-worker.ts';
import { Proposer } from './proposer.ts';
import { RaftDriver } from './raft-driver.ts';
import { FIRST_EPOCH, RaftTransport } from './raft-transport.ts';
import { ReadBarrier } from './read-barrier.ts';
import type { KeeperService } from './repair/keeper-service.ts';
import type { CopyRunner } from './repair/copy-runner.ts';
import { composeRepair, type RepairParts } from './repair/repair-parts.ts';
import { RejoinService } from './rejoin-service.ts';
import { SilenceReports } from './silence-reports.ts';
import { AnswerSurvey } from './answer-survey.ts';
import { SilenceSurvey } from './silence-survey.ts';
import { SnapshotLeftovers } from './snapshot-leftovers.ts';
import { SnapshotMaker } from './snapshot-maker.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';
import { SnapshotServer } from './snapshot-server.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import { StandingService } from './standing-service.ts';
import { StandingWorker } from './standing-worker.ts';
import { StatusService } from './status-service.ts';
import { TokenService } from './token-service.ts';
import { VouchService } from './vouch-service.ts';
import type { Incarnation, Witness, WitnessStore } from './witness.ts';
import { WitnessWorker } from './witness-worker.ts';

/** Registers its handlers with the network. */
export interface Service {
  start(): void;
}

export interface NodeParts {
  readonly members: MemberDirectory;
  readonly transport: RaftTransport;
  readonly receiver: SnapshotReceiver;
  readonly snapshots: SnapshotMaker;
  readonly driver: RaftDriver;
  readonly barrier: ReadBarrier;
  readonly forwarder: Forwarder;
  readonly index: LocationIndex;
  readonly authorizer: MemberAuthorizer;
  readonly adoption: CopyAdoption;
  readonly copies: readonly CopyRunner[];
  readonly keeper: KeeperService;
  readonly services: readonly Service[];
  readonly workers: WorkerRunner;
}

/** Where snapshot files are: those made here, and those sent by a leader. */
export interface SnapshotStores {
  readonly made: SnapshotStore;
  readonly received: SnapshotStore;
}

/** This run, and what is remembered of the other nodes' runs. */
export interface WitnessParts {
  readonly run: Incarnation;
  readonly witness: Witness;
  readonly witnessStore: WitnessStore;
}

/** The machine must have caught up with the log's snapshot: the core starts from both. */
export function composeParts(
  components: MetadataNodeComponents & SnapshotStores & WitnessParts,
  options: MetadataNodeOptions,
): NodeParts {
  const { machine, network, kademlia } = components;
  const members = new MemberDirectory(machine, options.seeds ?? []);
  const base = { ...components, members, logClock: new LogClock(components) };
  const epoch = (): number => Math.max(machine.cluster()?.epoch ?? FIRST_EPOCH, options.epoch ?? FIRST_EPOCH);
  const consensus = composeConsensus(base, { ...options, epoch });
  const { driver } = consensus;

  const registry = new DatanodeRegistry(base, { settings: () => livenessSettings(machine.cluster()) });
  const states = new DatanodeStates({ ...base, registry });
  const inquiry = new BlockInquiry({ ...base, states });
  const index = new LocationIndex(
    { ...base, registry, states },
    {
      onRemoved: (hash) => repair.lostCopies.note(hash),
      memoryBytes: options.indexMemoryBytes,
      minShardBytes: options.indexMinShardBytes,
      diskBytes: options.indexDiskBytes,
    },
  );
  const rpc = lookupsOf(network, index.server);
  const parts = {
    ...base,
    ...consensus,
    registry,
    locator: new Locator({ ...base, rpc, inquiry, ring: kademlia }),
    states,
    index,
    changes: new MemberChanges(base),
    survey: new SilenceSurvey({ ...base, registry }),
    answers: new AnswerSurvey(base),
    reports: new SilenceReports(base),
    badCopies: new BadCopies(base),
    placement: components.placement ?? new FreeSpacePlacement(),
  };
  const repair: RepairParts = composeRepair(parts, { workers: () => workers.standings() });
  const membership = new MembershipManager(parts);
  const signer = new ManifestSigner(parts);
  const adoption = new CopyAdoption(parts);
  const services = [
    new NamespaceService(parts),
    new BlockService(parts),
    new StatusService({ ...parts, ...repair }),
    new MemberService({ ...parts, ...repair, membership }),
    repair.keeperService,
    repair.soleSearch,
    repair.turns,
    new DrainService(parts),
    new ClusterService(parts),
    new CollectionService(parts, { epoch }),
    new PositionService({ ...parts, membership }, { epoch, version: options.version ?? '' }),
    new StandingService(parts, { epoch }),
    new TokenService(parts),
    new JoinService({ ...parts, signer }),
    new RejoinService({ ...parts, membership }),
    new VouchService(parts),
    new DatanodeService(parts, { epoch }),
    parts.survey,
    parts.answers,
    new FeatureLevelService(parts),
    new LocationService(parts),
    new IndexInspection(parts),
    new SnapshotServer({ ...parts, store: parts.made }, options),
  ];
  const work: readonly BackgroundWorker[] = [
    membership,
    new LivenessWorker(parts),
    new PresenceWorker({ ...parts, membership }),
    new IndexHandoverWorker(parts),
    new HousekeepingWorker(parts),
    new EraWorker(parts),
    new FeatureGateWorker(parts),
    new FlushWorker({ machine, onFailed: (error) => driver.fail(error) }),
    new LogCompactor(parts, options),
    parts.snapshots,
    new SnapshotLeftovers(parts),
    new AddressWorker(parts),
    new StandingWorker(parts, { epoch, cluster: options.cluster }),
    signer,
    new DiscoveryWorker({ ...parts, signer }),
    new WitnessWorker(parts),
    adoption,
    ...repair.workers,
    ...(base.furtherWorkers ?? []),
  ];
  const workers: WorkerRunner = new WorkerRunner(base, work, options.workers);
  const { copies } = repair;
  const { keeperService: keeper } = repair;
  return {
    members,
    ...consensus,
    copies,
    keeper,
    index: parts.index,
    authorizer: new MemberAuthorizer(parts),
    adoption,
    services,
    workers,
  };
}

type ConsensusParts = Pick<
  NodeParts,
  'transport' | 'receiver' | 'snapshots' | 'driver' | 'barrier' | 'forwarder'
> & {
  readonly proposer: Proposer;
};

function composeConsensus(
  base: MetadataNodeComponents &
    SnapshotStores &
    WitnessParts & { readonly members: MemberDirectory; readonly logClock: LogClock },
  options: Omit<MetadataNodeOptions, 'epoch'> & { readonly epoch: () => number },
): ConsensusParts {
  const { number } = options;
  const transport = new RaftTransport(base, { ...options, run: base.run });
  const tellLeader = ({ from, term }: Message, reject: boolean): void =>
    void transport.send([message({ type: 'MsgSnapStatus', to: from, from: number, term, reject })]);
  const receiver: SnapshotReceiver = new SnapshotReceiver(
    { ...base, store: base.received },
    {
      fetched(fetched) {
        driver.step(fetched);
        // The core has it: what the leader sends next, from the snapshot on, fits.
        tellLeader(fetched, false);
      },
      failed: (failed) => tellLeader(failed, true),
    },
  );
  const snapshots = new SnapshotMaker({ ...base, store: base.made }, { number });
  const driver: RaftDriver = new RaftDriver(
    { ...base, transport, snapshots, restore: (snapshot) => receiver.restore(snapshot) },
    { ...options, id: number },
  );
  const barrier = new ReadBarrier({ ...base, driver, receiver }, options);
  const forwarder = new Forwarder(base);
  const proposer = new Proposer({ ...base, driver, forwarder }, options);
  return { transport, receiver, snapshots, driver, barrier, forwarder, proposer };
}
