/** @module Registration and heartbeats of datanodes. */
import { clusterEpochOf } from '../../dht/membership-ring.ts';
import type { Logger } from '../common/logger.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { HeartbeatRequest, HeartbeatResponse, NodeLoad, RegisterRequest } from '../protocol/messages.ts';
import { askForManifest, type ManifestBook } from '../protocol/manifest-exchange.ts';
import { HEARTBEAT, REGISTER } from '../protocol/methods.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import type { DatanodeStates } from './datanode-states.ts';
import { badRequest, notAllowed } from './errors.ts';
import { superseded } from './member-errors.ts';
import type { LocationIndex } from './location-index.ts';
import type { MemberChanges } from './member-changes.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { SilenceReports } from './silence-reports.ts';

export interface DatanodeServiceComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly machine: StateMachine;
  readonly registry: DatanodeRegistry;
  readonly index: LocationIndex;
  readonly states: DatanodeStates;
  readonly changes: MemberChanges;
  readonly reports: SilenceReports;
  readonly driver: RaftDriver;
  readonly kademlia: { readonly manifests: ManifestBook };
  readonly logger: Logger;
}

export interface DatanodeServiceOptions {
  readonly epoch: () => number;
}

export class DatanodeService {
  readonly #components: DatanodeServiceComponents;
  readonly #options: DatanodeServiceOptions;
  /** Datanodes that are being asked to show the epoch that they speak of. */
  readonly #asked = new Set<PeerId>();

  constructor(components: DatanodeServiceComponents, options: DatanodeServiceOptions) {
    this.#components = components;
    this.#options = options;
  }

  start(): void {
    const { network } = this.#components;
    serve(network, REGISTER, async (request, { peer }) => {
      this.#register(peer, request);
      return { boot: this.#components.index.boot };
    });
    serve(network, HEARTBEAT, async (request, { peer }) => this.#heartbeat(peer, request));
  }

  #register(peer: PeerId, { load, ...registration }: RegisterRequest): void {
    this.#checkCaller(peer, registration.node);
    this.#components.registry.register({ ...registration, load: required(load) });
  }

  #heartbeat(peer: PeerId, request: HeartbeatRequest): HeartbeatResponse {
    this.#checkCaller(peer, request.node);
    const { registry, reports, states, changes, index } = this.#components;
    const epoch = this.#options.epoch();
    if (request.epoch > epoch) this.#verifyEpoch(peer, request);
    reports.note(request.node, request.silentNeighbours);
    const isOfEpoch = request.epoch === epoch;
    let list = isOfEpoch ? changes.since(request.membersVersion) : changes.all();
    // Older releases take what comes for the whole list.
    if (list.isChange && list.members.length > 0 && request.takesChanges !== true) list = changes.all();
    return {
      known: registry.heartbeat(request.node, request.generation, required(request.load)),
      boot: index.boot,
      indexDiffers: this.#differs(request),
      membersVersion: list.version,
      members: [...list.members],
      isChange: list.isChange,
      epoch,
      periodMs: states.periodMs,
    };
  }

  /** Whether the location index here does not know what this heartbeat says is held. */
  #differs({ node, generation, indexEpoch, indexSequence, indexRoot }: HeartbeatRequest): boolean {
    const { server } = this.#components.index;
    if (indexEpoch === undefined || indexRoot === undefined) {
      server.hear(node, generation);
      return false;
    }
    const held = { node, generation, epoch: indexEpoch, sequence: indexSequence ?? 0, root: indexRoot };
    return server.matches(held) === false;
  }

  /**
   * The datanode has it from a metadata node of that epoch, which this one cannot reach, or has not asked yet. It may say what it
   * likes: what ends this node is the manifest, which whoever was recovered has signed.
   */
  #verifyEpoch(peer: PeerId, { node, epoch }: HeartbeatRequest): void {
    if (this.#asked.has(peer)) return;
    this.#asked.add(peer);
    const { driver, machine, kademlia, logger } = this.#components;
    void askForManifest(this.#components, kademlia.manifests, peer).then(() => {
      this.#asked.delete(peer);
      const own = this.#options.epoch();
      const shown = clusterEpochOf(kademlia.manifests.current?.epoch ?? 0);
      if (shown > own) driver.retire(superseded(driver.id, machine.cluster()?.id ?? '', own, shown));
      else logger.warn('datanode.epoch-not-shown', { node, says: epoch, own });
    });
  }

  #checkCaller(peer: PeerId, node: number): void {
    const member = this.#components.members.activeByPeer(peer);
    if (!hasRole(member, 'data'))
      throw notAllowed('only a datanode may register and send heartbeats', { peer });
    if (member.number !== node)
      throw notAllowed(`peer ${peer} is node ${member.number} and spoke for node ${node}`, { peer, node });
  }
}

function required(load: NodeLoad | undefined): NodeLoad {
  if (load === undefined) throw badRequest('a datanode reports its load');
  return load;
}
