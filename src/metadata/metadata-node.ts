/** @module The metadata node: any of a few that together keep the namespace, and each of which takes any request. */
import { join } from 'node:path';
import type { Status } from '../../raft/raw-node.ts';
import { assert } from '../common/errors.ts';
import type { Authorizer } from '../network/network.ts';
import type { MetadataNodeComponents, MetadataNodeOptions } from './metadata-node-options.ts';
import { handOverLeadership } from './leadership-handover.ts';
import { type NodeParts, composeParts } from './node-parts.ts';
import { RECEIVED_SNAPSHOTS, SnapshotStore } from './snapshot-store.ts';
import { repairAtStart } from './start-repair.ts';

/**
 * Network, log, machine and Kademlia stay the caller's to start, stop and close. The caller also installs the rule of
 * admission: `network.authorize(node.authorizer)`. One MetadataNode per Network, ever: handlers cannot be taken back.
 */
export class MetadataNode {
  readonly #components: MetadataNodeComponents;
  readonly #options: MetadataNodeOptions;
  #parts: NodeParts | undefined;

  constructor(components: MetadataNodeComponents, options: MetadataNodeOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Lets in active members only, raft only between metadata nodes. Refuses everybody before start(). */
  get authorizer(): Authorizer {
    return (peer, trafficClass) => this.#parts?.authorizer.authorize(peer, trafficClass) ?? false;
  }

  /** Throws METADATA_LOG_INCONSISTENT when log and namespace do not fit together. */
  async start(): Promise<void> {
    const { log, machine, network } = this.#components;
    const { snapshotDir } = this.#options;
    const made = new SnapshotStore(join(snapshotDir, 'made'));
    const received = new SnapshotStore(join(snapshotDir, RECEIVED_SNAPSHOTS));
    for (const store of [made, received]) await store.prepare();
    await made.prune([]);
    await repairAtStart(log, machine, received);

    const parts = composeParts({ ...this.#components, made, received }, this.#options);
    this.#parts = parts;
    parts.transport.listen({
      receive: (message) =>
        message.type === 'MsgSnap' ? parts.receiver.receive(message) : parts.driver.step(message),
      isInConfiguration: (node) => parts.driver.isInConfiguration(node),
    });
    network.onPeer({
      disconnected: (peer) => parts.driver.peerLost(parts.members.byPeer(peer)?.number ?? 0),
    });
    parts.driver.listen({ leaderChanged: (leader) => parts.forwarder.leaderChanged(leader) });
    parts.barrier.start();
    for (const service of parts.services) service.start();
    for (const { peer, addresses } of parts.members.withRole('meta'))
      if (peer !== network.localPeer && addresses.length > 0) network.learn(peer, addresses);
    parts.driver.start();
    parts.workers.start();
  }

  /**
   * Makes itself heard by the other metadata nodes, who may be between two attempts to dial it. For after the network's
   * start; without it they come by themselves, up to a second later.
   */
  greet(): void {
    this.#parts?.transport.greet(this.#options.number);
  }

  /** Hands leadership over, ends all work and writes the namespace behind. Waiting callers are told so. */
  async stop(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return;
    await parts.workers.stop();
    await handOverLeadership({ ...this.#components, ...parts });
    parts.barrier.stop();
    parts.forwarder.stop();
    await parts.receiver.stop();
    await parts.snapshots.stop();
    await parts.driver.stop();
    await this.#components.machine.flush();
  }

  /** Member number of the leader; 0 when none is known. */
  get leader(): number {
    return this.#parts?.driver.leader ?? 0;
  }

  get isLeader(): boolean {
    return this.#parts?.driver.isLeader ?? false;
  }

  /** The state of this node's raft core. The node must have been started. */
  status(): Status {
    assert(this.#parts !== undefined, 'the metadata node was started');
    return this.#parts.driver.status();
  }

  get appliedIndex(): number {
    return this.#components.machine.appliedIndex;
  }
}
