/** @module Does what one Ready orders, in the order that makes it safe: send, write, send, answer reads, apply. */
import type { RawNode } from '../../raft/raw-node.ts';
import type { Entry, Index, Message, ReadState, Ready, Snapshot, SoftState } from '../../raft/types.ts';
import type { Clock } from '../common/clock.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import type { Applier } from './applier.ts';
import { CommitNotices } from './commit-notices.ts';
import type { RaftTransport } from './raft-transport.ts';

export interface ReadyHandlerComponents {
  readonly core: Pick<RawNode, 'reportSnapshot' | 'reportUnreachable'>;
  readonly log: Pick<RaftLogStore, 'append' | 'lastIndex'>;
  readonly transport: Pick<RaftTransport, 'send'>;
  readonly clock: Clock;
  readonly applier: Pick<Applier, 'drained' | 'enqueue'>;
  /** Puts the state of a snapshot whose file is already here into the machine. */
  readonly restore: (snapshot: Snapshot) => Promise<void>;
}

export interface ReadyEvents {
  softState(soft: SoftState): void;
  /** These entries are about to be written. */
  entries(entries: readonly Entry[]): void;
  readState(state: ReadState): void;
  /** The machine now holds a snapshot's state. */
  restored(index: Index): void;
  /** `work` comes between two Readies: run it as an event of the core. */
  late(work: () => void): void;
}

/** Only a leader sends these, and they promise nothing of this node: they need not wait for its disk (types.ts Ready). */
const LEADER_MESSAGES: ReadonlySet<string> = new Set(['MsgApp', 'MsgHeartbeat', 'MsgSnap']);

export class ReadyHandler {
  readonly #components: ReadyHandlerComponents;
  readonly #events: ReadyEvents;
  readonly #notices: CommitNotices;

  constructor(components: ReadyHandlerComponents, events: ReadyEvents) {
    this.#components = components;
    this.#events = events;
    const { clock } = components;
    this.#notices = new CommitNotices({
      clock,
      send: (messages) => events.late(() => this.#send(messages)),
    });
  }

  stop(): void {
    this.#notices.stop();
  }

  /** The order is that of raft/types.ts `Ready`. Resolves when the core may advance; rejects when storage failed. */
  async handle(ready: Ready): Promise<void> {
    const { log, applier } = this.#components;
    if (ready.softState !== undefined) this.#observe(ready.softState);
    this.#events.entries(ready.entries);
    this.#send(this.#notices.hold(ready.messages.filter(({ type }) => LEADER_MESSAGES.has(type))));

    // What is already in this node's own log is applied while the disk writes. The rest waits, since an applied index
    // that became durable ahead of the log would be a hole after a crash.
    const stableIndex = ready.snapshot === undefined ? log.lastIndex() : 0;
    const firstUnstable = ready.entries[0]?.index ?? Infinity;
    const firstConfChange = ready.committedEntries.find(isConfChange)?.index ?? Infinity;
    const isStable = ({ index }: Entry): boolean =>
      index <= stableIndex && index < firstUnstable && index < firstConfChange;
    const stable = ready.committedEntries.filter(isStable);
    const unstable = ready.committedEntries.filter((entry) => !isStable(entry));
    const written = this.#persist(ready);
    // Its failure is heard of below, once the rest is under way.
    written?.catch(() => undefined);
    let admitted: Promise<void> | undefined;
    if (ready.mustSync && stable.length > 0) {
      await turnEnds();
      admitted = applier.enqueue(stable);
    }
    await written;
    this.#send(ready.messages.filter(({ type }) => !LEADER_MESSAGES.has(type)));
    if (ready.snapshot !== undefined) await this.#restore(ready.snapshot);
    for (const state of ready.readStates) this.#events.readState(state);
    // Where nothing waited for the disk, no message waits for this.
    if (!ready.mustSync) admitted = applier.enqueue(stable);
    if (admitted !== undefined) await admitted;
    const allAdmitted = applier.enqueue(unstable);
    if (allAdmitted !== undefined) await allAdmitted;
  }

  #observe(soft: SoftState): void {
    if (soft.raftState !== 'StateLeader') this.#notices.release();
    this.#events.softState(soft);
  }

  /**
   * That a new configuration is committed is durable before it is applied, and so before a voter that it leaves out can
   * be told to go: a node that went back to the old one after a crash would wait for that voter's vote for ever.
   */
  #persist({ hardState, entries, snapshot, committedEntries, ...ready }: Ready): Promise<void> | undefined {
    const hasConfChange = committedEntries.some(isConfChange);
    const mustSync = ready.mustSync || hasConfChange;
    if (hardState === undefined && entries.length === 0 && snapshot === undefined && !hasConfChange)
      return undefined;
    return this.#components.log.append({
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
    await this.#components.applier.drained();
    await this.#components.restore(snapshot);
    this.#events.restored(snapshot.metadata.index);
  }

  #send(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    const { core, transport } = this.#components;
    for (const node of transport.send(messages)) {
      core.reportUnreachable(node);
      if (messages.some(({ type, to }) => type === 'MsgSnap' && to === node))
        core.reportSnapshot(node, false);
    }
  }
}

/**
 * Resolves when all that the promises of this turn lead to has begun. A write has then been handed to the disk, which does not
 * need this thread; applying first would hold it up, and with it a follower's acknowledgement or the leader's own.
 */
function turnEnds(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function isConfChange({ type }: Entry): boolean {
  return type !== 'EntryNormal';
}
