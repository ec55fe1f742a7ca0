/** @module The metadata node: any of a few that together keep the namespace, and each of which takes any request. */
import { join } from 'node:path';
import type { Status } from '../../raft/raw-node.ts';
import type { Restraint } from '../../raft/restraint.ts';
import { assert } from '../common/errors.ts';
import type { WorkerStanding } from '../common/worker.ts';
import type { Authorizer } from '../network/network.ts';
import type { KeeperReport } from '../protocol/messages.ts';
import type { MetadataNodeComponents, MetadataNodeOptions } from './metadata-node-options.ts';
import { handOverLeadership } from './leadership-handover.ts';
import { type NodeParts, composeParts } from './node-parts.ts';
import { META_WORKER_CONTROL, META_WORKERS } from '../protocol/methods.ts';
import { serveWorkers } from '../protocol/worker-service.ts';
import { hasRole } from './member-directory.ts';
import { RECEIVED_SNAPSHOTS, SnapshotStore } from './snapshot-store.ts';
import { repairAtStart } from './start-repair.ts';
import { voterSets } from './voter-sets.ts';
import { Vouching } from './vouching.ts';
import { type Incarnation, Witness, type WitnessStore } from './witness.ts';

/** Run ids are below this. */
const MAX_RUN_ID: number = 2 ** 32;
const NO_STORE: WitnessStore = { load: () => Promise.resolve([]), save: () => Promise.resolve() };

/**
 * Network, log, machine and Kademlia stay the caller's to start, stop and close. The caller also installs the rule of
 * admission: `network.authorize(node.authorizer)`. One MetadataNode per Network, ever: handlers cannot be taken back.
 */
export class MetadataNode {
  readonly #components: MetadataNodeComponents;
  readonly #options: MetadataNodeOptions;
  #parts: NodeParts | undefined;
  #vouching: Vouching | undefined;

  constructor(components: MetadataNodeComponents, options: MetadataNodeOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Lets in active members only, raft only between metadata nodes. Refuses everybody before start(). */
  get authorizer(): Authorizer {
    return (peer, trafficClass) => this.#parts?.authorizer.authorize(peer, trafficClass) ?? false;
  }

  /**
   * Answers from now on, but takes no part in consensus yet: takePart() follows once the network is started.
   * Throws METADATA_LOG_INCONSISTENT when log and namespace do not fit together.
   */
  async start(): Promise<void> {
    const { log, machine, network, files, witnessStore = NO_STORE } = this.#components;
    const { snapshotDir } = this.#options;
    const made = new SnapshotStore(join(snapshotDir, 'made'), files);
    const received = new SnapshotStore(join(snapshotDir, RECEIVED_SNAPSHOTS), files);
    for (const store of [made, received]) await store.prepare();
    await made.prune([]);
    await repairAtStart(log, machine, received);

    const run = await this.#newRun();
    const witness = new Witness(await witnessStore.load());
    const stores = { made, received, witnessStore };
    const parts = composeParts({ ...this.#components, ...stores, run, witness }, this.#options);
    this.#parts = parts;
    this.#vouching = this.#newVouching(parts, run);
    parts.transport.listen({
      receive: (message) =>
        message.type === 'MsgSnap' ? parts.receiver.receive(message) : parts.driver.step(message),
      isInConfiguration: (node) => parts.driver.isInConfiguration(node),
      renumbered: (peer) => parts.authorizer.renumbered(peer),
    });
    network.onPeer({
      disconnected: (peer) => parts.driver.peerLost(parts.members.byPeer(peer)?.number ?? 0),
    });
    parts.driver.listen({ leaderChanged: (leader) => parts.forwarder.leaderChanged(leader) });
    parts.barrier.start();
    for (const service of parts.services) service.start();
    const methods = { list: META_WORKERS, control: META_WORKER_CONTROL };
    serveWorkers({ network, workers: parts.workers }, methods, (peer) =>
      hasRole(parts.members.activeByPeer(peer), 'client', 'meta'),
    );
    for (const { peer, addresses } of parts.members.withRole('meta'))
      if (peer !== network.localPeer && addresses.length > 0) network.learn(peer, addresses);
  }

  /**
   * Votes, follows or leads from now on, unless another metadata node knows that this data directory is older than the
   * node (vouching.ts): METADATA_ROLLED_BACK, or METADATA_COPY_ALONE or METADATA_COPY_OUTLIVED for a copy that nobody can vouch for. A copy may
   * resolve here and take part later. Makes itself heard by the others, who may be between two attempts to dial it.
   */
  async takePart(): Promise<void> {
    assert(this.#vouching !== undefined, 'the metadata node was started');
    if (await this.#vouching.begin()) this.#begin(this.#vouching.restraint);
  }

  #begin(restraint: Restraint): void {
    this.#parts?.adoption.hold(restraint);
    this.#parts?.driver.start();
    this.#parts?.workers.start();
    this.#parts?.transport.greet();
  }

  async #newRun(): Promise<Incarnation> {
    const { log, random } = this.#components;
    const openedAt = log.sequence;
    const boot = await log.beginBoot();
    return { number: this.#options.number, boot, id: random.int(MAX_RUN_ID), openedAt };
  }

  #newVouching({ driver, members }: NodeParts, run: Incarnation): Vouching {
    const { log, machine } = this.#components;
    const { appliedIndex } = machine;
    const options = { run, isCopy: log.isCopy, appliedIndex, voterSets: voterSets(this.#components) };
    return new Vouching({ ...this.#components, members }, options, {
      rolledBack: (error) => driver.retire(error),
      vouched: (restraint) => {
        try {
          this.#begin(restraint);
        } catch (error) {
          driver.fail(error);
        }
      },
    });
  }

  /** Hands leadership over, ends all work and writes the namespace behind. Waiting callers are told so. */
  async stop(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return;
    await this.#vouching?.stop();
    await parts.workers.stop();
    await Promise.all(parts.copies.map((runner) => runner.stop()));
    await handOverLeadership({ ...this.#components, ...parts });
    parts.barrier.stop();
    parts.forwarder.stop();
    parts.index.stop();
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

  /** What its background workers do; none before start(). */
  workers(): readonly WorkerStanding[] {
    return this.#parts?.workers.standings() ?? [];
  }

  /** What it knows and does as keeper of blocks; undefined before start(). */
  keeper(): KeeperReport | undefined {
    return this.#parts?.keeper.report();
  }

  get appliedIndex(): number {
    return this.#components.machine.appliedIndex;
  }
}
