/** @module What all keepers together know of the cluster's blocks. */
import { SHARD_COUNT } from '../../../dht/shard.ts';
import type { KeeperReport } from '../../protocol/messages.ts';
import type { KeeperService } from './keeper-service.ts';
import type { MetadataPulse } from './metadata-pulse.ts';

export interface AtRiskFigures {
  /** Sum over blocks of size times missing copies. */
  readonly bytesUnderReplicated: number;
  readonly blocksUnderReplicated: number;
  /** Blocks without any live holder. */
  readonly blocksMissing: number;
  /** False until every shard was walked over by a keeper that answers. */
  readonly atRiskComplete: boolean;
}

export interface Holdings {
  readonly blocks: number;
  readonly bytes: number;
}

export interface ClusterSurveyComponents {
  readonly pulse: MetadataPulse;
  readonly keeperService: KeeperService;
}

export class ClusterSurvey {
  readonly #components: ClusterSurveyComponents;

  constructor(components: ClusterSurveyComponents) {
    this.#components = components;
  }

  /** Asks every keeper now. Never rejects: who does not answer in time is left out. */
  async ask(signal: AbortSignal): Promise<BlockFigures> {
    const { pulse, keeperService } = this.#components;
    const others = await pulse.reports(signal);
    return new BlockFigures([keeperService.report(), ...others]);
  }
}

/** The reports of the keepers that answered, summed up. */
export class BlockFigures {
  readonly reports: readonly KeeperReport[];

  constructor(reports: readonly KeeperReport[]) {
    this.reports = reports;
  }

  /** Every shard was walked over, by a walk that began when the members were at `version` or later. */
  isComplete(version = 0): boolean {
    const walked = this.reports.filter(({ complete, walkedVersion }) => complete && walkedVersion >= version);
    return walked.reduce((sum, { shards }) => sum + shards, 0) >= SHARD_COUNT;
  }

  atRisk(): AtRiskFigures {
    const left = this.reports.flatMap((report) => report.left);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      bytesUnderReplicated: sum(left.map(({ missingBytes }) => missingBytes)),
      blocksUnderReplicated: sum(left.map(({ blocks }) => blocks)),
      blocksMissing: sum(left.filter(({ copies }) => copies === 0).map(({ blocks }) => blocks)),
      atRiskComplete: this.isComplete(),
    };
  }

  /** Copies on `node`, which is being emptied, that are still needed there, as far as is known now. */
  departing(node: number): Holdings {
    return sumOf(this.reports.flatMap(({ departures }) => departures.filter((each) => each.node === node)));
  }

  /** The same, as the last walks found it: unlike what is in memory it leaves nothing out. */
  needed(node: number): Holdings {
    return sumOf(this.reports.flatMap(({ needed }) => needed.filter((each) => each.node === node)));
  }
}

function sumOf(parts: readonly Holdings[]): Holdings {
  return parts.reduce<Holdings>(
    (sum, { blocks, bytes }) => ({ blocks: sum.blocks + blocks, bytes: sum.bytes + bytes }),
    { blocks: 0, bytes: 0 },
  );
}
