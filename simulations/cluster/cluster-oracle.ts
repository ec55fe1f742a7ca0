/** @module Watches every metadata node after everything it does, and knows what must hold of all of them together. */
import type { ConfState, Entry, Index, NodeId, Term } from '../../raft/types.ts';
import type { Status } from '../../raft/raw-node.ts';
import { EMPTY_CONF_STATE } from '../../raft/memory-storage.ts';
import { encodeMessage } from '../../src/common/encode-message.ts';
import { CommandBatch, Result } from '../../src/namespace/schema.ts';
import type { StateMachine } from '../../src/namespace/state-machine.ts';
import type { LogWrite } from '../../src/storage/raft-log-store.ts';
import { hashBytes } from '../prng.ts';
import { RaftOracle, SafetyViolation } from '../raft-oracle.ts';
import type { Trace } from '../trace.ts';
import type { SimulatedRaftLog } from '../world/simulated-raft-log.ts';
import type { Coverage } from './coverage.ts';
import type { Machine } from './machine.ts';
import { Sightings } from './sightings.ts';
import type { AwaitedMoment } from './moment.ts';

/** What is seen of a metadata node, from outside and at any time. */
export interface ObservedNode {
  readonly number: NodeId;
  /** Its disk, which outlives its runs. */
  readonly machine: Pick<Machine, 'log' | 'hasHeld'>;
  /** Absent while it does not run. */
  readonly node: { status(): Status; readonly appliedIndex: Index } | undefined;
}

interface Seen {
  log?: SimulatedRaftLog;
  /** Of this run. */
  commit: Index;
  applied: Index;
  confState: ConfState;
  leaderOfTerm: Term;
  /** Of this run; both begin with what was promised before. */
  term: Term;
  vote: NodeId;
}

type AppliedEntry = Pick<Entry, 'index' | 'term' | 'data'>;

export class ClusterOracle {
  readonly #raft = new RaftOracle();
  readonly #trace: Trace;
  readonly #coverage: Coverage;
  readonly #sightings: Sightings;
  readonly #seen = new Map<ObservedNode, Seen>();
  readonly #processes = new Map<NodeId, ObservedNode>();
  readonly #touched = new Set<ObservedNode>();
  /** What the machines answered, by index. */
  readonly #results = new Map<Index, number>();
  /** Who was given what: session and sequence, by inode and token. */
  readonly #grants = new Map<string, string>();

  constructor({ trace, coverage }: { readonly trace: Trace; readonly coverage: Coverage }) {
    this.#trace = trace;
    this.#coverage = coverage;
    this.#sightings = new Sightings(coverage);
  }

  get lastCommitted(): Index {
    return this.#raft.lastCommitted;
  }

  /** A new run: it keeps what it promised in those before. */
  started(process: ObservedNode): void {
    this.#processes.set(process.number, process);
    const { term, vote } = process.machine.log.acknowledged;
    const nothing = { commit: 0, applied: 0, confState: EMPTY_CONF_STATE, leaderOfTerm: 0 };
    this.#seen.set(process, { ...nothing, term, vote });
  }

  /** Calls back, once, at the next such moment; what is done then must come later than now. */
  atNext(awaited: AwaitedMoment, callback: () => void): void {
    this.#sightings.atNext(awaited, callback);
  }

  /** The run ended without having been asked to. */
  crashed({ number }: ObservedNode): void {
    this.#sightings.crashed(number);
  }

  /** The process does something now; look() will see what came of it. */
  ran(process: ObservedNode): void {
    this.#touched.add(process);
  }

  /** Log matching. Called before the write is durable. */
  sawWrite(process: ObservedNode, write: LogWrite, log: SimulatedRaftLog): void {
    this.#seenOf(process).log = log;
    const { entries, snapshot, hardState } = write;
    let previous: Term | 'compacted' | undefined = termBefore(log, entries[0], snapshot !== undefined);
    for (const entry of entries) {
      this.#raft.sawAppend(process.number, previous, entry);
      previous = entry.term;
    }
    if (entries.length > 0) this.#sightings.sawWrite(process.number);
    if (snapshot !== undefined) this.#coverage.saw('snapshots installed');
    const { term = 0, commit = 0 } = hardState ?? {};
    for (const value of [process.number, entries.length, term, commit]) this.#trace.foldNumber(value);
  }

  /** Its log begins later by now, on the disk, too. */
  sawCompaction({ number }: ObservedNode): void {
    this.#sightings.sawCompaction(number);
  }

  /** State machine safety: what is applied, and what is answered, is the same everywhere. */
  watch(process: ObservedNode, machine: StateMachine): void {
    const apply = machine.apply.bind(machine);
    machine.apply = async (entries) => {
      const results = await apply(entries);
      for (const [position, entry] of entries.entries()) {
        this.#raft.sawApply(process.number, 0, { ...entry, type: 'EntryNormal' }, EMPTY_CONF_STATE);
        this.#sawResults(process, entry, results[position] ?? []);
      }
      return results;
    };
  }

  /** Looks at all that did something since the last look. Throws SafetyViolation. */
  look(): void {
    for (const process of this.#touched) this.#lookAt(process);
    this.#touched.clear();
  }

  #lookAt(process: ObservedNode): void {
    const { node } = process;
    const seen = this.#seen.get(process);
    if (node === undefined || seen === undefined) return;
    const status = node.status();
    this.#sightings.look(process.number, status);
    this.#checkOrder(process, status, seen);
    const { log } = seen;
    if (status.raftState === 'StateLeader' && log !== undefined) {
      if (seen.leaderOfTerm !== status.term) {
        seen.leaderOfTerm = status.term;
        this.#raft.sawLeader(process.number, status.term, (index) => termAt(log, index));
      }
      if (status.commit > seen.commit) this.#sawCommit(process, status, seen, log);
    }
    seen.commit = status.commit;
    seen.confState = status.confState;
    seen.term = status.term;
    seen.vote = status.vote;
    seen.applied = node.appliedIndex;
  }

  #checkOrder({ number, node }: ObservedNode, { term, vote, commit }: Status, seen: Seen): void {
    if (term === seen.term && seen.vote !== 0 && vote !== seen.vote)
      throw new SafetyViolation(`Node ${number} voted for ${seen.vote} in term ${term}, and now for ${vote}`);
    if (term < seen.term)
      throw new SafetyViolation(`Node ${number} went back from term ${seen.term} to ${term}`);
    if (commit < seen.commit)
      throw new SafetyViolation(`Node ${number} went back from commit ${seen.commit} to ${commit}`);
    const applied = node?.appliedIndex ?? 0;
    if (applied < seen.applied)
      throw new SafetyViolation(`Node ${number} went back from applied ${seen.applied} to ${applied}`);
  }

  /** What a leader calls committed is on the disks of a quorum, those of dead nodes included, or was when they said so. */
  #sawCommit({ number }: ObservedNode, status: Status, seen: Seen, log: SimulatedRaftLog): void {
    const { commit } = status;
    const term = termAt(log, commit);
    this.#coverage.saw('entries committed');
    // Replicated by others and not written here yet: it is seen when it is applied.
    if (term === undefined || term === 'compacted') return;
    const isHeldBy = (id: NodeId): boolean => this.#processes.get(id)?.machine.hasHeld(commit, term) ?? false;
    this.#raft.sawCommit(number, commit, term, [seen.confState, status.confState], isHeldBy);
  }

  #sawResults({ number }: ObservedNode, entry: AppliedEntry, results: readonly Result[]): void {
    const { index } = entry;
    let hash = 0;
    for (const result of results) hash = hashBytes(encodeMessage(Result, result), hash);
    const known = this.#results.get(index);
    if (known !== undefined && known !== hash)
      throw new SafetyViolation(`Node ${number} answers entry ${index} otherwise than others`);
    for (const value of [number, index, hash]) this.#trace.foldNumber(value);
    if (known !== undefined) return;
    this.#results.set(index, hash);
    const batch = CommandBatch.decode(entry.data);
    this.#sightings.sawApplied(entry.term, batch);
    this.#sawGrants(batch, results);
  }

  /** Fencing tokens: no two changes are given the same; the same one, sent again, is given what it was given. */
  #sawGrants({ commands }: CommandBatch, results: readonly Result[]): void {
    for (const [position, { session, sequence, command }] of commands.entries()) {
      const kind = results[position]?.kind;
      if (kind?.$case !== 'grant' || command?.kind?.$case !== 'createFile') continue;
      const grant = `${kind.value.inode}/${kind.value.fencingToken}`;
      const owner = `${session}/${sequence}`;
      const known = this.#grants.get(grant);
      if (known !== undefined && known !== owner)
        throw new SafetyViolation(`Fencing token ${grant} was given to ${known} and to ${owner}`);
      if (known === undefined) this.#coverage.saw('files granted to a writer');
      this.#grants.set(grant, owner);
    }
  }

  #seenOf(process: ObservedNode): Seen {
    const seen = this.#seen.get(process);
    if (seen === undefined) throw new Error(`node ${process.number} was never started`);
    return seen;
  }
}

function termBefore(
  log: SimulatedRaftLog,
  first: Pick<Entry, 'index'> | undefined,
  afterSnapshot: boolean,
): Term | 'compacted' | undefined {
  return first === undefined || afterSnapshot ? 'compacted' : termAt(log, first.index - 1);
}

function termAt(log: SimulatedRaftLog, index: Index): Term | 'compacted' | undefined {
  if (index < log.firstIndex() - 1) return 'compacted';
  return index > log.lastIndex() ? undefined : log.term(index);
}
