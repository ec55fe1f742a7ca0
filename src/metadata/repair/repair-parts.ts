/** @module What a metadata node is made of as keeper of blocks, and how the parts hang together. */
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { Random } from '../../common/random.ts';
import type { BackgroundWorker } from '../../common/worker.ts';
import type { WorkerRunner } from '../../common/worker-runner.ts';
import type { StateMachine } from '../../namespace/state-machine.ts';
import type { Network } from '../../network/network.ts';
import type { BadCopies } from '../bad-copies.ts';
import type { DatanodeRegistry } from '../datanode-registry.ts';
import type { DatanodeStates } from '../datanode-states.ts';
import type { MetadataDiscovery } from '../discovery-worker.ts';
import type { MemberDirectory } from '../member-directory.ts';
import type { PlacementPolicy } from '../placement.ts';
import type { Proposer } from '../proposer.ts';
import type { RaftDriver } from '../raft-driver.ts';
import type { ReadBarrier } from '../read-barrier.ts';
import { AtRiskBlocks } from './at-risk-blocks.ts';
import { BalanceWorker } from './balance-worker.ts';
import { BlockExaminer } from './block-examiner.ts';
import { BlockSurvey } from './block-survey.ts';
import { ClusterSurvey } from './cluster-survey.ts';
import { CopyRunner } from './copy-runner.ts';
import { DrainWorker } from './drain-worker.ts';
import { KeeperService } from './keeper-service.ts';
import { KeeperView } from './keeper-view.ts';
import { LossSearch } from './loss-search.ts';
import { LostCopies } from './lost-copies.ts';
import { MetadataPulse } from './metadata-pulse.ts';
import { RepairWorker } from './repair-worker.ts';
import { RepairTurns } from './repair-turns.ts';
import type { ShardIndex } from './shard-index.ts';
import { SoleSearch } from './sole-search.ts';
import { SurplusWorker } from './surplus-worker.ts';

export interface RepairComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
  readonly badCopies: BadCopies;
  readonly kademlia: MetadataDiscovery;
  readonly index: ShardIndex;
  readonly driver: RaftDriver;
  readonly barrier: ReadBarrier;
  readonly proposer: Proposer;
  readonly placement: PlacementPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface RepairParts {
  readonly clusterSurvey: ClusterSurvey;
  readonly keeperService: KeeperService;
  readonly soleSearch: SoleSearch;
  readonly turns: RepairTurns;
  readonly copies: readonly CopyRunner[];
  /** To be told of single copies that are gone. */
  readonly lostCopies: LostCopies;
  readonly workers: readonly BackgroundWorker[];
}

/** `workers`: of the whole metadata node, for its report. */
export function composeRepair(
  components: RepairComponents,
  options: { readonly workers: () => ReturnType<WorkerRunner['standings']> },
): RepairParts {
  const pulse = new MetadataPulse(components);
  const keeper = new KeeperView({ ...components, ring: components.kademlia, pulse });
  const atRisk = new AtRiskBlocks();
  const examiner = new BlockExaminer({ ...components, atRisk });
  const parts = { ...components, pulse, keeper, atRisk, examiner };
  const copies = new CopyRunner(parts);
  const moves = new CopyRunner(parts);
  const surplus = new SurplusWorker(parts);
  const balance = new BalanceWorker({ ...parts, moves, surplus });
  const blockSurvey = new BlockSurvey({ ...parts, balance });
  const turns = new RepairTurns(components);
  const losses = new LossSearch(parts);
  const lostCopies = new LostCopies(parts);
  const keeperService = new KeeperService({ ...parts, blockSurvey, copies }, options);
  const clusterSurvey = new ClusterSurvey({ pulse, keeperService });
  return {
    clusterSurvey,
    keeperService,
    soleSearch: new SoleSearch(parts),
    turns,
    copies: [copies, moves],
    lostCopies,
    workers: [
      pulse,
      blockSurvey,
      new RepairWorker({ ...parts, copies, turns, losses, lostCopies }),
      new DrainWorker({ ...parts, clusterSurvey }),
      surplus,
      balance,
    ],
  };
}
