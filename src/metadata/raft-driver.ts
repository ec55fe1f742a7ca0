/** @module The shell around the pure core: ticks, messages, proposals and reads go in here, and its state is asked here. */
import { RawNode, type Status } from '../../raft/raw-node.ts';
import { decodeConfChange } from '../../raft/conf-change-codec.ts';
import { isRaftError } from '../../raft/errors.ts';
import type { Restraint } from '../../raft/restraint.ts';
import type { ConfChangeSingle, Message, NodeId, Snapshot } from '../../raft/types.ts';
import type { Clock, Timer } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { Applier } from './applier.ts';
import { AppliedWatch } from './applied-watch.ts';
import { BatchProposer } from './batch-proposer.ts';
import { coreConfig } from './core-config.ts';
import type { SnapshotOffer } from './core-storage.ts';
import { EarlyCampaigns } from './early-campaigns.ts';
import { failed, notLeader, stopped } from './errors.ts';
import { LeadershipWatch, type RaftListener } from './leadership-watch.ts';
import type { LogClock } from './log-clock.ts';
import { type Committed, type PreparedCommand, ProposalQueue } from './proposal-queue.ts';
import type { RaftTransport } from './raft-transport.ts';
import { encodeConfState } from './raft-wire.ts';
import { ReadyHandler } from './ready-handler.ts';
import { ReadyLoop } from './ready-loop.ts';

export interface RaftDriverComponents {
  readonly log: RaftLogStore;
  readonly machine: StateMachine;
  readonly transport: RaftTransport;
  readonly snapshots: SnapshotOffer;
  readonly clock: Clock;
  readonly logClock: LogClock;
  readonly random: Random;
  readonly logger: Logger;
  /** Puts the state of a snapshot whose file is already here into the machine. */
  readonly restore: (snapshot: Snapshot) => Promise<void>;
}

export interface RaftDriverOptions {
  readonly id: NodeId;
  /** Called once when the node must stop: its storage or state machine failed. */
  readonly onFatal: (error: Error) => void;
  readonly tickMs?: number;
}

/** One tick of the core, in milliseconds. */
const DEFAULT_TICK_MS = 50;
const NO_CONTEXT: Uint8Array = new Uint8Array(0);

export class RaftDriver {
  readonly #components: RaftDriverComponents;
  readonly #options: RaftDriverOptions;
  readonly #core: RawNode;
  readonly #proposals = new ProposalQueue();
  readonly #applier: Applier;
  readonly #ready: ReadyHandler;
  readonly #applied: AppliedWatch;
  readonly #batches: BatchProposer;
  readonly #campaigns: EarlyCampaigns;
  readonly #loop: ReadyLoop;
  readonly #leadership: LeadershipWatch;
  #ticks: Timer | undefined;
  #started = false;
  #ended: Error | undefined;

  /** The machine must have caught up with the log's snapshot before (see repairAtStart). */
  constructor(components: RaftDriverComponents, options: RaftDriverOptions) {
    this.#components = components;
    this.#options = options;
    this.#core = new RawNode(coreConfig(components, options.id));
    this.#leadership = new LeadershipWatch(components, {
      lost: (leader) => this.#proposals.leadershipLost(leader),
    });
    this.#applied = new AppliedWatch(components.machine.appliedIndex);
    this.#applier = new Applier(
      {
        machine: components.machine,
        clock: components.clock,
        applyConfChange: (entry) => encodeConfState(this.#core.applyConfChange(decodeConfChange(entry.data))),
      },
      {
        applied: (entry, results) => this.#proposals.applied(entry.index, entry.term, results),
        reached: (index) => this.#applied.reached(index),
        failed: (error) => this.fail(error),
      },
    );
    this.#ready = new ReadyHandler(
      { ...components, core: this.#core, applier: this.#applier },
      {
        softState: (soft) => this.#leadership.observe(soft),
        entries: (entries) => this.#proposals.bind(entries),
        readState: (state) => this.#leadership.read(state),
        restored: (index) => this.#applied.reached(index),
        late: (work) => this.#event(work),
      },
    );
    const core = this.#core;
    this.#batches = new BatchProposer({ ...components, core, queue: this.#proposals });
    this.#campaigns = new EarlyCampaigns({ ...components, core, event: (work) => this.#event(work) });
    this.#loop = new ReadyLoop({
      core,
      feed: () => this.#feed(),
      handle: (ready) => this.#ready.handle(ready),
      failed: (error) => this.fail(error),
    });
  }

  /** For a node that has forgotten promises; before start(). */
  restrain(restraint: Restraint): void {
    this.#core.restrain(restraint);
  }

  /** Before it nothing that comes in has any effect: the node answers nobody, and votes for nobody. */
  start(): void {
    const { clock } = this.#components;
    this.#started = true;
    this.#ticks = clock.every(this.#options.tickMs ?? DEFAULT_TICK_MS, () =>
      this.#event(() => this.#core.tick()),
    );
    this.#loop.wake();
  }

  /** Resolves when the outstanding Ready is done; waiting proposers are told METADATA_STOPPED or _OUTCOME_UNKNOWN. */
  async stop(): Promise<void> {
    this.#end(stopped());
    await this.#loop.idle();
    await this.#applier.drained();
  }

  get id(): NodeId {
    return this.#options.id;
  }

  get isLeader(): boolean {
    return this.#leadership.isLeader;
  }

  /** 0 when none is known. */
  get leader(): NodeId {
    return this.#leadership.leader;
  }

  get appliedIndex(): number {
    return this.#applied.applied;
  }

  /** Why the driver no longer runs, if so. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  status(): Status {
    return this.#core.status();
  }

  /** Whether raft counts `node` in, as a voter of either half or as a learner. */
  isInConfiguration(node: NodeId): boolean {
    const { voters, votersOutgoing, learners, learnersNext } = this.#core.status().confState;
    return [voters, votersOutgoing, learners, learnersNext].some((ids) => ids.includes(node));
  }

  /** Returns a function that ends the listening. */
  listen(listener: RaftListener): () => void {
    return this.#leadership.listen(listener);
  }

  /**
   * Leader only. Resolves once committed and applied here. Errors: METADATA_NOT_LEADER, METADATA_OVERLOADED,
   * METADATA_STOPPED (surely not proposed), METADATA_OUTCOME_UNKNOWN.
   */
  propose(command: PreparedCommand): Promise<Committed> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (!this.isLeader) return Promise.reject(notLeader(this.leader));
    const committed = this.#proposals.add(command);
    this.#loop.wake();
    return committed;
  }

  /** Leader only; there is no promise that it takes place: watch `status().confState`. Throws METADATA_NOT_LEADER. */
  proposeConfChange(changes: readonly ConfChangeSingle[]): void {
    if (!this.isLeader) throw notLeader(this.leader);
    this.#event(() =>
      this.#core.proposeConfChange({
        transition: 'ConfChangeTransitionAuto',
        changes,
        context: NO_CONTEXT,
      }),
    );
  }

  /** Asks for a read point; the answer comes to `readState`, or never. `context` must be fresh. */
  readIndex(context: Uint8Array): void {
    this.#event(() => this.#core.readIndex(context));
  }

  /** Resolves once the machine has applied `index`. */
  waitApplied(index: number): Promise<void> {
    return this.#applied.wait(index);
  }

  transferLeader(to: NodeId): void {
    this.#event(() => this.#core.transferLeader(to));
  }

  step(message: Message): void {
    // Not the core's own message: it is how a follower's shell says that it could not fetch (snapshot-receiver.ts).
    this.#event(() =>
      message.type === 'MsgSnapStatus'
        ? this.#core.reportSnapshot(message.from, message.reject !== true)
        : this.#core.step(message),
    );
  }

  /** The connection to a peer (0: no member) broke. A follower that lost its leader looks for a new one without waiting out the timer. */
  peerLost(peer: NodeId): void {
    if (peer === 0) return;
    this.#event(() => {
      this.#core.reportUnreachable(peer);
      this.#core.reportSnapshot(peer, false);
      if (this.leader !== peer || this.isLeader) return;
      this.#core.forgetLeader();
      this.#campaigns.soon();
    });
  }

  #event(event: () => void): void {
    if (!this.#started || this.#ended !== undefined) return;
    try {
      event();
    } catch (error) {
      if (!isRaftError(error, 'RAFT_STEP_LOCAL_MESSAGE', 'RAFT_STEP_PEER_NOT_FOUND', 'RAFT_PROPOSAL_DROPPED'))
        return this.fail(error);
      this.#components.logger.debug('raft.ignored', { code: error.code });
    }
    this.#loop.wake();
  }

  #feed(): void {
    this.#batches.proposeQueued();
    if (!this.#core.hasReady()) this.#campaigns.ifAlone(this.#leadership.state);
  }

  /** The node must stop: a failed write is never tried again (S11 of simulations/README.md). Latched; the first cause counts. */
  fail(cause: unknown): void {
    if (this.#ended !== undefined) return;
    const error = failed(cause);
    this.#components.logger.error('raft.failed', { error: error.message });
    // Nothing is broken for those who asked: another node may do it.
    this.#end(stopped());
    this.#options.onFatal(error);
  }

  /** The cluster goes on without this node: it must stop, with nothing wrong on its disk. */
  retire(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#components.logger.warn('raft.retired', { reason: error.message });
    // Those who wait here are not the ones who were removed: they are to ask another node.
    this.#end(stopped());
    this.#options.onFatal(error);
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#ticks?.cancel();
    this.#campaigns.stop();
    this.#loop.stop();
    this.#ready.stop();
    this.#proposals.close(error);
    this.#leadership.end();
  }
}
