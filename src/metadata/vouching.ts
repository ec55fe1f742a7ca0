/** @module Before a metadata node takes part in consensus: the others say whether they remember more of it than it does. */
import { type Clock, sleep } from '../common/clock.ts';
import { describeError, type HoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { isUpToDate } from '../../raft/entry-id.ts';
import { NO_RESTRAINT, type Restraint } from '../../raft/restraint.ts';
import type { Index, NodeId } from '../../raft/types.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type { VoterSet, VouchResponse } from '../protocol/messages.ts';
import { VOUCH } from '../protocol/methods.ts';
import { copyAlone, copyOutlived, rolledBack } from './member-errors.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { Incarnation } from './witness.ts';

export interface VouchingComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface VouchingOptions {
  readonly run: Incarnation;
  /** The log was put here by something else than the node (RaftLogStore.isCopy). */
  readonly isCopy: boolean;
  readonly appliedIndex: Index;
  /** As this node's state and log have them (voter-sets.ts). */
  readonly voterSets: readonly VoterSet[];
}

export interface VouchingEvents {
  /** May be called while the node takes part already. */
  rolledBack(error: HoldfastError): void;
  /** A copy whose node may take part now, held to `restraint`. */
  vouched(restraint: Restraint): void;
}

/** A node that answers does so in milliseconds; one that hangs holds up a start by no more than this. */
const FIRST_ROUND_MS = 1_000;
/** A copy cannot vote before it was heard: its start waits for answers for so long. What it knows of addresses may be old, and others find it. */
const COPY_PATIENCE_MS = 10_000;
/** Between two rounds at first; doubled with each, up to the longest. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4_000;

/**
 * A data directory can be put back to an earlier time, marker and all. From within only a copy of files can be told
 * (log-marker.ts), so two rules guard the votes:
 *
 * - A *copy* takes no part until as many other voters as stand in every quorum's way (n - quorum + 1) have said, in one round,
 *   that they know of nothing newer: each entry that the node helped to commit is known to one of them. Who answered in an
 *   earlier round alone may have got such an entry since. It waits as long as that takes. Who votes may have changed since the
 *   copy was made, but no change is committed without one of them: what each has in its log says who votes by now, and of
 *   those as many must be heard, and so on (simulation seed 50166, hell). Where too many of them have left since, nobody will
 *   ever say so, and it gives up its number (seed 63605, hell). What they remember of the node is seconds old when they, too,
 *   were killed; their own terms and logs are not. The copy is held to those (`restraint`): whatever it may have voted for or
 *   acknowledged, one of them knows the term or has the entry (seed 66855, hell).
 * - Any other directory waits for one round of answers, at most a second, so that a cluster that starts as a whole, or
 *   with nodes missing, is not held up. It goes on asking until each has answered once, and stops when one remembers
 *   more. Meanwhile and for ever, a node that remembers more drops its messages (raft-transport.ts): its votes and
 *   acknowledgements do not count there.
 *
 * What escapes, with four voters or more: a candidate or leader that was not heard counts a vote or an acknowledgement of before
 * the copy, and finds the rest of its quorum among those that were heard, *after* they were. Two rules leave that to one whose
 * process, or to those whose disks, stood still for long: as long as the start has time (COPY_PATIENCE_MS) all other voters are
 * to answer, not only enough of them; and only the last round counts. For a leader that was not heard for ten seconds either sends
 * those who are what it has, and they tell of it, or is not heard by them either, and they are in a later term and refuse it.
 * Where all have answered nothing escapes: each drops what comes late from the run before (raft-transport.ts).
 *
 * So an image of a volume put back under the same inode votes only while nobody who saw the newer state can be reached,
 * by those who never saw it either. A peer that is wrong, or lies, costs the node its number and a transfer of the
 * namespace: no data, since its files are kept and a majority must agree to the new number.
 */
export class Vouching {
  readonly #components: VouchingComponents;
  readonly #options: VouchingOptions;
  readonly #events: VouchingEvents;
  /** Who has ever answered, and the voters it told of last. */
  readonly #answers = new Map<NodeId, readonly VoterSet[]>();
  /** Who has answered in the last round. */
  #heard = new Set<NodeId>();
  /** Voters that are no members any more, as somebody says who has applied more than brought them: numbers never come back. */
  readonly #gone = new Set<NodeId>();
  readonly #stopping = new AbortController();
  #background: Promise<void> | undefined;
  #hasVouched = false;
  #restraint: Restraint = NO_RESTRAINT;

  constructor(components: VouchingComponents, options: VouchingOptions, events: VouchingEvents) {
    this.#components = components;
    this.#options = options;
    this.#events = events;
  }

  /**
   * One round; of a copy, rounds until all have answered, for ten seconds at most. True when the node may take part now; else
   * `vouched` says when, and after stop() nothing does. Goes on in the background until all have answered.
   * Errors: METADATA_ROLLED_BACK, METADATA_COPY_ALONE, METADATA_COPY_OUTLIVED.
   */
  async begin(): Promise<boolean> {
    const { isCopy, run } = this.#options;
    if (isCopy && this.#ownSets().some(({ voters }) => voters.length === 1)) throw copyAlone(run.number);
    const verdict = (await this.#round()) ?? (await this.#waitAsCopy());
    if (this.#stopping.signal.aborted) return false;
    if (verdict !== undefined) throw verdict;
    this.#hasVouched = this.#isEnough();
    this.#background = this.#goOn();
    return this.#hasVouched;
  }

  /** What a copy is held to: the furthest that those who answered had come. */
  get restraint(): Restraint {
    return this.#restraint;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#background;
  }

  /** Until all have answered, one accuses, or the start has waited long enough for that. */
  async #waitAsCopy(): Promise<HoldfastError | undefined> {
    const { clock } = this.#components;
    if (!this.#options.isCopy) return undefined;
    const untilMs = clock.monotonicMs() + COPY_PATIENCE_MS;
    while (!this.#areAllHeard() && clock.monotonicMs() < untilMs) {
      if (!(await this.#pause(FIRST_PAUSE_MS))) return undefined;
      const verdict = await this.#round();
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  /** Never rejects. */
  async #goOn(): Promise<void> {
    const { logger } = this.#components;
    if (!this.#hasVouched) logger.warn('raft.copy-waits', { unanswered: this.#open() });
    for (let pauseMs = FIRST_PAUSE_MS; this.#open().length > 0; pauseMs = nextPause(pauseMs)) {
      if (!(await this.#pause(pauseMs))) return;
      const verdict = await this.#round();
      if (this.#stopping.signal.aborted) return;
      if (verdict !== undefined) return this.#events.rolledBack(verdict);
      if (this.#hasVouched || !this.#isEnough()) continue;
      this.#hasVouched = true;
      this.#events.vouched(this.#restraint);
    }
  }

  /** False when this was stopped meanwhile. */
  async #pause(pauseMs: number): Promise<boolean> {
    try {
      await sleep(this.#components.clock, pauseMs, this.#stopping.signal);
      return true;
    } catch {
      // The only rejection of sleep is the stop.
      return false;
    }
  }

  /** Asks all that are open. The first accusation counts; else whether a copy has nobody left to ask. */
  async #round(): Promise<HoldfastError | undefined> {
    const asked = this.#open();
    this.#heard = new Set();
    const verdicts = await Promise.all(asked.map((number) => this.#ask(number)));
    return verdicts.find((verdict) => verdict !== undefined) ?? this.#outlived();
  }

  async #ask(number: NodeId): Promise<HoldfastError | undefined> {
    const { network, members, logger } = this.#components;
    const { run } = this.#options;
    const peer = members.byNumber(number)?.peer;
    if (peer === undefined) return undefined;
    try {
      const options = { timeoutMs: FIRST_ROUND_MS, signal: this.#stopping.signal };
      const answer = await call(network, peer, VOUCH, { run }, options);
      this.#answers.set(number, answer.voterSets);
      this.#heard.add(number);
      this.#learn(answer);
      this.#restraint = furthest(this.#restraint, answer);
      return answer.rolledBack
        ? rolledBack(run.number, number, run.openedAt, answer.seenSequence)
        : undefined;
    } catch (error) {
      // Who does not answer says nothing; it is asked again.
      logger.debug('raft.not-vouched', { node: number, error: describeError(error) });
      return undefined;
    }
  }

  /** Members of after the time that this node's directory is of. */
  #learn({ members: told, applied }: VouchResponse): void {
    const { members, network } = this.#components;
    const active = new Set(told.map(({ number }) => number));
    for (const { voters, index } of this.#options.voterSets)
      if (applied > index)
        for (const number of voters)
          if (number !== this.#options.run.number && !active.has(number)) this.#gone.add(number);
    for (const member of told) {
      if (members.byNumber(member.number) !== undefined) continue;
      members.learn(member);
      if (member.addresses.length > 0) network.learn(member.peer, member.addresses);
    }
  }

  /**
   * Who has not answered, and all of them until a copy is vouched for, since their logs may have grown. Learners remember
   * too, and may once have been voters.
   */
  #open(): NodeId[] {
    const { run, isCopy } = this.#options;
    const known = this.#components.members.withRole('meta').map(({ number }) => number);
    const others = new Set([...this.#voterSets().flatMap(({ voters }) => voters), ...known]);
    const isAgain = isCopy && !this.#hasVouched;
    return [...others].filter((number) => number !== run.number && (isAgain || !this.#answers.has(number)));
  }

  /** Own ones, and those that others told of. What was in force before this node's own is over: its voters may be gone. */
  #voterSets(): VoterSet[] {
    const { appliedIndex, voterSets } = this.#options;
    const told = [...this.#answers.values()].flat();
    return [...voterSets, ...told.filter(({ index }) => index > appliedIndex)];
  }

  /** The error for a copy for which too few are left that could ever vouch for it. */
  #outlived(): HoldfastError | undefined {
    const { isCopy, run } = this.#options;
    const isHopeless = (set: VoterSet): boolean => this.#mayBeHeard(set).length < enoughOf(set);
    if (!isCopy || !this.#ownSets().some(isHopeless)) return undefined;
    return copyOutlived(run.number, [...this.#gone]);
  }

  /** The others of `set` that have not left for good. */
  #mayBeHeard({ voters }: VoterSet): NodeId[] {
    const isLost = (number: NodeId): boolean => this.#gone.has(number) && !this.#heard.has(number);
    return voters.filter((number) => number !== this.#options.run.number && !isLost(number));
  }

  /** In which this node's own vote counts. */
  #ownSets(): VoterSet[] {
    return this.#voterSets().filter(({ voters }) => voters.includes(this.#options.run.number));
  }

  #isEnough(): boolean {
    return !this.#options.isCopy || this.#ownSets().every((set) => this.#hasHeardEnough(set));
  }

  #hasHeardEnough(set: VoterSet): boolean {
    return set.voters.filter((number) => this.#heard.has(number)).length >= enoughOf(set);
  }

  /** All voters that there are: nobody is left to whom a promise of before may be under way. */
  #areAllHeard(): boolean {
    return this.#ownSets().every((set) => this.#mayBeHeard(set).every((number) => this.#heard.has(number)));
  }
}

function furthest({ term, last }: Restraint, answer: VouchResponse): Restraint {
  const told = { term: answer.lastTerm, index: answer.lastIndex };
  return { term: Math.max(term, answer.term), last: isUpToDate(told, last) ? told : last };
}

/** Of so many others, one is in any quorum that a voter of these was part of. */
function enoughOf({ voters }: VoterSet): number {
  const quorum = Math.floor(voters.length / 2) + 1;
  return voters.length - quorum + 1;
}

function nextPause(pauseMs: number): number {
  return Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
}
