/** @module The Ready loop: drives the pure core with ticks, messages and proposals, and does what each Ready orders. */
import { RawNode, type Status } from '../../raft/raw-node.ts';
import { decodeConfChange } from '../../raft/conf-change-codec.ts';
import { isRaftError } from '../../raft/errors.ts';
import type {
  ConfChangeSingle,
  Entry,
  Message,
  NodeId,
  ReadState,
  Ready,
  Snapshot,
  SoftState,
} from '../../raft/types.ts';
import type { Clock, Timer } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { SessionCommand } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { Applier } from './applier.ts';
import { AppliedWatch } from './applied-watch.ts';
import { coreConfig } from './core-config.ts';
import { failed, notLeader, overloaded, stopped } from './errors.ts';
import { type Committed, ProposalQueue } from './proposal-queue.ts';
import type { RaftTransport } from './raft-transport.ts';
import { encodeConfState } from './raft-wire.ts';

export interface RaftDriverComponents {
  readonly log: RaftLogStore;
  readonly machine: StateMachine;
  readonly transport: RaftTransport;
  readonly clock: Clock;
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

export interface RaftListener {
  leaderChanged?(leader: NodeId): void;
  readState?(state: ReadState): void;
}

/** One tick of the core, in milliseconds. */
export const DEFAULT_TICK_MS = 50;
/** A follower that saw its leader's connection break campaigns after a random delay below this, in milliseconds. */
const CAMPAIGN_DELAY_MS = 200;
/** Only a leader sends these, and they promise nothing of this node: they need not wait for its disk (types.ts Ready). */
const LEADER_MESSAGES: ReadonlySet<string> = new Set(['MsgApp', 'MsgHeartbeat', 'MsgSnap']);
const NO_CONTEXT: Uint8Array = new Uint8Array(0);

/** One Ready at a time is outstanding; events keep coming in meanwhile and wait for the next one. */
export class RaftDriver {
  readonly #components: RaftDriverComponents;
  readonly #options: RaftDriverOptions;
  readonly #core: RawNode;
  readonly #proposals = new ProposalQueue();
  readonly #applier: Applier;
  readonly #applied: AppliedWatch;
  readonly #listeners = new Set<RaftListener>();
  #soft: SoftState = { lead: 0, raftState: 'StateFollower' };
  #timers: Timer[] = [];
  #loop: Promise<void> | undefined;
  #lastStampMs = 0;
  #ended: Error | undefined;

  /** The machine must have caught up with the log's snapshot before (see repairAtStart). */
  constructor(components: RaftDriverComponents, options: RaftDriverOptions) {
    this.#components = components;
    this.#options = options;
    this.#core = new RawNode(coreConfig(components, options.id));
    this.#applied = new AppliedWatch(components.machine.appliedIndex);
    this.#applier = new Applier(
      {
        machine: components.machine,
        applyConfChange: (entry) => encodeConfState(this.#core.applyConfChange(decodeConfChange(entry.data))),
      },
      {
        applied: (entry, results) => this.#proposals.applied(entry.index, entry.term, results),
        reached: (index) => this.#applied.reached(index),
        failed: (error) => this.fail(error),
      },
    );
  }

  start(): void {
    const { clock } = this.#components;
    this.#timers.push(
      clock.every(this.#options.tickMs ?? DEFAULT_TICK_MS, () => this.#event(() => this.#core.tick())),
    );
    const { voters } = this.#core.status().confState;
    // Nobody else could win: no reason to wait for the timer.
    if (voters.length === 1 && voters[0] === this.id) this.#event(() => this.#core.campaign());
    this.#wake();
  }

  /** Resolves when the outstanding Ready is done; waiting proposers are told METADATA_STOPPED or _OUTCOME_UNKNOWN. */
  async stop(): Promise<void> {
    this.#end(stopped());
    await this.#loop;
    await this.#applier.drained();
  }

  get id(): NodeId {
    return this.#options.id;
  }

  get isLeader(): boolean {
    return this.#soft.raftState === 'StateLeader';
  }

  /** 0 when none is known. */
  get leader(): NodeId {
    return this.#soft.lead;
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

  /** Returns a function that ends the listening. */
  listen(listener: RaftListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Leader only. Resolves once committed and applied here. Errors: METADATA_NOT_LEADER, METADATA_OVERLOADED,
   * METADATA_STOPPED (surely not proposed), METADATA_OUTCOME_UNKNOWN, METADATA_COMMAND_TOO_LARGE.
   */
  propose(command: SessionCommand): Promise<Committed> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (!this.isLeader) return Promise.reject(notLeader(this.leader));
    const committed = this.#proposals.add(command);
    this.#wake();
    return committed;
  }

  /** Leader only; there is no promise that it takes place: watch `status().confState`. Throws METADATA_NOT_LEADER. */
  proposeConfChange(change: ConfChangeSingle): void {
    if (!this.isLeader) throw notLeader(this.leader);
    this.#event(() =>
      this.#core.proposeConfChange({
        transition: 'ConfChangeTransitionAuto',
        changes: [change],
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
      if (this.#soft.lead !== peer || this.isLeader) return;
      this.#core.forgetLeader();
      this.#campaignSoon();
    });
  }

  /** Pre-vote keeps this harmless when the leader is well and only this one connection broke. */
  #campaignSoon(): void {
    const { clock, random } = this.#components;
    const campaign = (): void => {
      if (this.#core.status().lead === 0) this.#event(() => this.#core.campaign());
    };
    this.#timers.push(clock.after(random.int(CAMPAIGN_DELAY_MS), campaign));
  }

  #event(event: () => void): void {
    if (this.#ended !== undefined) return;
    try {
      event();
    } catch (error) {
      if (!isRaftError(error, 'RAFT_STEP_LOCAL_MESSAGE', 'RAFT_STEP_PEER_NOT_FOUND', 'RAFT_PROPOSAL_DROPPED'))
        return this.fail(error);
      this.#components.logger.debug('raft.ignored', { code: error.code });
    }
    this.#wake();
  }

  /** Runs the loop after everything that happens in this turn, so that the proposals of one turn share an entry. */
  #wake(): void {
    if (this.#loop !== undefined || this.#ended !== undefined) return;
    this.#loop = Promise.resolve()
      .then(() => this.#run())
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.#loop = undefined;
      });
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#ended !== undefined) return;
      this.#proposeQueued();
      if (!this.#core.hasReady()) return;
      await this.#handle(this.#core.ready());
      if (this.#ended !== undefined) return;
      this.#core.advance();
    }
  }

  #proposeQueued(): void {
    const { clock, machine } = this.#components;
    while (!this.#proposals.isEmpty) {
      this.#lastStampMs = Math.max(this.#lastStampMs, clock.wallMs(), machine.counters().timeMs);
      const batch = this.#proposals.takeBatch(this.#lastStampMs);
      if (batch === undefined) return;
      try {
        this.#core.propose(batch.data);
        this.#proposals.proposed(batch);
      } catch (error) {
        if (!isRaftError(error, 'RAFT_PROPOSAL_DROPPED')) throw error;
        this.#proposals.refused(
          batch,
          error.reason === 'too-much-uncommitted'
            ? overloaded('uncommitted log', batch.data.length)
            : notLeader(0),
        );
      }
    }
  }

  /** The order is that of raft/types.ts `Ready`. */
  async #handle(ready: Ready): Promise<void> {
    const { log } = this.#components;
    if (ready.softState !== undefined) this.#observe(ready.softState);
    this.#proposals.bind(ready.entries);
    this.#send(ready.messages.filter(({ type }) => LEADER_MESSAGES.has(type)));

    // What is already in this node's own log is applied while the disk writes. The rest waits, since an applied index
    // that became durable ahead of the log would be a hole after a crash.
    const stableIndex = ready.snapshot === undefined ? log.lastIndex() : 0;
    const firstUnstable = ready.entries[0]?.index ?? Infinity;
    const isStable = ({ index }: Entry): boolean => index <= stableIndex && index < firstUnstable;
    const admitted = this.#applier.enqueue(ready.committedEntries.filter(isStable));
    await this.#persist(ready);
    this.#send(ready.messages.filter(({ type }) => !LEADER_MESSAGES.has(type)));
    if (ready.snapshot !== undefined) await this.#restore(ready.snapshot);
    for (const state of ready.readStates) for (const listener of this.#listeners) listener.readState?.(state);
    await admitted;
    await this.#applier.enqueue(ready.committedEntries.filter((entry) => !isStable(entry)));
  }

  async #persist({ hardState, entries, snapshot, mustSync }: Ready): Promise<void> {
    if (hardState === undefined && entries.length === 0 && snapshot === undefined) return;
    await this.#components.log.append({
      entries,
      mustSync,
      ...(hardState !== undefined && { hardState }),
      ...(snapshot !== undefined && { snapshot }),
    });
  }

  /**
   * Comes after the log was replaced. A crash in between leaves a machine behind the log's snapshot, whose file is
   * durable on this node before the core ever sees the message: repairAtStart then does what is done here. The other
   * order would leave a machine ahead of its log, with nothing to tell whether the log's tail belongs to it.
   */
  async #restore(snapshot: Snapshot): Promise<void> {
    await this.#applier.drained();
    await this.#components.restore(snapshot);
    this.#applied.reached(snapshot.metadata.index);
  }

  #observe(soft: SoftState): void {
    const before = this.#soft;
    this.#soft = soft;
    if (before.raftState === 'StateLeader' && soft.raftState !== 'StateLeader')
      this.#proposals.leadershipLost(soft.lead);
    if (before.lead === soft.lead) return;
    this.#components.logger.info('raft.leader', { leader: soft.lead, state: soft.raftState });
    for (const listener of this.#listeners) listener.leaderChanged?.(soft.lead);
  }

  #send(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    for (const node of this.#components.transport.send(messages)) {
      this.#core.reportUnreachable(node);
      if (messages.some(({ type, to }) => type === 'MsgSnap' && to === node))
        this.#core.reportSnapshot(node, false);
    }
  }

  /** The node must stop: a failed write is never tried again (raft.md S11). Latched; the first cause counts. */
  fail(cause: unknown): void {
    if (this.#ended !== undefined) return;
    const error = failed(cause);
    this.#components.logger.error('raft.failed', { error: error.message });
    this.#end(error);
    this.#options.onFatal(error);
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    this.#soft = { lead: 0, raftState: 'StateFollower' };
    this.#proposals.close(error);
    for (const listener of this.#listeners) listener.leaderChanged?.(0);
  }
}
