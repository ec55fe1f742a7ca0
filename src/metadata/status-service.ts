/** @module One screen of what this metadata node knows of the cluster. */
import type { NodeId } from '../../raft/types.ts';
import type { Clock } from '../common/clock.ts';
import type { Member } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { call, serve } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type {
  DataNodeStatus,
  MetadataNodeStatus,
  Position,
  StatusRequest,
  StatusResponse,
} from '../protocol/messages.ts';
import { INDEX_STATUS, POSITION, STATUS } from '../protocol/methods.ts';
import { sumReach } from '../protocol/reach-report.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import type { DatanodeStates } from './datanode-states.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ReadBarrier } from './read-barrier.ts';
import type { BlockFigures, ClusterSurvey } from './repair/cluster-survey.ts';

export interface StatusServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
  readonly driver: RaftDriver;
  readonly barrier: ReadBarrier;
  readonly clusterSurvey: ClusterSurvey;
  readonly clock: Clock;
}

/** A metadata node that does not answer within this is shown as unreachable. */
const PROBE_TIMEOUT_MS = 1_000;

type RaftStatus = ReturnType<RaftDriver['status']>;

export class StatusService {
  readonly #components: StatusServiceComponents;

  constructor(components: StatusServiceComponents) {
    this.#components = components;
  }

  start(): void {
    serve(this.#components.network, STATUS, (request, { signal }) => this.#status(request, signal));
  }

  async #status({ stale }: StatusRequest, signal: AbortSignal): Promise<StatusResponse> {
    const { machine, members, driver, barrier, clusterSurvey } = this.#components;
    if (!stale) await barrier.wait(signal);
    const raft = driver.status();
    const [blocks, metadataNodes] = await Promise.all([
      clusterSurvey.ask(signal),
      Promise.all(members.withRole('meta').map((member) => this.#metadataNode(member, raft, signal))),
    ]);
    const leader = metadataNodes.find(({ member }) => member?.number === driver.leader);
    const dataNodes = members.withRole('data').map((member) => this.#dataNode(member, blocks));
    return {
      cluster: machine.cluster(),
      answeredBy: driver.id,
      leader: driver.leader,
      term: raft.term,
      commit: raft.commit,
      applied: driver.appliedIndex,
      metadataNodes,
      membership: leader?.position?.membership,
      dataNodes,
      counters: machine.counters(),
      ...blocks.atRisk(),
      keepers: [...blocks.reports],
      reach: sumReach([
        ...dataNodes.filter(({ liveness }) => liveness === 'alive').flatMap(({ reach }) => reach),
        ...metadataNodes.flatMap(({ position }) => position?.reach ?? []),
      ]),
    };
  }

  async #metadataNode(member: Member, raft: RaftStatus, signal: AbortSignal): Promise<MetadataNodeStatus> {
    const [records, position] = await Promise.all([
      this.#indexRecords(member, signal),
      this.#position(member, signal),
    ]);
    const isSelf = member.number === raft.id;
    return {
      member,
      raftRole: raftRole(member.number, raft),
      reachable: records !== undefined,
      match: raft.progress.find(({ id }) => id === member.number)?.match ?? 0,
      applied: isSelf ? this.#components.driver.appliedIndex : 0,
      indexRecords: records ?? 0,
      position,
    };
  }

  async #indexRecords({ peer }: Member, signal: AbortSignal): Promise<number | undefined> {
    try {
      const options = { signal, timeoutMs: PROBE_TIMEOUT_MS };
      return (await call(this.#components.network, peer, INDEX_STATUS, {}, options)).records;
    } catch {
      // Whatever the reason, it is what `reachable: false` says.
      return undefined;
    }
  }

  async #position({ peer }: Member, signal: AbortSignal): Promise<Position | undefined> {
    try {
      const options = { signal, timeoutMs: PROBE_TIMEOUT_MS };
      return await call(this.#components.network, peer, POSITION, {}, options);
    } catch {
      // Away, or of a release that knows no positions: its line is shown without.
      return undefined;
    }
  }

  #dataNode(member: Member, blocks: BlockFigures): DataNodeStatus {
    const { registry, states } = this.#components;
    const load = registry.get(member.number)?.load;
    const departing = blocks.departing(member.number);
    return {
      member,
      liveness: states.liveness(member.number),
      capacityBytes: load?.capacityBytes ?? 0,
      usedBytes: load?.usedBytes ?? 0,
      quarantinedBytes: load?.quarantinedBytes,
      freeBytes: load?.freeBytes ?? 0,
      blocks: load?.blocks ?? 0,
      silentMs: Math.round(registry.silentMs(member.number) ?? 0),
      reach: load?.reach ?? [],
      reachable: load?.reachable,
      readOnly: load?.readOnly,
      scrub: load?.scrub,
      rates: load?.rates,
      ...(states.drain(member.number) !== '' && {
        departingBlocks: departing.blocks,
        departingBytes: departing.bytes,
      }),
    };
  }
}

function raftRole(number: NodeId, { lead, confState }: RaftStatus): string {
  if (number === lead) return 'leader';
  if (confState.voters.includes(number)) return 'voter';
  return confState.learners.includes(number) ? 'learner' : 'joining';
}
