/** @module Watches a whole cluster and knows what must hold of it (Raft figure 3). */
import type { ConfState, Entry, Index, NodeId, Term } from '../raft/types.ts';
import { hashBytes, hashText } from './prng.ts';

/** A claim of the paper that did not hold. */
export class SafetyViolation extends Error {
  override readonly name: string = 'SafetyViolation';
}

interface CommittedEntry {
  readonly term: Term;
  readonly digest: number;
}

/** Term of the entry at an index in a log, undefined where it has none, 'compacted' where it had one. */
export type TermAt = (index: Index) => Term | 'compacted' | undefined;

export class RaftOracle {
  readonly #leaders = new Map<Term, NodeId>();
  readonly #committed = new Map<Index, CommittedEntry>();
  /** Of what leaders called committed, whether anybody has applied it or not. */
  readonly #committedTerms = new Map<Index, Term>();
  readonly #appended = new Map<string, string>();
  #lastCommitted: Index = 0;
  #highestTerm: Term = 0;
  /** Digest of the whole history up to each index, as a state machine would see it. */
  readonly #histories = new Map<Index, number>([[0, 0]]);

  /** Largest index that anybody has seen committed. */
  get lastCommitted(): Index {
    return this.#lastCommitted;
  }

  /** Election safety and leader completeness. Call whenever a node shows itself as leader. */
  sawLeader(id: NodeId, term: Term, termAt: TermAt): void {
    const known = this.#leaders.get(term);
    if (known === id) return;
    if (known !== undefined)
      throw new SafetyViolation(`Election safety: ${known} and ${id} lead term ${term}`);
    this.#leaders.set(term, id);
    if (term < this.#highestTerm) return;
    this.#highestTerm = term;
    for (const [index, wanted] of this.#committedTerms) {
      const found = termAt(index);
      if (found !== wanted && found !== 'compacted')
        throw new SafetyViolation(
          `Leader completeness: leader ${id} of term ${term} lacks committed entry ${wanted}/${index} (has ${found})`,
        );
    }
  }

  /** Log matching: (term, index) names one entry and, with the entry before it, one whole prefix. */
  sawAppend(id: NodeId, previousTerm: Term | 'compacted' | undefined, entry: Entry): void {
    if (previousTerm === 'compacted') return;
    const key = `${entry.term}/${entry.index}`;
    const value = `${previousTerm} ${digestOf(entry)}`;
    const known = this.#appended.get(key);
    if (known !== undefined && known !== value)
      throw new SafetyViolation(`Log matching: ${id} has another entry ${key}: ${value}, not ${known}`);
    this.#appended.set(key, value);
  }

  /** Leader's commit index moved to `index`: a quorum must have the entry on disk, dead nodes included. */
  sawCommit(
    id: NodeId,
    index: Index,
    term: Term,
    configurations: readonly ConfState[],
    hasDurable: (node: NodeId) => boolean,
  ): void {
    this.#lastCommitted = Math.max(this.#lastCommitted, index);
    this.#committedTerms.set(index, this.#committedTerms.get(index) ?? term);
    if (configurations.some((configuration) => isOnQuorum(configuration, hasDurable))) return;
    throw new SafetyViolation(`Leader ${id} committed ${term}/${index}, which is on no quorum of disks`);
  }

  /**
   * State machine safety. `confState` is the configuration after the entry. Returns the digest of the history up to it,
   * given that before it.
   */
  sawApply(id: NodeId, previousDigest: number, entry: Entry, confState: ConfState): number {
    const { index, term } = entry;
    const digest = digestOf(entry);
    const known = this.#committed.get(index);
    if (known !== undefined && (known.term !== term || known.digest !== digest))
      throw new SafetyViolation(
        `State machine safety: ${id} applied ${term}/${index}, others ${known.term}/${index}`,
      );
    this.#committed.set(index, { term, digest });
    this.#committedTerms.set(index, this.#committedTerms.get(index) ?? term);
    this.#lastCommitted = Math.max(this.#lastCommitted, index);
    return this.sawHistory(
      id,
      index,
      hashText(`${term}/${index}/${digest}/${JSON.stringify(confState)}`, previousDigest),
    );
  }

  /** Two state machines at one index must be equal, however they got there. */
  sawHistory(id: NodeId, index: Index, history: number): number {
    const known = this.#histories.get(index);
    if (known !== undefined && known !== history)
      throw new SafetyViolation(
        `State machine safety: the state of ${id} at ${index} differs from that of others`,
      );
    this.#histories.set(index, history);
    return history;
  }

  /** Linearizable reads: a read sees all that was committed when it was asked for. */
  sawRead(id: NodeId, index: Index, committedWhenAsked: Index): void {
    if (index < committedWhenAsked)
      throw new SafetyViolation(
        `Stale read: ${id} may read at ${index}, but ${committedWhenAsked} was committed before`,
      );
  }
}

function isOnQuorum(configuration: ConfState, hasDurable: (node: NodeId) => boolean): boolean {
  // Counted here and not by the core's own arithmetic: an oracle that shares the bug does not see it.
  return [configuration.voters, configuration.votersOutgoing].every(
    (half) => half.length === 0 || half.filter(hasDurable).length * 2 > half.length,
  );
}

function digestOf(entry: Entry): number {
  return hashBytes(entry.data, hashText(entry.type));
}
